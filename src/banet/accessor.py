"""Accessor `banet` of xarray datasets, which `import banet.accessor` registers.

ds.banet.to_region(region).banet.map_burned("2024-08", "2024-08", name="HILLS")
xr.open_dataset("maps/PT_202408.nc").banet.burned.daily_area_ha()
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import xarray as xr

from banet.burned_area.burned_area import BurnedArea
from banet.cube import Cube
from banet.grid.region import Region
from banet.ingest import from_dataset, to_region
from banet.io.files import PathLike
from banet.mapping import map_burned

__all__ = ["DatasetAccessor"]


@xr.register_dataset_accessor("banet")  # type: ignore[no-untyped-call]
class DatasetAccessor:
    """Methods of a dataset of images, or of a map that was written as NetCDF.

    >>> import banet.accessor
    >>> xr.Dataset().banet
    <banet.accessor of a dataset with no variables>
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    def __repr__(self) -> str:
        return (
            f"<banet.accessor of a dataset with {', '.join(map(str, self._ds.data_vars)) or 'no variables'}>"
        )

    @property
    def burned(self) -> BurnedArea:
        """The map that the dataset holds, as `banet map` writes it and `BurnedArea.to_dataset` gives it.

        Raises:
            InputError: if a variable or attribute is missing.
        """
        return BurnedArea.from_dataset(self._ds)

    def to_region(self, region: Region, *, crs: Any = None) -> xr.Dataset:
        """Bring images in any projection onto the grid of a region; see `banet.to_region`."""
        return to_region(self._ds, region, crs=crs)

    def to_cube(self, path: PathLike, *, name: str, **options: Any) -> Cube:
        """Write the images as a cube; see `banet.from_dataset` for name and options."""
        return from_dataset(self._ds, path, name=name, **options)

    def map_burned(
        self, start: Any, end: Any, *, name: str, cube: dict[str, Any] | None = None, **options: Any
    ) -> BurnedArea:
        """Map days of the images; see `banet.map_burned`.

        Args:
            start: first day or month.
            end: last day or month.
            name: of the region.
            cube: options of `banet.from_dataset`, such as `{"sensor": "MODIS"}`.
            options: of `banet.map_burned`.
        """
        with tempfile.TemporaryDirectory() as folder:
            made = self.to_cube(Path(folder) / f"{name}.zarr", name=name, **(cube or {}))
            return map_burned(made, start, end, **options)
