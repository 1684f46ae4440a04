"""A cube as a dataset of xarray, read when it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.cube.variables import Variable
from banet.cube.withheld import Withheld

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["open_dataset"]


def open_dataset(
    folder: Path, variables: Mapping[str, Variable], slots: Sequence[int], withheld: Withheld
) -> xr.Dataset:
    """Open a store in physical units, with these slots along time, as far as it is shown."""
    import importlib.util

    import xarray as xr

    whole_days = {"time": 1, "latitude": -1, "longitude": -1}
    chunks = whole_days if importlib.util.find_spec("dask") else None
    ds = xr.open_zarr(folder, consolidated=True, chunks=chunks, decode_cf=False)
    for variable in variables.values():
        if variable.scale:  # JSON knows no float32, and xarray decodes to the type of the scale
            ds[variable.name].attrs["scale_factor"] = np.float32(variable.scale)
    ds = xr.decode_cf(ds, decode_coords="all")
    ds = ds[[*variables, "water"]].isel(time=list(slots))
    for name in withheld.shown:
        ds[name] = ds[name].copy(data=withheld.plane(name, ds[name].shape))
    return ds
