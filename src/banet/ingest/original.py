"""The original's own datasets, one file a day, into a cube.

Files are `VIIRS750{region}_{YYYYMMDD}.nc` or `.mat` (`VIIRS375...`), with variables Red, NIR, MIR and FRP.
In the NetCDF ones a value is 100 times the quantity in uint16 (attribute `scale`), 65535 is missing
(`mask`), and FRP is log(1 + MW). In the MATLAB ones values are plain; FRP is MW in the oldest and log(1 +
MW) later, which only its range tells. Neither keeps the view zenith.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import numpy.typing as npt

from banet.cube import Cube
from banet.days import Day, as_day
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.ingest.plausible import take_away_zeros, too_bright, too_dark
from banet.io.counts import listed
from banet.io.files import PathLike, existing_folder, visible_files
from banet.io.hdf5 import dataset, number, opened
from banet.io.progress import Progress
from banet.observations.physics import check_plane
from banet.observations.planes import DayPlanes

__all__ = ["import_original"]

FrpKind = Literal["auto", "raw", "log1p"]
Plane = npt.NDArray[np.float32]

_NAME = re.compile(r"(?P<sensor>VIIRS(?:750|375))(?P<region>.*)_(?P<day>\d{8})\.(?P<suffix>(?i:mat|nc))")
_VARIABLES = ("Red", "NIR", "MIR", "FRP")
_MIR_BANDS = {"VIIRS750": "M12", "VIIRS375": "I4"}
# log(1 + 160 GW): no cell ever radiated more, so a greater value is in MW.
_MOST_LOG1P = 12.0
# With fewer cells on fire than this, all below that value, either reading is possible.
_ENOUGH_FIRES = 50
_SHOWN = 3


@dataclass(frozen=True)
class _DayFile:
    day: Day
    sensor: str
    region: str
    path: Path

    @property
    def matlab(self) -> bool:
        return self.path.suffix.lower() == ".mat"


def import_original(
    folder: PathLike,
    region: Region,
    out: PathLike,
    *,
    frp: FrpKind = "auto",
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Cube:
    """Import a folder of the original's day files into a cube, or bring such a cube up to date.

    Of a day that is there in both formats the MATLAB file is taken, since the other keeps two decimals
    only. A cell whose red, NIR and MIR are all exactly 0 was not observed; a value that no reflectance has,
    such as -9999, is missing. A file that cannot be read, or whose values mostly lie outside physics, becomes
    a recorded gap. FRP that is missing beside fires means no fire, as in the original; in a file that also
    says 0, or that holds no fire, it is missing.

    Args:
        folder: with the files, also in folders below it.
        region: whose name is in the files' names and whose grid is that of the files.
        out: the cube; made if it is not there.
        frp: what FRP in MATLAB files is: `raw` MW, `log1p`, or `auto` to tell by the greatest values.
        progress: called with (done, total, message) after each day.
        notice: called with a line on each kind of file that was left out, on what FRP was taken for, and on
            files with missing or impossible values; without it a `BanetWarning` says all but the second.

    Raises:
        NotFoundError: if the folder holds no file of this region.
        InputError: if `frp` is unknown or cannot be told, files of 750 m and 375 m are mixed, or `out` is a
            cube of something else.
        UnreadableFileError: if not one file could be read, or holds values that can be believed.
        OutputError: if the cube cannot be written.

    Warns:
        BanetWarning: without `notice`, if files were left out, or hold missing or impossible values.
    """
    files, said = _day_files(existing_folder(folder, "folder of the original's dataset"), region)
    raw, told = _frp_is_raw(files, frp)
    if notice is not None and told:
        notice(told)
    sensor = files[0].sensor
    cube = _cube(out, region, mir_band=_MIR_BANDS[sensor])
    broken, odd = list[str](), list[str]()
    with cube.writing():
        for done, file in enumerate(files, 1):
            message = f"{file.day} {file.path.name}"
            try:
                planes, power, notes = _read(file, region, raw=raw)
                cube.write_day(file.day, planes, power, notes=notes)
                odd += [f"{file.path.name}: {note}" for note in notes]
            except (UnreadableFileError, InputError) as error:  # InputError: values that no cube can hold
                broken.append(str(error))
                message = f"{file.day} gap: {error}"
                if file.day not in cube.days:  # what was imported once is not lost with its file
                    cube.record_gap(file.day, [str(error)])
            if progress is not None:
                progress(done, len(files), message)
    if len(broken) == len(files):
        raise UnreadableFileError(f"no file of {folder} can be read; the first: {broken[0]}")
    for line in [*said, *([listed(odd, _SHOWN)] if odd else [])]:
        if notice is None:
            warnings.warn(line, BanetWarning, stacklevel=2)
        else:
            notice(line)
    return cube


def _day_files(folder: Path, region: Region) -> tuple[list[_DayFile], list[str]]:
    """Find one file a day, in order, and say which others of the region are left out."""
    found, no_days = [], list[str]()
    for path in visible_files(folder):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            try:
                found.append(_DayFile(as_day(match["day"]), match["sensor"], match["region"], path))
            except InputError:  # eight digits that are no day
                no_days += [path.name] if match["region"] == region.name else []
    mine = [file for file in found if file.region == region.name]
    if not mine:
        others = ", ".join(sorted({file.region for file in found}))
        what = f"files of region {others}" if others else "no VIIRS750{region}_{YYYYMMDD} .nc or .mat file"
        raise NotFoundError(f"{folder} holds no file of region {region.name}; it holds {what}")
    sensors = sorted({file.sensor for file in mine})
    if len(sensors) > 1:
        raise InputError(f"{folder} holds files of {' and '.join(sensors)}; import one folder of each")
    by_day: dict[Day, _DayFile] = {}
    twice, other_kind = list[str](), list[str]()
    for file in sorted(mine, key=lambda file: (file.matlab, str(file.path))):
        before = by_day.get(file.day)
        if before is not None:
            kind = twice if before.matlab == file.matlab else other_kind
            kind.append(str(before.path.relative_to(folder)))
        by_day[file.day] = file
    left_out = {"whose names say no day": no_days, "of days of which others are taken": twice}
    left_out["of days of which .mat files are taken"] = other_kind
    said = [
        f"{len(names)} files left out {why}: {listed(names, _SHOWN)}"
        for why, names in left_out.items()
        if names
    ]
    return [by_day[day] for day in sorted(by_day)], said


def _frp_is_raw(files: list[_DayFile], frp: str) -> tuple[bool, str]:
    """Tell whether FRP in the folder's MATLAB files is in MW, and say so if its values tell it.

    The original wrote MW at first and log(1 + MW) later. So a file before one that is in MW is too, and many
    fires after the last one, none above what a logarithm reaches, are likely of the other kind.
    """
    if frp not in ("auto", "raw", "log1p"):
        raise InputError(f"frp is {frp!r}; it may be auto, raw or log1p")
    if frp != "auto":
        return frp == "raw", ""
    fires, greatest, last, later = 0, 0.0, None, list[_DayFile]()
    for file in (file for file in files if file.matlab):
        try:
            values = _matlab(file.path, ("FRP",))["FRP"]
        except UnreadableFileError:  # it becomes a gap when the day's turn comes
            continue
        burning = values[values > 0]
        greatest = max(greatest, float(burning.max(initial=0)))
        if burning.max(initial=0) > _MOST_LOG1P:
            fires, last, later = 0, file, []
        elif burning.size:
            fires += burning.size
            later.append(file)
    if last is not None and fires >= _ENOUGH_FIRES:
        raise InputError(
            f"FRP is in MW in .mat files up to {last.path.name} and likely log(1 + MW) in {len(later)} from "
            f"{later[0].path.name} on; import folders of one kind each, with --frp raw and --frp log1p"
        )
    if last is None and 0 < fires < _ENOUGH_FIRES:
        raise InputError(
            f"FRP of {fires} cells, at most {greatest:g}, may be MW or log(1 + MW); "
            "say frp='raw' or frp='log1p' (--frp)"
        )
    kind = "log(1 + MW)" if last is None else "MW"
    return (
        last is not None,
        f"FRP in .mat files, at most {greatest:g}, is taken for {kind}" if greatest else "",
    )


def _cube(out: PathLike, region: Region, mir_band: str) -> Cube:
    path = Path(out)
    if not path.exists():
        return Cube.create(path, region, sensor="VIIRS S-NPP", mir_band=mir_band)
    cube = Cube.open(path)
    if cube.region != region or cube.mir_band != mir_band:
        raise InputError(
            f"the cube {path} is of region {cube.region.name} with {cube.mir_band} in the MIR slot, "
            f"the files are of {region.name} with {mir_band}; choose another name"
        )
    return cube


def _read(file: _DayFile, region: Region, *, raw: bool) -> tuple[DayPlanes, Plane, list[str]]:
    """Read the planes and FRP of a day, and lines on what of it is missing or impossible."""
    planes = _matlab(file.path, _VARIABLES) if file.matlab else _netcdf(file.path, _VARIABLES)
    for name, plane in planes.items():
        if plane.shape != region.shape:
            raise UnreadableFileError(
                f"{file.path.name}: {name} has {plane.shape} cells, region {region.name} has {region.shape}"
            )
    red, nir, mir, frp = (planes[name] for name in _VARIABLES)
    if file.matlab:
        take_away_zeros(red, nir, mir)
    notes = [note for name in _VARIABLES[:3] for note in _take_away_impossible(planes[name], name, file)]
    if not (frp > 0).any() and np.isnan(frp).any():
        notes.append(f"{int(np.isnan(frp).sum())} cells of FRP are missing, and none burns")
    elif not (frp == 0).any():
        frp[np.isnan(frp)] = 0
    frp[np.isinf(frp)] = np.nan
    power = frp if raw and file.matlab else np.expm1(frp)
    seen = np.isfinite(red) & np.isfinite(nir) & np.isfinite(mir)
    view_zenith = np.full(region.shape, np.nan, np.float32)
    day = DayPlanes(red, nir, mir, view_zenith, seen.astype(np.uint8), inputs=(file.path.name,))
    return day, np.asarray(power, np.float32), notes


def _take_away_impossible(plane: Plane, name: str, file: _DayFile) -> list[str]:
    """Make missing, in place, what no reflectance can be, and say so.

    Raises:
        UnreadableFileError: if most values lie outside physics.
    """
    dark = too_dark(plane)
    plane[dark] = np.nan
    try:
        check_plane(plane, "reflectance", f"{file.path.name}: {name}")
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{error}; are values 100 times reflectance?") from error
    odd = dark | too_bright(plane)
    plane[odd] = np.nan
    return [f"{int(odd.sum())} cells of {name} are no reflectance, and missing"] if odd.any() else []


def _netcdf(path: Path, names: tuple[str, ...]) -> dict[str, Plane]:
    with opened(path) as file:
        return {name: _unpacked(dataset(file, name)) for name in names}


def _unpacked(source: h5py.Dataset) -> Plane:
    stored = source[()]
    values: Plane = stored.astype(np.float32)
    values /= np.float32(number(source, ("scale",), 100.0))
    values[stored == number(source, ("mask",), 65535.0)] = np.nan
    return values


def _matlab(path: Path, names: tuple[str, ...]) -> dict[str, Plane]:
    """Read variables of a MATLAB file of either kind; the HDF5 one keeps them transposed."""
    if h5py.is_hdf5(path):
        with opened(path) as file:
            return {name: np.array(dataset(file, name)[()].T, np.float32) for name in names}
    found = _matlab5(path, names)
    lacking = [name for name in names if name not in found]
    if lacking:
        raise UnreadableFileError(f"{path.name} lacks {', '.join(lacking)}")
    return found


def _matlab5(path: Path, names: tuple[str, ...]) -> dict[str, Plane]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    # What the reader of a damaged file raises is not documented: errors of zlib and struct, and Python's own.
    damage = (MatReadError, zlib.error, struct.error, OSError, ValueError, TypeError, LookupError, EOFError)
    try:
        found = loadmat(path, variable_names=list(names))
        return {name: np.array(found[name], np.float32) for name in names if name in found}
    except (*damage, ArithmeticError, RuntimeError, MemoryError) as error:
        raise UnreadableFileError(f"{path.name} is no MATLAB file, or is damaged; copy it again") from error
