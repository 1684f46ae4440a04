"""Chips from a cube and the labels of its region."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.unknown import blank, within
from banet.chips.codec import encode_target
from banet.chips.store import HEADER, ChipEntry, Chips
from banet.days import ONE_DAY, Day, as_day, day_range, period_label
from banet.errors import BanetWarning, InputError
from banet.io.files import PathLike
from banet.io.integrity import crc32c
from banet.io.progress import Progress
from banet.parallel import spread

if TYPE_CHECKING:
    from distributed import Client

    from banet.burned_area.burned_area import BurnedArea
    from banet.burned_area.dated import DatedFractions
    from banet.cube import Cube
    from banet.grid.region import Region

__all__ = ["ChipPlace", "burned_in_no_chip", "days_in_no_chip", "plan_blocks", "starts", "write_cube_chips"]

Floats = npt.NDArray[np.float32]
_MIN_BURNED = 10
_MUCH = 0.1
"""Share of cells of which the labels say nothing that is worth telling."""
_MOST = 0.5
"""Share of its cells and days that are known of a block in which nothing burned, at least."""
_DIGITS = 16
"""Of the hash of a cube's content in the entry of a chip."""


@dataclass(frozen=True)
class ChipPlace:
    """A block of a cube that may become a chip.

    Attributes:
        start: first day.
        row: of its upper left cell.
        col: of its upper left cell.
        burned_cells: cell-days with a burned fraction above 0.
    """

    start: Day
    row: int
    col: int
    burned_cells: int

    def name(self, region: str) -> str:
        """Name of the chip of this block."""
        return f"{region}-{str(self.start).replace('-', '')}-r{self.row:05d}-c{self.col:05d}"


def starts(length: int, size: int, step: int) -> list[int]:
    """Return where blocks of `size` begin so that they cover `length`; the last ends where the whole does.

    >>> starts(300, 128, 100)
    [0, 100, 172]
    """
    if length <= size:
        return [0]
    return [*range(0, length - size, step), length - size]


def plan_blocks(
    dated: DatedFractions,
    first: Day,
    stop: Day,
    *,
    days: int = 64,
    size: int = 128,
    step: int | None = None,
    day_step: int | None = None,
    min_burned_cells: int = _MIN_BURNED,
    empty_share: float = 0.2,
    seed: int = 0,
    reference: BurnedArea | None = None,
) -> tuple[ChipPlace, ...]:
    """Choose the blocks of a region worth training on: those that burned, and some that did not.

    Args:
        dated: what burned, by cell and day.
        first: first day of the period.
        stop: the day after its last.
        days: length of a block.
        size: cells a side.
        step: cells from one block to the next; None for 100, or for `size` where that is less, so that every
            cell lies in a block.
        day_step: days between blocks; None for half of `days`, so that every day lies in a block.
        min_burned_cells: a block with fewer burned cell-days counts as empty.
        empty_share: share of empty blocks among those chosen, at most.
        seed: of the choice of empty blocks.
        reference: the labels, on the grid of `dated`; blocks of which they say little are no empty ones. None
            where everything is known.

    Raises:
        InputError: if the period is shorter than a block, or a number makes no sense.

    Warns:
        BanetWarning: if blocks lie further apart in space or time than they are long: some cells or days lie
            in none.
    """
    step = min(100, size) if step is None else step
    day_step = max(1, days // 2) if day_step is None else day_step
    if min(days, size, step, day_step) < 1 or not 0 <= empty_share < 1:
        raise InputError(
            f"chips need days, size, step and day_step of at least 1 and an empty share in 0..1, found "
            f"{days}, {size}, {step}, {day_step} and {empty_share}"
        )
    period = int((stop - first) / ONE_DAY)
    if period < days:
        raise InputError(
            f"{first} to {stop - 1} are {period} days, a chip needs {days}; choose fewer days a chip"
        )
    rows, cols = dated.region.shape
    if step > size and max(rows, cols) > size:
        told = (
            f"chips of {size} cells, {step} cells apart, leave out what lies between; choose a smaller step"
        )
        warnings.warn(told, BanetWarning, stacklevel=2)
    begins = starts(period, days, day_step)
    if gaps := _left_out([first + np.timedelta64(day, "D") for day in begins], days, first, stop):
        told = f"chips of {days} days, {day_step} days apart, leave out {gaps}; choose a smaller day_step"
        warnings.warn(told, BanetWarning, stacklevel=2)
    blocks = [
        ChipPlace(
            first + np.timedelta64(day, "D"), row, col, _burned_in(dated, first, day, days, row, col, size)
        )
        for day in begins
        for row in starts(rows, size, step)
        for col in starts(cols, size, step)
    ]
    burned = [block for block in blocks if block.burned_cells >= max(1, min_burned_cells)]
    empty = [block for block in blocks if block.burned_cells < max(1, min_burned_cells)]
    if reference is not None:
        known = reference.known
        empty = [block for block in empty if _told_of(reference, known, block, days, size) >= _MOST]
    wanted = min(len(empty), round(len(burned) * empty_share / (1 - empty_share)))
    picked = np.random.default_rng(seed).permutation(len(empty))[:wanted]
    return tuple(burned + [empty[i] for i in sorted(picked)])


def _told_of(
    reference: BurnedArea, known: npt.NDArray[np.bool_], block: ChipPlace, days: int, size: int
) -> float:
    """Return the share of the cells and days of a block of which the labels say something."""
    rows, cols = _cells(reference.region, block.row, block.col, size)
    here = known[rows, cols]
    first, last = max(block.start, reference.start), min(block.start + days, reference.stop)
    told = max(int((last - first) / ONE_DAY), 0) * int(here.sum())
    for one in within(reference.unknown_days, first, last):
        told -= int((one.stop - one.start) / ONE_DAY) * int((one.cells[rows, cols] & here).sum())
    return told / (days * here.size)


def _left_out(begins: Iterable[Day], days: int, first: Day, stop: Day) -> str:
    """Return the days of a period in no block of so many days, in words; empty if there are none."""
    period = day_range(first, stop)
    free = np.ones(period.size, bool)
    for begin in begins:
        free &= (period < begin) | (period >= begin + days)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free, [0]])))
    spans = [period_label(first + int(a), first + int(b)) for a, b in edges.reshape(-1, 2)]
    return f"{', '.join(spans)} ({free.sum()} of {free.size} days)" if spans else ""


def days_in_no_chip(chips: Chips, region: str, start: Any, stop: Any) -> str:
    """Return which days no chip of a region holds, in words, as blocks in which little burned are left out.

    Args:
        chips: of cubes.
        region: its name.
        start: first day to look at.
        stop: the day after the last.

    Returns:
        Text such as `2021-08-17 to 2021-08-20 (4 of 20 days)`; empty if every day lies in a chip.
    """
    begins = [entry.day for entry in chips.entries if entry.region == region]
    return _left_out(begins, chips.days, as_day(start), as_day(stop))


def burned_in_no_chip(chips: Chips, reference: BurnedArea, start: Any, stop: Any) -> str:
    """Return how many burned cells no chip of a region holds on each of their days, in words.

    Args:
        chips: of cubes.
        reference: the labels, on the grid of the region.
        start: first day to look at.
        stop: the day after the last.

    Returns:
        Text such as `40 of 300 burned cells`; empty if every burned cell lies in a chip.
    """
    dated = reference.dates_of_known()
    burned = (dated.day >= as_day(start)) & (dated.day < as_day(stop)) & (dated.fraction > 0)
    left = burned.copy()
    for entry in chips.entries:
        if entry.region == reference.region.name:
            left &= ~_inside(dated, entry.day, chips.days, *entry.corner, chips.size)
    cell = dated.row * dated.region.shape[1] + dated.col
    count = {name: np.unique(cell[which]).size for name, which in (("left", left), ("burned", burned))}
    return f"{count['left']:,} of {count['burned']:,} burned cells" if left.any() else ""


def write_cube_chips(
    folder: PathLike,
    cube: Cube,
    reference: BurnedArea,
    *,
    start: Any = None,
    stop: Any = None,
    days: int = 64,
    size: int = 128,
    group: str = "",
    workers: int | None = None,
    scheduler: str | Client | None = None,
    progress: Progress | None = None,
    **choice: Any,
) -> Chips:
    """Cut a cube and its labels into chips; those that the folder holds already, of the same, are left.

    Args:
        folder: of chips, made if it is not there.
        cube: daily planes.
        reference: what burned and when, on any grid; it is brought to the cube's.
        start: first day; by default the first of cube and reference.
        stop: the day after the last; by default that of cube and reference.
        days: of a chip.
        size: of a chip in cells; a smaller region is padded with cells that are not observed and not known.
        group: what validation reports by; the region's name by default.
        workers: number of processes that cut; the index is written by this one.
        scheduler: address, or client, of a dask cluster whose workers cut instead; they must see cube and
            folder.
        progress: called with (done, total, message).
        choice: `step`, `day_step`, `min_burned_cells`, `empty_share`, `seed` of `plan_blocks`.

    Raises:
        InputError: if cube and reference share too few days, too little burned in them, the folder holds
            chips of another content of cube or reference, or both workers and a scheduler are given.
        BusyError: if another run adds to the folder.

    Warns:
        BanetWarning: if the reference says nothing of more than a tenth of the region, `day_step` is
            larger than `days`, so that some days lie in no chip, or `step` than `size`.
    """
    here = reference.to(cube.region)
    first, last = _common_period(cube, here, start, stop)
    dated = here.dates_of_known()
    plan = plan_blocks(dated, first, last, days=days, size=size, reference=here, **choice)
    if not plan:
        least = int(choice.get("min_burned_cells", _MIN_BURNED))
        raise InputError(f"{_lacking(here, reference, dated, first, last, least)}: nothing to train on")
    if (unknown := 1 - float(here.known.mean())) > _MUCH:
        told = f"{here.name} says nothing of {unknown:.0%} of the cells of {cube.region.name}"
        warnings.warn(f"{told}: they are left out of training", BanetWarning, stacklevel=2)
    chips = Chips.create(folder, days, size)
    spans = {block.start: day_range(block.start, block.start + days) for block in plan}
    contents = {start: cube.content_key(span)[:_DIGITS] for start, span in spans.items()}
    cutter = _Cutter(chips, cube, here, dated, group or cube.region.name, contents)
    with chips.adding():
        _check_kept(chips, cutter, {block.name(cube.region.name) for block in plan})
        todo = [block for block in plan if block.name(cube.region.name) not in chips.names]
        needs = cube.path, chips.folder / HEADER
        with closing(spread(cutter, todo, workers=workers, scheduler=scheduler, needs=needs)) as made:
            for done, (_, entry) in enumerate(made, 1 + len(plan) - len(todo)):
                chips.enter(entry)
                if progress is not None:
                    progress(done, len(plan), f"chip {entry.name}")
    return chips


def _lacking(
    here: BurnedArea, reference: BurnedArea, dated: DatedFractions, first: Day, last: Day, least: int
) -> str:
    """Return why no block is worth training on: labels of elsewhere, no fire, or too little of it."""
    place, period = here.region.name, f"from {first} to {last - 1}"
    if not here.known.any():
        west, south, east, north = reference.region.bbox
        covered = f"it covers {west:g} to {east:g} degrees east, {south:g} to {north:g} north"
        return f"{here.name} says nothing of {place} ({covered})"
    burned = int(((dated.day >= first) & (dated.day < last) & (dated.fraction > 0)).sum())
    if not burned:
        return f"{here.name} shows no fire in {place} {period}"
    told = f"{here.name} shows {burned} burned cells in {place} {period}"
    return f"{told}, of which no tile holds {max(1, least)} (min_burned_cells in Python)"


@dataclass(frozen=True, eq=False)
class _Cutter:
    """Cuts blocks and writes their arrays, without entering them: any process may do it.

    Attributes:
        contents: hash of what the cube holds of the days of a block, by its first day.
    """

    chips: Chips
    cube: Cube
    reference: BurnedArea
    dated: DatedFractions
    group: str
    contents: Mapping[Day, str]

    @property
    def origin(self) -> dict[str, Any]:
        """Labels, sensor, band and size of cells of its chips."""
        return {
            "labels": self.reference.name,
            "sensor": self.cube.sensor,
            "mir_band": self.cube.mir_band,
            "pixel_size": self.cube.region.pixel_size,
        }

    def bbox(self, row: int, col: int) -> list[float]:
        """Return the box of a block's cells that lie in the region: west, south, east, north in degrees."""
        region = self.cube.region
        return list(region.window(*_cells(region, row, col, self.chips.size)).bbox)

    def target(self, block: ChipPlace) -> Floats:
        """Return the burned fraction of each cell and day of a block; NaN = not known."""
        return _target(self.cube.region, self.reference, self.dated, block, self.chips.days, self.chips.size)

    def __call__(self, block: ChipPlace) -> ChipEntry:
        """Write the arrays of a block and return its entry."""
        target = self.target(block)
        entry = ChipEntry(
            block.name(self.cube.region.name),
            source="cube",
            climate=self.group,
            region=self.cube.region.name,
            start=str(block.start),
            corner=(block.row, block.col),
            details={
                **self.origin,
                "bbox": self.bbox(block.row, block.col),
                "label_content": _content(target),
                "cube_content": self.contents[block.start],
            },
        )
        planes = _planes(self.cube, block, self.chips.days, self.chips.size)
        return self.chips.write_arrays(entry, planes, target)

    def differing(self, entry: ChipEntry) -> Iterator[str]:
        """Yield which content of a chip that is there already is another than it would be now."""
        day, (row, col) = entry.day, entry.corner
        known = entry.details.get("label_content")
        if known is not None and known != _content(self.target(ChipPlace(day, row, col, 0))):
            yield f"labels {self.reference.name}"
        known = entry.details.get("cube_content")
        if known is not None and known != self.contents.get(day, known):
            yield f"cube {self.cube.path.name}"


def _content(target: Floats) -> str:
    return f"{crc32c(encode_target(target).tobytes()):08x}"


def _check_kept(chips: Chips, cutter: _Cutter, names: set[str]) -> None:
    """Make sure that tiles which a folder holds already are of the same sensor, place, labels and content.

    Tiles of the region within the days of the labels are compared, whether they would be cut now or not:
    where labels were corrected, a tile may no longer be worth cutting.

    Raises:
        InputError: if it holds another band or cells of another size, or one of `names` from another sensor,
            place or other labels, or one whose labels or days of the cube have another content by now.
    """
    reference, region = cutter.reference, cutter.cube.region.name
    length = np.timedelta64(chips.days, "D")
    for entry in chips.entries:
        now = {part: cutter.origin[part] for part in ("mir_band", "pixel_size")}
        if entry.name in names:
            now = cutter.origin | {"bbox": cutter.bbox(*entry.corner)}
        for part, new in now.items():
            old = entry.details.get(part)
            if old is not None and old != new:
                raise InputError(
                    f"{chips.folder} holds the tile {entry.name} with {part} {old}, asked for is {new}: "
                    "choose another folder"
                )
        inside = reference.start <= entry.day and entry.day + length <= reference.stop
        mine = entry.region == region and entry.details.get("labels") == reference.name
        if entry.name in names or (inside and mine):
            for what in cutter.differing(entry):
                raise InputError(
                    f"{chips.folder} holds the tile {entry.name}, cut from another content of the {what}: "
                    "choose another folder, or remove this one to cut all anew"
                )


def _common_period(cube: Cube, reference: BurnedArea, start: Any, stop: Any) -> tuple[Day, Day]:
    """Return the days to cut chips from: those asked for, else those that cube and labels share.

    A chip may reach beyond the labels where that is asked for, as at the edge of a month that lacks a file;
    its days there are not known.
    """
    if not len(cube.days):
        raise InputError(f"the cube {cube.path} holds no day yet; build it first")
    begin, end = cube.days[0], cube.days[-1] + 1
    first = max(begin, reference.start if start is None else as_day(start))
    last = min(end, reference.stop if stop is None else as_day(stop))
    if start is not None and stop is not None and as_day(stop) <= as_day(start):
        raise InputError(f"the period ends on {as_day(stop) - 1}, before it begins on {as_day(start)}")
    if min(last, reference.stop) <= max(first, reference.start):
        raise InputError(
            f"the cube has days {cube.days[0]} to {cube.days[-1]}, the labels {reference.start} to "
            f"{reference.stop - 1}: they share none to cut tiles from"
        )
    return first, last


def _burned_in(dated: DatedFractions, first: Day, day: int, days: int, row: int, col: int, size: int) -> int:
    return int(_inside(dated, first + np.timedelta64(day, "D"), days, row, col, size).sum())


def _inside(
    dated: DatedFractions, start: Day, days: int, row: int, col: int, size: int
) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (dated.day >= start) & (dated.day < start + np.timedelta64(days, "D"))
    for place, corner in ((dated.row, row), (dated.col, col)):
        inside &= (place >= corner) & (place < corner + size)
    return inside & (dated.fraction > 0)


def _cells(region: Region, row: int, col: int, size: int) -> tuple[slice, slice]:
    """Return the rows and columns of a block that lie in the region."""
    rows, cols = region.shape
    return slice(row, min(row + size, rows)), slice(col, min(col + size, cols))


def _planes(cube: Cube, block: ChipPlace, days: int, size: int) -> Floats:
    """Return red, NIR, MIR and FRP of a block, (4, days, size, size) float32; NaN = not observed."""
    rows, cols = _cells(cube.region, block.row, block.col, size)
    stop = block.start + np.timedelta64(days, "D")
    window = cube.read(block.start, stop, rows, cols, variables=("red", "nir", "mir", "frp"))
    height, width = window.region.shape
    planes = np.full((4, days, size, size), np.nan, np.float32)
    for plane, source in zip(planes, (window.red, window.nir, window.mir, window.frp), strict=True):
        plane[:, :height, :width] = source
    return planes


def _target(
    region: Region, reference: BurnedArea, dated: DatedFractions, block: ChipPlace, days: int, size: int
) -> Floats:
    """Return the burned part of what is known of each cell, (days, size, size) float32; NaN = not known."""
    rows, cols = _cells(region, block.row, block.col, size)
    target = np.full((days, size, size), np.nan, np.float32)
    known = reference.known
    height, width = known[rows, cols].shape
    target[:, :height, :width][:, known[rows, cols]] = 0
    at = np.flatnonzero(_inside(dated, block.start, days, block.row, block.col, size))
    at = at[known[dated.row[at], dated.col[at]]]
    day = (dated.day[at] - block.start).astype(np.int64)
    target[day, dated.row[at] - block.row, dated.col[at] - block.col] = np.minimum(dated.fraction[at], 1)
    when = day_range(block.start, block.start + np.timedelta64(days, "D"))
    target[(when < reference.start) | (when >= reference.stop)] = np.nan
    blank(target, reference.unknown_days, when, rows, cols)
    return target
