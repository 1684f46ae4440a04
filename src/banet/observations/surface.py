"""VIIRS daily surface reflectance in sinusoidal tiles (V*09GA, HDF-EOS5), collections 1 and 2.

Names are `V{NP,J1,J2}09GA[_NRT].A{YYYYDDD}.h{HH}v{VV}.{collection}.{production}.h5`. The 1 km grid (1200 x
1200) is the group `HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields` (`VNP_Grid_1km_2D` in collection 1): int16
reflectance, scale 1e-4, valid -100 to 16000; angles int16, scale 0.01. It has no band at 3.7 um, so the MIR
slot holds M11 (2.25 um).

The seven quality planes go along untouched, since smoke and fresh char raise cloud and aerosol flags where
fires are. Of them only night is acted on. Bits (VIIRS Surface Reflectance User's Guide): QF1 0-1 cloud-mask
quality, 2-3 cloud (0 clear to 3 cloudy), 4 night; QF2 0-2 land or water, 3 shadow, 5 snow. Water is kept as
it was seen.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import Day, day_of_name
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.grid.sinusoidal import SinusoidalGrid, tile_grid, tiles_of_region
from banet.io.files import PathLike
from banet.io.hdf5 import dataset, number, opened, read_part, text
from banet.observations import register
from banet.observations.cell_means import CellMeans, nearest_pixels
from banet.observations.folder import FolderSource
from banet.observations.granules import MAX_SOLAR_ZENITH, name_of
from banet.observations.mosaic import BestView
from banet.observations.physics import BOUNDS, check_plane, scale_of
from banet.observations.planes import NO_FLAG, DayPlanes, Overpass, Plane
from banet.observations.productions import newest_readable
from banet.observations.satellites import VIIRS, title_of
from banet.observations.stated_time import check_stated_time

__all__ = ["FLAGS", "SurfaceSource", "surface"]

#: Names of the quality planes in `DayPlanes.flags`, in the files `SurfReflect_QF1_1` to `SurfReflect_QF7_1`.
FLAGS = tuple(f"qf{number}" for number in range(1, 8))
_BANDS = {"red": "SurfReflect_M5_1", "nir": "SurfReflect_M7_1", "mir": "SurfReflect_M11_1"}
_VALID = (-100, 16000)
_NIGHT_BIT = 1 << 4
_BEGINS = "RangeBeginningDate"
_NAME = re.compile(
    r"(?P<satellite>VNP|VJ1|VJ2)09GA(?P<nrt>_NRT)?\.A(?P<year>\d{4})(?P<doy>\d{3})\.h(?P<h>\d\d)v(?P<v>\d\d)"
    r"\.(?P<rest>.+)\.(?:h5|hdf5?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SurfaceTile:
    """Contents of a file's name.

    Attributes:
        satellite: `VNP`, `VJ1` or `VJ2`.
        day: UTC.
        h, v: the tile's column and row.
        paths: the file in each of its productions, the one to prefer first.
    """

    satellite: str
    day: Day
    h: int
    v: int
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class SurfaceSource(FolderSource):
    """The source of surface reflectance tiles; see `banet.observations.planes.ObservationSource`."""

    name: str = "surface"
    mir_band: str = "M11"
    flags: tuple[str, ...] = FLAGS
    begins: str = r"V(NP|J1|J2)09GA"

    @property
    def sensor(self) -> str:
        """Instrument and the satellites that a folder may hold."""
        return f"VIIRS {'/'.join(VIIRS)} surface reflectance"

    def by_day(self, paths: Iterable[Path]) -> dict[Day, list[Path]]:
        """Group tiles by day."""
        days: dict[Day, list[Path]] = defaultdict(list)
        for tile in _tiles(paths):
            days[tile.day].extend(tile.paths)
        return days

    def read_day(
        self, folder: PathLike, day: Day, region: Region, files: Iterable[Path] | None = None
    ) -> DayPlanes:
        """Return the best view of a day over the satellites, its tiles joined, with its quality flags.

        Tiles that cannot be used, hold no value by daylight or are not there become lines in `gaps`; those
        that do not touch the region are passed over.

        Args:
            folder: where the files are.
            day: UTC.
            region: the grid.
            files: those of the day, if they are known, to spare a look through the folder.

        Raises:
            NotFoundError: if the folder holds no file of that day.
            UnreadableFileError: if every tile that touches the region is broken; the message says why.
        """
        tiles = _tiles(self.files(folder).get(day, ()) if files is None else files)
        if not tiles:
            raise NotFoundError(f"{folder} holds no {self.name} file of {day}")
        view, gaps = BestView(region.shape), list[str]()
        flags = {name: np.full(region.shape, NO_FLAG, np.uint8) for name in FLAGS}
        closest = np.full(region.shape, np.inf, np.float32)
        for satellite in sorted({tile.satellite for tile in tiles}):
            found = _mosaic([tile for tile in tiles if tile.satellite == satellite], region, gaps)
            if found is not None:
                overpass, its_flags = found
                view.add(overpass)
                _take_flags(flags, its_flags, closest, overpass.view_zenith)
        if gaps and not view.overpasses:
            raise UnreadableFileError(f"no tile of {day} can be used: {'; '.join(gaps)}")
        if not view.overpasses:
            gaps.append(f"no tile of {day} touches region {region.name} ({len(tiles)} looked at)")
        return replace(view.result(gaps), flags=flags)


def _tiles(paths: Iterable[Path]) -> list[SurfaceTile]:
    """Tiles by satellite, day and place, with their productions: standard ones first, the newest first."""
    found: dict[tuple[str, Day, int, int], tuple[Path, ...]] = {}
    matches = [(path, match) for path in paths if (match := _NAME.fullmatch(path.name))]
    for path, match in sorted(matches, key=lambda item: (item[1]["nrt"] is None, item[1]["rest"])):
        day = day_of_name(match["year"], match["doy"])
        if day is None:
            continue
        key = match["satellite"].upper(), day, int(match["h"]), int(match["v"])
        found[key] = path, *found.get(key, ())
    return [SurfaceTile(*key, productions) for key, productions in sorted(found.items())]


def _mosaic(
    tiles: Sequence[SurfaceTile], region: Region, gaps: list[str]
) -> tuple[Overpass, dict[str, npt.NDArray[np.uint8]]] | None:
    """Join the tiles of one satellite; None if none touches the region."""
    means = CellMeans(region, len(_BANDS) + 1)
    flags = {name: np.full(region.shape, NO_FLAG, np.uint8) for name in FLAGS}
    used: dict[Path, SurfaceTile] = {}
    for tile in tiles:
        title = f"tile {title_of(tile.satellite)} h{tile.h:02d}v{tile.v:02d}"
        try:
            add = functools.partial(_add, tile=tile, region=region, means=means, flags=flags)
            path, seen, why = newest_readable(tile.paths, add)
        except (UnreadableFileError, InputError) as error:
            gaps.append(f"{title}: {error}")
            continue
        if why:
            gaps.append(f"{title}: {why}; {path.name} is read in its place")
        if seen is not None:
            used[path] = tile
        if seen is False:
            gaps.append(f"{title}: no value by daylight in region {region.name}")
    if not used:
        return None
    first = next(iter(used.values()))
    there = {(tile.h, tile.v) for tile in tiles}
    lacking = [f"h{h:02d}v{v:02d}" for h, v in tiles_of_region(region) if (h, v) not in there]
    if lacking:
        gaps.append(f"no file of tile {title_of(first.satellite)} {', '.join(lacking)}")
    red, nir, mir, view_zenith = means.result()
    overpass = Overpass(
        first.day.astype("datetime64[m]"),
        red,
        nir,
        mir,
        view_zenith,
        inputs=tuple(path.name for path in used),
        satellite=title_of(first.satellite),
    )
    return overpass, flags


def _add(
    path: Path,
    tile: SurfaceTile,
    region: Region,
    means: CellMeans,
    flags: Mapping[str, npt.NDArray[np.uint8]],
) -> bool | None:
    """Add one production of a tile to the means and the flags.

    Returns:
        Whether it holds a value by daylight; None if it does not touch the region.
    """
    whole = tile_grid(tile.h, tile.v, 1200)
    window = whole.window_on(region)
    grid = whole.window(*window)
    if not grid.shape[0] or not grid.shape[1]:
        return None
    with opened(path) as file:
        check_stated_time(path.name, _stated_day(file), tile.day)
        fields = _fields(file)
        bands = np.stack([_reflectance(_plane(fields, name, whole), window) for name in _BANDS.values()])
        view_zenith = _angle(_plane(fields, "SensorZenith_1", whole), window)
        solar_zenith = _angle(_plane(fields, "SolarZenith_1", whole), window)
        quality = {
            name: read_part(_plane(fields, f"SurfReflect_QF{index}_1", whole), window)
            for index, name in enumerate(FLAGS, 1)
        }
    with np.errstate(invalid="ignore"):
        dark = ~(solar_zenith <= MAX_SOLAR_ZENITH) | ((quality["qf1"] & _NIGHT_BIT) != 0)
    bands[:, dark] = np.nan
    means.add(grid, np.concatenate([bands, view_zenith[None]]))
    rows, cols, inside = nearest_pixels(grid, region)
    for name, plane in quality.items():
        np.copyto(flags[name], plane[rows, cols].astype(np.uint8), where=inside)
    return bool(np.isfinite(bands).any())


def _take_flags(
    flags: Mapping[str, npt.NDArray[np.uint8]],
    candidate: Mapping[str, npt.NDArray[np.uint8]],
    closest: Plane,
    view_zenith: Plane,
) -> None:
    """Keep the flags of the view that a cell's values come from; where none was seen, of the first tile."""
    better = view_zenith < closest
    first = flags["qf1"] == NO_FLAG
    for name, plane in flags.items():
        np.copyto(plane, candidate[name], where=better | first)
    np.copyto(closest, view_zenith, where=better)


def _stated_day(file: h5py.File) -> str:
    """Return the day that a file tells, as text; empty if it tells none."""
    for holder in (file, file.get("HDFEOS/ADDITIONAL/FILE_ATTRIBUTES")):
        if holder is not None and _BEGINS in holder.attrs:
            return text(holder, _BEGINS)
    core = file.get("HDFEOS INFORMATION/CoreMetadata.0")
    written = np.ravel(core[()])[0] if isinstance(core, h5py.Dataset) else b""
    words = written.decode(errors="replace") if isinstance(written, bytes) else str(written)
    found = re.search(rf'OBJECT\s*=\s*{_BEGINS}\b.*?VALUE\s*=\s*"([^"]*)"', words, re.I | re.S)
    return found[1] if found else ""


def _fields(file: h5py.File) -> h5py.Group:
    grids = file.get("HDFEOS/GRIDS")
    names = [name for name in grids if name.endswith("Grid_1km_2D")] if isinstance(grids, h5py.Group) else []
    fields = file.get(f"HDFEOS/GRIDS/{names[0]}/Data Fields") if names else None
    if not isinstance(fields, h5py.Group):
        raise UnreadableFileError(f"{Path(file.filename).name} has no 1 km grid under HDFEOS/GRIDS")
    return fields


def _plane(fields: h5py.Group, name: str, grid: SinusoidalGrid) -> h5py.Dataset:
    found = dataset(fields.file, f"{fields.name}/{name}")
    if found.shape != grid.shape:
        file = Path(fields.file.filename).name
        raise UnreadableFileError(f"{file}: {name} is {found.shape}, a tile has {grid.shape}")
    return found


def _reflectance(source: h5py.Dataset, window: tuple[slice, slice]) -> Plane:
    raw = read_part(source, window)
    values: Plane = raw * np.float32(_scale(source))
    values[(raw < _VALID[0]) | (raw > _VALID[1])] = np.nan
    check_plane(values, "reflectance", name_of(source))
    return values


def _angle(source: h5py.Dataset, window: tuple[slice, slice]) -> Plane:
    raw = read_part(source, window)
    values: Plane = raw * np.float32(_scale(source))
    values[raw < 0] = np.nan
    check_plane(values, "angle", name_of(source))
    values[values > BOUNDS["angle"].greatest] = np.nan
    return values


def _scale(source: h5py.Dataset) -> float:
    """Return the factor of a band; some collections write the reciprocal (10000), as MODIS did."""
    scale = scale_of(number(source, ("scale_factor", "Scale")), name_of(source), "scale_factor")
    return 1 / scale if scale > 1 else scale


surface = SurfaceSource()
register(surface)
