"""The cube: daily planes of one region in one Zarr store, written so that a killed process does no harm.

A day is written into a free slot, file by file, then its record; it counts only when the array `time` names
it, and `time` is one chunk that one rename replaces. A day that is written again goes into another slot, and
the same rename drops the old one. So whatever moment a process is killed at, every listed day is whole.
(Nothing is forced from memory to disk: a power cut may leave a damaged file, which reading tells.)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.cube.chunks import pack, put_file
from banet.cube.day import pack_day
from banet.cube.layout import AXES, NO_WATER, WATER, create_store
from banet.cube.metadata import read_root
from banet.cube.records import DayRecord
from banet.cube.view import CubeView
from banet.cube.withheld import NOTHING, Input, Withheld
from banet.days import as_day
from banet.errors import BusyError, InputError, OutputError, UnreadableFileError
from banet.grid.labelled import plane_on
from banet.grid.region import Region
from banet.io.files import PathLike, writing
from banet.io.lock import Lock, lock
from banet.io.versions import version
from banet.observations.planes import DayPlanes

__all__ = ["Cube", "open_cube"]


class Cube(CubeView):
    """Daily planes of a region, for reading and for adding to; attributes as of `CubeView`."""

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
        """Describe a store that is there already; use `Cube.create` or `Cube.open`."""
        super().__init__(path, region, sensor=sensor, mir_band=mir_band, flags=flags, withheld=withheld)
        self._lock = Lock(self.path, f"the cube {self.path}")

    def __reduce__(self) -> tuple[Any, ...]:
        # A cube travels to another process as its path: locks and open files stay at home.
        return _opened, (str(self.path.absolute()), self.withheld)

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
            InputError: if there is something at `path` already, sensor or band are no text, or a flag plane
                cannot be named so.
            BusyError: if another run is making it.
            OutputError: if it cannot be written.
        """
        target = Path(path)
        for what, text in (("sensor", sensor), ("mir_band", mir_band)):
            if not isinstance(text, str):
                raise InputError(f"{what} is text, such as 'VIIRS S-NPP' or 'M12'; found {text!r}")
        if target.exists():
            raise InputError(f"{target} is there already; open it, or choose another name")
        with lock(target, f"the cube {target}"):
            if target.exists():
                raise BusyError(f"another run has just made the cube {target}; start this one again")
            with writing(target) as part:
                create_store(
                    part,
                    region,
                    sensor=sensor,
                    mir_band=mir_band,
                    version=version() or "unknown",
                    flags=tuple(flags),
                )
        return cls(target, region, sensor=sensor, mir_band=mir_band, flags=flags)

    @classmethod
    def open(cls, path: PathLike) -> Cube:
        """Open a cube.

        Raises:
            NotFoundError: if there is nothing at `path`.
            UnreadableFileError: if it is no cube, or one of another format.
            CorruptError: if its metadata are damaged.
        """
        attributes = read_root(Path(path))["attributes"]
        return cls(
            path,
            Region.from_dict(attributes["region"]),
            sensor=attributes["sensor"],
            mir_band=attributes["mir_band"],
            flags=tuple(attributes["flags"]),
        )

    def without(self, *inputs: Input, days: Iterable[Any] = ()) -> Cube:
        """Return a cube of the same store that shows less; it cannot be written to.

        Args:
            inputs: `hotspots` shows no fire on any day (FRP 0), `images` no reflectance, view angle or
                overpass.
            days: shown as if the cube lacked them; one day alone may be text.

        Raises:
            InputError: if an input has another name, or a day is none.
        """
        withheld = self.withheld.also(inputs, frozenset(as_day(day) for day in _each(days)))
        if withheld == self.withheld:
            return self
        return Cube(
            self.path,
            self.region,
            sensor=self.sensor,
            mir_band=self.mir_band,
            flags=self.flags,
            withheld=withheld,
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to write, across several writes.

        Raises:
            InputError: if this cube shows less than its store.
            BusyError: if another run has it.
        """
        if self.withheld:
            raise InputError(f"{self!r} shows less than its store; open {self.path} to write to it")
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
        packed = pack_day(wanted, planes, frp, self.region, self._variables, _each(notes), fingerprint)
        with self.writing(), _writes(self.path):
            return self._slots.write(wanted, packed)

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
        record = DayRecord(day=str(wanted), gaps=tuple(_each(reasons)), fingerprint=fingerprint)
        with self.writing(), _writes(self.path):
            return self._slots.write_gap(wanted, record)

    def set_water(self, mask: npt.ArrayLike) -> None:
        """Store where water is.

        Args:
            mask: (rows, columns) bool; a `DataArray` is turned by its coordinates.

        Raises:
            InputError: if the mask is on another grid.
            BusyError: if another run is writing.
            OutputError: if the store cannot be written to.
        """
        values = plane_on(self.region, mask, "the water mask")
        if values.shape != self.region.shape or values.dtype != np.bool_:
            raise InputError(f"the water mask is {values.dtype} {values.shape}, not bool {self.region.shape}")
        with self.writing(), _writes(self.path):
            put_file(self.path / WATER, pack(values.astype(np.uint8)))

    def mend_grid(self) -> None:
        """Write coordinates that are damaged again, and forget a water mask that is.

        Raises:
            BusyError: if another run is writing.
            OutputError: if the store cannot be written to.
        """
        with self.writing(), _writes(self.path):
            for name in self.damage_of_grid():
                if name == "water":
                    put_file(self.path / WATER, pack(np.full(self.region.shape, NO_WATER, np.uint8)))
                else:
                    axis = np.asarray(getattr(self.region, f"{name}s"), "<f8")
                    put_file(self.path / AXES[name], pack(axis))


def open_cube(path: PathLike | Cube) -> Cube:
    """Open a cube; see `Cube.open`. One that is open is returned as it is.

    Raises:
        InputError: if it is something else.
    """
    if isinstance(path, (str, os.PathLike)):
        return Cube.open(path)
    if not callable(getattr(path, "read", None)):
        raise InputError(f"a {type(path).__name__} is neither a cube nor the path of one")
    return path


def _each(texts: Any) -> Any:
    """Return several texts as they are, and one alone as several: it is no row of letters."""
    return (texts,) if isinstance(texts, str) else texts


def _opened(path: str, withheld: Withheld) -> Cube:
    return Cube.open(path).without(*withheld.inputs, days=withheld.days)


@contextlib.contextmanager
def _writes(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, (OutputError, UnreadableFileError)):
            raise
        raise OutputError(f"cannot write to the cube {path}: {error.strerror or error}") from error
