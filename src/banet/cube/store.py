"""The cube: daily planes of one region in one Zarr store, written so that a killed process does no harm.

A day is written into a free slot, file by file, then its record; it counts only when the array `time` names
it, and `time` is one chunk that one rename replaces. A day that is written again goes into another slot, and
the same rename drops the old one. So whatever moment a process is killed at, every listed day is whole.
(Nothing is forced from memory to disk: a power cut may leave a damaged file, which reading tells.)
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import zarr

from banet.cube.layout import FORMAT, NO_FLAG, NO_WATER, VARIABLES, create_store, flag_plane
from banet.cube.records import DayRecord, content_hash, read_record, summarise, write_record
from banet.cube.shards import ShardReader
from banet.cube.slots import Slots
from banet.cube.window import CubeInfo, CubeWindow
from banet.days import Day, Days, as_day, day_range
from banet.errors import BusyError, InputError, NotFoundError, OutputError, UnreadableFileError
from banet.grid.region import Region
from banet.io.files import PathLike, writing
from banet.io.lock import Lock, lock
from banet.observations.planes import DayPlanes

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Cube", "open_cube"]

_T = TypeVar("_T")
_ATTEMPTS = 10


class Cube:
    """Daily planes of a region.

    Attributes:
        path: of the Zarr store.
        region: the grid.
        sensor: what observed, such as `VIIRS S-NPP`.
        mir_band: what sits in the MIR slot, such as `M12`.
        flags: names of the quality planes that are kept.
    """

    def __init__(
        self, path: PathLike, region: Region, *, sensor: str, mir_band: str, flags: Sequence[str] = ()
    ) -> None:
        """Describe a store that is there already; use `Cube.create` or `Cube.open`."""
        self.path = Path(path)
        self.region = region
        self.sensor = sensor
        self.mir_band = mir_band
        self.flags = tuple(flags)
        self._variables = {**VARIABLES, **{name: flag_plane(name) for name in self.flags}}
        self._reader = ShardReader(self.path, region.shape, self._variables)
        self._lock = Lock(self.path, f"the cube {self.path}")
        self._slots = Slots(self.path, region.shape, tuple(self._variables))

    def __reduce__(self) -> tuple[Any, ...]:
        # A cube travels to another process as its path: locks and open files stay at home.
        return Cube.open, (str(self.path.absolute()),)

    def __repr__(self) -> str:
        name, days = self.region.name, len(self.days)
        return f"Cube({str(self.path)!r}, region={name}, sensor={self.sensor!r}, {days} days)"

    @classmethod
    def create(
        cls, path: PathLike, region: Region, *, sensor: str, mir_band: str, flags: Sequence[str] = ()
    ) -> Cube:
        """Make an empty cube.

        Args:
            path: of the store.
            region: the grid.
            sensor: what observes.
            mir_band: what sits in the MIR slot.
            flags: names of the quality planes of the product that are to be kept.

        Raises:
            InputError: if there is something at `path` already, or a flag plane cannot be named so.
            BusyError: if another run is making it.
            OutputError: if it cannot be written.
        """
        target = Path(path)
        if target.exists():
            raise InputError(f"{target} is there already; open it, or choose another name")
        with lock(target, f"the cube {target}"):
            if target.exists():
                raise BusyError(f"another run has just made the cube {target}; start this one again")
            with writing(target) as part:
                create_store(
                    part, region, sensor=sensor, mir_band=mir_band, version=_version(), flags=tuple(flags)
                )
        return cls(target, region, sensor=sensor, mir_band=mir_band, flags=flags)

    @classmethod
    def open(cls, path: PathLike) -> Cube:
        """Open a cube.

        Raises:
            NotFoundError: if there is nothing at `path`.
            UnreadableFileError: if it is no cube, or one of a later format.
        """
        folder = Path(path)
        if not folder.exists():
            raise NotFoundError(f"the cube {folder} does not exist; build it with `banet cube build`")
        try:
            attributes = dict(zarr.open_group(folder, mode="r").attrs)
        except (OSError, ValueError, KeyError) as error:
            raise UnreadableFileError(f"{folder} is not a cube (no Zarr store): {error}") from error
        if not {"banet_cube", "region", "sensor", "mir_band"} <= attributes.keys():
            raise UnreadableFileError(f"{folder} is a Zarr store but not a cube of banet")
        if attributes["banet_cube"] != FORMAT:
            found = attributes["banet_cube"]
            raise UnreadableFileError(
                f"the cube {folder} has format {found}, this version reads {FORMAT}; upgrade banet"
            )
        region = Region.from_dict(attributes["region"])  # type: ignore[arg-type]
        return cls(
            folder,
            region,
            sensor=str(attributes["sensor"]),
            mir_band=str(attributes["mir_band"]),
            flags=tuple(attributes.get("flags", ())),  # type: ignore[arg-type]
        )

    # What is there.

    @property
    def days(self) -> Days:
        """The days that are there, sorted, (n,) datetime64[D]; each is whole."""
        return np.array(sorted(self._slots.days()), "int64").astype("datetime64[D]")

    @property
    def gaps(self) -> dict[Day, tuple[str, ...]]:
        """Days with something missing, and why: those not there at all, and those that lack a part."""
        slots = self._slots.days()
        found: dict[Day, tuple[str, ...]] = {}
        for number, slot in slots.items():
            gaps = read_record(self._slots.record_path(slot)).gaps
            if gaps:
                found[np.datetime64(number, "D")] = gaps
        for file in (self.path / "time" / "gaps").glob("*.json"):
            day = as_day(file.stem)
            if _number(day) not in slots:
                found[day] = read_record(file).gaps
        return {day: found[day] for day in sorted(found)}

    def record(self, day: Any) -> DayRecord | None:
        """Return what the cube remembers of a day, also of a gap; None if it knows nothing of it."""
        wanted = as_day(day)
        slot = self._slots.days().get(_number(wanted))
        if slot is not None:
            return read_record(self._slots.record_path(slot))
        file = self._gap_path(wanted)
        return read_record(file) if file.is_file() else None

    @property
    def water(self) -> npt.NDArray[np.bool_] | None:
        """Where water is, (rows, columns) bool; None if nobody has said."""
        stored = np.asarray(zarr.open_array(self.path / "water", mode="r")[:])
        return None if (stored == NO_WATER).all() else stored == 1

    def info(self) -> CubeInfo:
        """Return a summary, from what was remembered when each day was written."""
        slots = self._slots.days()
        records = [read_record(self._slots.record_path(slot)) for slot in slots.values()]
        cells = self.region.shape[0] * self.region.shape[1] * max(1, len(records))
        coverage, ranges = {}, {}
        for name in VARIABLES:
            summaries = [record.summaries[name] for record in records]
            coverage[name] = sum(summary.cells for summary in summaries) / cells
            lows = [summary.low for summary in summaries if summary.low is not None]
            highs = [summary.high for summary in summaries if summary.high is not None]
            if lows:
                ranges[name] = (min(lows), max(highs))
        size = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        seen = Counter(name for record in records for name in record.satellites)
        return CubeInfo(
            self.region,
            self.sensor,
            self.mir_band,
            tuple(self.days),
            self.gaps,
            coverage,
            ranges,
            size,
            satellites=dict(sorted(seen.items())),
            flags=self.flags,
        )

    # Reading.

    def read(
        self,
        start: Any,
        stop: Any,
        rows: slice = slice(None),
        cols: slice = slice(None),
        *,
        variables: Sequence[str] | None = None,
        flags: Sequence[str] = (),
        into: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> CubeWindow:
        """Read a block of days and cells.

        Args:
            start: first day.
            stop: the day after the last; days that the cube lacks come as missing.
            rows: slice without a step.
            cols: slice without a step.
            variables: those to read; the others come as missing and take no memory. All by default.
            flags: quality planes to read too.
            into: arrays (T, rows, columns) float32 to read some variables into, which the window then holds;
                what they held is lost.

        Raises:
            InputError: if the block is empty, a variable or flag is unknown, or an array does not fit.
            UnreadableFileError: if a file of the store is damaged.
        """
        days = day_range(start, stop)
        if not len(days):
            raise InputError(f"no day from {start} to {stop}; give a later stop (it is not included)")
        box = (_block("rows", rows, self.region.shape[0]), _block("cols", cols, self.region.shape[1]))
        given = {} if into is None else into
        wanted = set(VARIABLES if variables is None else variables) | given.keys()
        unknown = ", ".join(sorted(wanted - VARIABLES.keys()))
        if unknown:
            raise InputError(f"no variable {unknown}; there are {', '.join(VARIABLES)}")
        lacking = ", ".join(sorted(set(flags) - set(self.flags)))
        if lacking:
            raise InputError(f"no flags {lacking} in {self.path}; it keeps {', '.join(self.flags) or 'none'}")
        wanted |= set(flags)
        blocks = self._steady(days, lambda slots: self._read_blocks(slots, len(days), box, wanted, given))
        kept = {name: blocks.pop(name) for name in flags}
        return CubeWindow(region=self.region.window(*box), days=days, **blocks, flags=kept)

    def _read_blocks(
        self,
        slots: list[tuple[int, int]],
        length: int,
        box: tuple[slice, slice],
        wanted: set[str],
        given: Mapping[str, npt.NDArray[np.float32]],
    ) -> dict[str, npt.NDArray[Any]]:
        shape = (length, *(part.stop - part.start for part in box))
        blocks: dict[str, npt.NDArray[Any]] = {}
        for name in VARIABLES:
            dtype, missing = (np.uint8, 0) if name == "count" else (np.float32, np.nan)
            if name in given:
                blocks[name] = _emptied(name, given[name], shape, dtype, missing)
            elif name in wanted:
                blocks[name] = np.full(shape, missing, dtype)
            else:
                blocks[name] = np.broadcast_to(np.array(missing, dtype), shape)
        blocks |= {name: np.full(shape, NO_FLAG, np.uint8) for name in wanted - VARIABLES.keys()}
        self._reader.read(slots, box, {name: blocks[name] for name in wanted})
        return blocks

    def to_xarray(self) -> xr.Dataset:
        """Return the cube as a dataset in physical units, sorted by time, read when it is used.

        With dask installed its arrays are dask's, one block a day; without, xarray's own lazy ones.
        """
        import importlib.util

        import xarray as xr

        slots = self._slots.days()  # before the arrays are opened: those only grow
        whole_days = {"time": 1, "latitude": -1, "longitude": -1}
        chunks = whole_days if importlib.util.find_spec("dask") else None
        ds = xr.open_zarr(self.path, consolidated=True, chunks=chunks, decode_cf=False)
        for variable in VARIABLES.values():
            if variable.scale:  # JSON knows no float32, and xarray decodes to the type of the scale
                ds[variable.name].attrs["scale_factor"] = np.float32(variable.scale)
        ds = xr.decode_cf(ds, decode_coords="all")
        return ds[[*self._variables, "water"]].isel(time=[slots[day] for day in sorted(slots)])

    # Writing.

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to write, across several writes.

        Raises:
            BusyError: if another run has it.
        """
        with self._lock.held():
            yield

    def write_day(
        self,
        day: Any,
        planes: DayPlanes,
        frp: npt.NDArray[np.floating[Any]] | None,
        *,
        notes: Sequence[str] = (),
        fingerprint: str = "",
    ) -> bool:
        """Write a day, in place of what was there of it.

        Args:
            day: UTC.
            planes: red, NIR, MIR, view zenith and count, and of the flags those that the cube keeps.
            frp: fire radiative power, (rows, columns) MW, 0 where no fire was; None if no hot spots were
                read.
            notes: lines to remember.
            fingerprint: of the inputs, to remember.

        Returns:
            whether anything changed; a day that is there already, identical, is left alone.

        Raises:
            InputError: if the planes are on another grid, or hold an infinite or impossible value.
            BusyError: if another run is writing.
            OutputError: if the store cannot be written to.
        """
        wanted = as_day(day)
        physical = self._physical(wanted, planes, frp)
        stored, clipped = {}, []
        for name, plane in physical.items():
            stored[name], beyond = self._variables[name].pack(plane)
            if beyond:
                clipped.append(
                    f"{beyond} cells of {name} beyond what can be stored were set to the nearest that can"
                )
        lost = [name for name in planes.flags if name not in self.flags]
        if lost:
            clipped.append(f"flags {', '.join(lost)} are not kept: the cube was made without planes for them")
        record = DayRecord(
            day=str(wanted),
            inputs=tuple(planes.inputs),
            gaps=tuple(planes.gaps),
            notes=(*notes, *clipped),
            fingerprint=fingerprint,
            content=content_hash(stored),
            summaries={name: summarise(physical[name]) for name in VARIABLES},
            satellites=tuple(planes.satellites),
        )
        with self._lock.held(), _writes(self.path):
            return self._store(wanted, stored, record)

    def record_gap(self, day: Any, reasons: Sequence[str], *, fingerprint: str = "") -> bool:
        """Remember that a day could not be had, and why; a day that is there is dropped.

        Returns:
            whether anything changed.

        Raises:
            InputError: if no reason is given.
            BusyError: if another run is writing.
            OutputError: if the store cannot be written to.
        """
        wanted = as_day(day)
        if not reasons:
            raise InputError(f"the gap of {wanted} needs a reason")
        record = DayRecord(day=str(wanted), gaps=tuple(reasons), fingerprint=fingerprint)
        with self._lock.held(), _writes(self.path):
            there = _number(wanted) in self._slots.days()
            if not there and self.record(wanted) == record:
                return False
            write_record(self._gap_path(wanted), record)
            if there:
                self._slots.drop(_number(wanted))
            return True

    def set_water(self, mask: npt.NDArray[np.bool_]) -> None:
        """Store where water is.

        Raises:
            InputError: if the mask is on another grid.
            BusyError: if another run is writing.
            OutputError: if the store cannot be written to.
        """
        values = np.asarray(mask)
        if values.shape != self.region.shape or values.dtype != np.bool_:
            raise InputError(f"the water mask is {values.dtype} {values.shape}, not bool {self.region.shape}")
        with self._lock.held(), _writes(self.path):
            zarr.open_array(self.path / "water", mode="r+")[:] = values.astype(np.uint8)

    # Inside.

    def _physical(
        self, day: Day, planes: DayPlanes, frp: npt.NDArray[Any] | None
    ) -> dict[str, npt.NDArray[Any]]:
        fires = np.full(self.region.shape, np.nan, np.float32) if frp is None else np.asarray(frp)
        physical = {name: fires if name == "frp" else getattr(planes, name) for name in VARIABLES}
        silent = np.full(self.region.shape, NO_FLAG, np.uint8)
        physical |= {name: np.asarray(planes.flags.get(name, silent)) for name in self.flags}
        for name, plane in physical.items():
            if plane.shape != self.region.shape:
                raise InputError(
                    f"{day}: {name} has shape {plane.shape}, region {self.region.name} {self.region.shape}"
                )
        return physical

    def _store(self, day: Day, stored: dict[str, npt.NDArray[Any]], record: DayRecord) -> bool:
        old = self._slots.days().get(_number(day))
        if old is not None:
            known = read_record(self._slots.record_path(old))
            if known == record:
                return False
            if known.content == record.content:
                write_record(self._slots.record_path(old), record)
                return True
        self._slots.put(_number(day), stored, record)
        self._gap_path(day).unlink(missing_ok=True)
        return True

    def _steady(self, days: Days, read: Callable[[list[tuple[int, int]]], _T]) -> _T:
        """Read, and again if another process meanwhile moved one of these days to another slot."""
        for attempt in range(_ATTEMPTS):
            slots = self._places(days)
            try:
                result = read(slots)
            except UnreadableFileError:
                if self._places(days) == slots:
                    raise
            else:
                if self._places(days) == slots:
                    return result
            time.sleep(0.05 * attempt)
        raise UnreadableFileError(
            f"the cube {self.path} keeps changing while it is read; wait for its writer to end"
        )

    def _places(self, days: Days) -> list[tuple[int, int]]:
        slots = self._slots.days()
        numbers = days.astype(np.int64).tolist()
        return [(place, slots[number]) for place, number in enumerate(numbers) if number in slots]

    def _gap_path(self, day: Day) -> Path:
        return self.path / "time" / "gaps" / f"{day}.json"


def open_cube(path: PathLike) -> Cube:
    """Open a cube; see `Cube.open`."""
    return Cube.open(path)


def _number(day: Day) -> int:
    return int(day.astype(np.int64))


def _emptied(
    name: str, array: npt.NDArray[Any], shape: tuple[int, ...], dtype: type, missing: float
) -> npt.NDArray[Any]:
    if array.shape != shape or array.dtype != dtype:
        raise InputError(
            f"{name} is {np.dtype(dtype)} {shape}; cannot read it into {array.dtype} {array.shape}"
        )
    array.fill(missing)
    return array


def _block(what: str, part: slice, size: int) -> slice:
    start, stop, step = part.indices(size)
    if step != 1:
        raise InputError(f"{what} has step {step}; only whole blocks can be read")
    if stop <= start:
        raise InputError(f"{what} {part.start}:{part.stop} holds none of the {size} cells")
    return slice(start, stop)


@contextlib.contextmanager
def _writes(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, (OutputError, UnreadableFileError)):
            raise
        raise OutputError(f"cannot write to the cube {path}: {error.strerror or error}") from error


def _version() -> str:
    try:
        return importlib.metadata.version("banet")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
