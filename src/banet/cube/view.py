"""View of a cube without some of what it holds, which has a content key of its own."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from banet.cube.blocks import block_of, check_names, read_blocks
from banet.cube.chunks import read_packed
from banet.cube.damage import damage_of_day
from banet.cube.info import CubeInfo, coverage_of, ranges_of, satellites_of
from banet.cube.layout import AXES, NO_WATER, WATER
from banet.cube.metadata import read_root, store_id
from banet.cube.records import DayRecord
from banet.cube.shards import Place, ShardReader
from banet.cube.slots import Slots
from banet.cube.variables import VARIABLES, flag_plane
from banet.cube.window import CubeWindow
from banet.cube.withheld import NOTHING, Withheld
from banet.cube.xarrays import open_dataset
from banet.days import Day, Days, as_day, day_range
from banet.errors import CorruptError, InputError, UnreadableFileError
from banet.grid.display import locator
from banet.grid.region import Region
from banet.io.counts import listed
from banet.io.files import PathLike, visible_files
from banet.io.tables import facts_html

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CubeView"]

_REFLECTANCES = frozenset({"red", "nir", "mir"})
_T = TypeVar("_T")
_ATTEMPTS = 10
_SHOWN_GAPS = 5


class CubeView:
    """Daily planes of a region, for reading.

    Attributes:
        path: of the Zarr store.
        region: the grid.
        sensor: what observed, such as `VIIRS S-NPP`.
        mir_band: what sits in the MIR slot, such as `M12`.
        flags: names of the quality planes that are kept.
        withheld: what the store holds and this cube does not show; see `without`.
    """

    def __init__(
        self,
        path: PathLike,
        region: Region,
        *,
        sensor: str,
        mir_band: str,
        flags: Sequence[str] = (),
        withheld: Withheld = NOTHING,
    ) -> None:
        """Describe a store that is there already."""
        self.path = Path(path)
        self.region = region
        self.sensor = sensor
        self.mir_band = mir_band
        self.flags = tuple(flags)
        self.withheld = withheld
        self._variables = {**VARIABLES, **{name: flag_plane(name) for name in self.flags}}
        store = store_id(region, sensor, mir_band, self.flags)
        self._reader = ShardReader(self.path, region.shape, store, self._variables)
        self._slots = Slots(self.path, store, self._variables)

    def __repr__(self) -> str:
        name, days = self.region.name, len(self.days)
        less = f", without {self.withheld}" if self.withheld else ""
        shown = f"region={name}, sensor={self.sensor!r}, {days} days{less}"
        return f"{type(self).__name__}({str(self.path)!r}, {shown})"

    def _repr_html_(self) -> str:
        days, gaps = self.days, self.gaps
        lacking = listed((f"{day}: {'; '.join(reasons)}" for day, reasons in gaps.items()), _SHOWN_GAPS)
        rows = {
            "days": f"{len(days)}, {days[0]} to {days[-1]}" if len(days) else "none yet",
            "gaps": f"{len(gaps)} days; {lacking}" if gaps else "none",
            "extent": self.region.extent,
            "sensor": f"{self.sensor}; MIR slot {self.mir_band}",
            "flags": ", ".join(self.flags),
            "without": str(self.withheld),
        }
        return facts_html(f"Cube of region {self.region.name}", rows, locator(self.region.bbox))

    @property
    def days(self) -> Days:
        """The days that are there, sorted, (n,) datetime64[D]; each is whole."""
        days = np.array(sorted(self._slots.days()), "int64").astype("datetime64[D]")
        return days[~np.isin(days, [*self.withheld.days])] if self.withheld.days else days

    @property
    def gaps(self) -> dict[Day, tuple[str, ...]]:
        """Days with something missing, and why: those not there at all, and those that lack a part."""
        return {day: gaps for day, gaps in self._slots.gaps().items() if day not in self.withheld.days}

    def record(self, day: Any) -> DayRecord | None:
        """Return what the cube remembers of a day, also of a gap; None if it knows nothing of it.

        Raises:
            CorruptError: if the record is damaged.
        """
        wanted = as_day(day)
        record = None if wanted in self.withheld.days else self._slots.record(wanted)
        return record and self.withheld.record(record, self._cells)

    def content_key(self, days: Days | None = None) -> str:
        """Return a hash of all that the cube shows of some days: equal keys, equal windows.

        Args:
            days: (n,) datetime64[D]; all days of the cube by default.
        """
        shown = self.days if days is None else np.intersect1d(days, self.days)
        records = {str(day): self.record(day) for day in shown}
        content = {day: record.content for day, record in records.items() if record is not None}
        about = [self.region.to_dict(), self.sensor, self.mir_band, list(self.withheld.inputs), content]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @property
    def water(self) -> npt.NDArray[np.bool_] | None:
        """Water mask, (rows, columns) bool; None if nobody has said.

        Raises:
            CorruptError: if the file of it is damaged.
        """
        stored = np.empty(self.region.shape, np.uint8)
        read_packed(self.path / WATER, stored, "water mask", "see `banet cube check`")
        return None if (stored == NO_WATER).all() else stored == 1

    def info(self) -> CubeInfo:
        """Return a summary, from what was remembered when each day was written."""
        days = self.days
        records = self._records(days)
        return CubeInfo(
            self.region,
            self.sensor,
            self.mir_band,
            tuple(days),
            self.gaps,
            coverage_of(records, self._cells),
            ranges_of(records),
            sum(file.stat().st_size for file in visible_files(self.path)),
            satellites=satellites_of(records),
            flags=self.flags,
        )

    def ranges(self, days: Days) -> dict[str, tuple[float, float]]:
        """Return the smallest and the largest value of each variable on some days, as remembered of them.

        Args:
            days: (n,) datetime64[D]; those that the cube lacks, and variables without a value, are left out.
        """
        return ranges_of(self._records(np.intersect1d(days, self.days)))

    def has_images(self, day: Day) -> bool:
        """Return whether a day has a value of a reflectance somewhere, as remembered; True where damaged."""
        return bool(_REFLECTANCES & self._told(day).keys())

    def tells(self, day: Day) -> bool:
        """Return whether a day has an image or a fire, as remembered; True where that is damaged."""
        told = self._told(day)
        return bool(_REFLECTANCES & told.keys()) or told.get("frp", (0.0, 0.0))[1] > 0

    def _told(self, day: Day) -> dict[str, tuple[float, float]]:
        """Return the range of each variable of a day; that of all reflectances where its record is damaged.

        Whoever reads the planes tells of the damage.
        """
        try:
            return self.ranges(np.array([day]))
        except CorruptError:
            return dict.fromkeys(_REFLECTANCES, (0.0, 0.0))

    def _records(self, days: Days) -> list[DayRecord]:
        return [record for day in days if (record := self.record(day)) is not None]

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
            CorruptError: if a file of the store is damaged, missing or of another day.
        """
        days = day_range(start, stop)
        if not len(days):
            raise InputError(f"no day from {start} to {stop}; give a later stop (it is not included)")
        box = (block_of("rows", rows, self.region.shape[0]), block_of("cols", cols, self.region.shape[1]))
        given = {} if into is None else into
        wanted = set(VARIABLES if variables is None else variables) | given.keys()
        check_names(wanted, flags, self.flags, self.path)
        wanted |= set(flags)
        blocks = self._steady(
            days,
            lambda places: read_blocks(self._reader, places, len(days), box, wanted, given, self.withheld),
        )
        kept = {name: blocks.pop(name) for name in flags}
        return CubeWindow(region=self.region.window(*box), days=days, **blocks, flags=kept)

    def to_xarray(self) -> xr.Dataset:
        """Return the cube as a dataset in physical units, sorted by time, read when it is used.

        With dask installed its arrays are dask's, one block a day; without, xarray's own lazy ones. What is
        damaged raises a `ValueError` of zarr when it is read.

        Raises:
            CorruptError: if metadata, or a plane's file as a whole, are damaged, missing or of another day.
        """
        read_root(self.path)
        places = self._places(self.days)  # before the arrays are opened: those only grow
        self._reader.check(places, tuple(self._variables))
        return open_dataset(self.path, self._variables, [slot for _, slot, _ in places], self.withheld)

    def damage(self) -> dict[Day, str]:
        """Read all that is stored and return what is wrong with each day that is damaged."""
        return {
            day: told
            for day in self._slots.known()
            if (told := damage_of_day(self._slots, self._reader, day)) is not None
        }

    def damage_of_grid(self) -> dict[str, str]:
        """Return what is wrong with the water mask and the coordinates, by their names."""
        found = {}
        for name, file in {"water": WATER, **AXES}.items():
            try:
                if name == "water":
                    _ = self.water
                    continue
                axis = np.asarray(getattr(self.region, f"{name}s"), "<f8")
                stored = np.empty_like(axis)
                read_packed(self.path / file, stored, name, "see `banet cube check`")
                if not np.array_equal(stored, axis):
                    found[name] = f"the cube's {name} {self.path / file} is not that of its region"
            except CorruptError as error:
                found[name] = str(error)
        return found

    @property
    def _cells(self) -> int:
        return self.region.shape[0] * self.region.shape[1]

    def _steady(self, days: Days, read: Callable[[list[Place]], _T]) -> _T:
        """Read, and again if another process meanwhile moved one of these days to another slot."""
        for attempt in range(_ATTEMPTS):
            places = self._places(days)
            try:
                result = read(places)
            except UnreadableFileError:
                if self._places(days) == places:
                    raise
            else:
                if self._places(days) == places:
                    return result
            time.sleep(0.05 * attempt)
        raise UnreadableFileError(
            f"the cube {self.path} keeps changing while it is read; wait for its writer to end"
        )

    def _places(self, days: Days) -> list[Place]:
        slots, hidden = self._slots.days(), {int(day.astype(np.int64)) for day in self.withheld.days}
        numbers = days.astype(np.int64).tolist()
        return [
            (place, slots[number], number)
            for place, number in enumerate(numbers)
            if number in slots and number not in hidden
        ]
