"""Zones: named polygons of a file and the share of each cell that lies in them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from banet.errors import BanetWarning, InputError
from banet.grid.region import Region
from banet.grid.shares import cell_shares, hectares_of
from banet.grid.vectors import Polygons, read_polygons, zone_names
from banet.io.counts import listed
from banet.io.files import PathLike

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Zones", "read_zones"]


@dataclass(frozen=True, eq=False)
class Zones:
    """Named areas on the cells of a region.

    Attributes:
        names: of the zones, in the order of the file.
        shares: share of each cell that lies in each zone, (zones, cells) sparse, 0-1; cells row by row.
        hectares: area of each zone, also where it reaches beyond the region, (zones,).
    """

    names: tuple[str, ...]
    shares: sparse.csr_array
    hectares: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)


def read_zones(
    path: PathLike | gpd.GeoDataFrame, region: Region, *, field: str | None = None, layer: str | None = None
) -> Zones:
    """Read the polygons of a vector file as zones; features of one name are one zone.

    Args:
        path: vector file of polygons, in any reference system, or a GeoDataFrame of them.
        region: the grid.
        field: with the names; by default the first of name, region, id that the file has, or else its rows
            are numbered.
        layer: of the file, where it has several.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it cannot be read.
        InputError: if it lacks the field, or none of its polygons touches the region.

    Warns:
        BanetWarning: of features that were left out or repaired, and of zones outside the region.
    """
    found = read_polygons(path, layer=layer, wide=True)
    told = [f"{count} features {reason} left out" for reason, count in found.left_out] + [*found.notes]
    if told:
        warnings.warn(f"{found.name}: {', '.join(told)}", BanetWarning, stacklevel=2)
    if not len(found.geometry):
        raise InputError(f"{found.name} holds no polygon that can be used as a zone")
    zones = _placed(found, zone_names(found, field), region)
    outside = [
        name for name, cells in zip(zones.names, np.diff(zones.shares.indptr), strict=True) if not cells
    ]
    if len(outside) == len(zones):
        raise InputError(
            f"{found.name}: none of its {len(zones)} zones touches {region.name}, "
            f"{_box(region)}; give zones of the maps' region"
        )
    if outside:
        warnings.warn(
            f"{found.name}: outside {region.name}, so nothing is known of them: {listed(outside, 10)}",
            BanetWarning,
            stacklevel=2,
        )
    return zones


def _box(region: Region) -> str:
    return f"{region.west:g} to {region.east:g} E, {region.south:g} to {region.north:g} N"


def _placed(found: Polygons, names: npt.NDArray[np.object_], region: Region) -> Zones:
    import shapely

    order = list(dict.fromkeys(names.tolist()))
    cells, shares, hectares = [], [], []
    for name in order:
        parts = found.geometry[names == name]
        shape = parts[0] if len(parts) == 1 else shapely.union_all(parts)
        row, col, share = cell_shares(shape, region)
        cells.append(row * region.shape[1] + col)
        shares.append(share)
        hectares.append(hectares_of(shape))
    indptr = np.concatenate([[0], np.cumsum([len(part) for part in cells])])
    size = (len(order), region.shape[0] * region.shape[1])
    matrix = sparse.csr_array((np.concatenate(shares), np.concatenate(cells), indptr), shape=size)
    return Zones(tuple(order), matrix, np.array(hectares))
