"""Days of a source's period on which it says nothing of some cells, such as a tile's month without a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import Day, Days
from banet.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["UnknownDays", "blank", "comparable", "count", "days_told", "of_dataset", "variables", "within"]

Bools = npt.NDArray[np.bool_]
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class UnknownDays:
    """Days on which a source says nothing of some cells.

    Attributes:
        start, stop: the days, half-open.
        cells: where, (rows, columns) bool.
    """

    start: Day
    stop: Day
    cells: Bools

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise InputError(f"{self.start} to {self.stop} (not included) hold no day that could be unknown")


def within(unknown: Iterable[UnknownDays], first: Day, last: Day) -> tuple[UnknownDays, ...]:
    """Return those of some unknown days that lie from `first` up to, not including, `last`."""
    cut = [(max(one.start, first), min(one.stop, last), one.cells) for one in unknown]
    return tuple(UnknownDays(*part) for part in cut if part[0] < part[1])


def count(unknown: Iterable[UnknownDays], shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the number of unknown days of each cell, (rows, columns)."""
    total = np.zeros(shape, np.int64)
    for one in unknown:
        total += one.cells * int((one.stop - one.start).astype(np.int64))
    return total


def days_told(unknown: Iterable[UnknownDays], known: Bools, days: Days) -> Bools:
    """Return the days on which a source says something of a cell that it knows, (days,).

    Args:
        unknown: its unknown days.
        known: cells that it knows on some day, (rows, columns).
        days: of its period, (days,).
    """
    told, gaps = np.ones(days.size, np.bool_), list(unknown)
    edges = sorted({one.start for one in gaps} | {one.stop for one in gaps})
    for first, last in itertools.pairwise(edges):
        lacking = [one.cells for one in gaps if one.start <= first and one.stop >= last]
        if lacking and np.any(lacking, axis=0)[known].all():
            told &= (days < first) | (days >= last)
    return told


def blank(
    planes: npt.NDArray[np.float32],
    unknown: Iterable[UnknownDays],
    days: Days,
    rows: slice = _ALL,
    cols: slice = _ALL,
) -> None:
    """Write NaN into daily planes of a block of cells where the source says nothing, (T, rows, columns)."""
    for one in unknown:
        at = (days >= one.start) & (days < one.stop)
        cells = one.cells[rows, cols]
        planes[:, : cells.shape[0], : cells.shape[1]][at[:, None, None] & cells] = np.nan


def comparable(unknown: Iterable[UnknownDays], start: Day, stop: Day, dates: Days) -> Bools:
    """Return the cells on which a source can be held against the burn dates of another, (rows, columns).

    Those are the cells of which it says something on a day from `start` up to, not including, `stop`, and on
    the day on which the other burned; what burned on a day that one side does not know is no error of either.
    """
    inside = within(unknown, start, stop)
    known: Bools = count(inside, dates.shape) < int((stop - start).astype(np.int64))
    for one in inside:
        known &= ~(one.cells & (dates >= one.start) & (dates < one.stop))
    return known


def variables(unknown: tuple[UnknownDays, ...], grid: tuple[str, str]) -> dict[str, Any]:
    """Return unknown days as variables of a dataset along `gap`; none where there are none."""
    if not unknown:
        return {}
    about = {"long_name": "cells of which the source says nothing on the days of a gap"}
    ends = {
        name: np.array([getattr(one, name) for one in unknown], "datetime64[D]").astype("datetime64[s]")
        for name in ("start", "stop")
    }
    return {
        "gap_cells": (("gap", *grid), np.stack([one.cells for one in unknown]).astype(np.uint8), about),
        "gap_start": ("gap", ends["start"], {"long_name": "first day of a gap"}),
        "gap_stop": ("gap", ends["stop"], {"long_name": "day after the last day of a gap"}),
    }


def of_dataset(dataset: xr.Dataset) -> tuple[UnknownDays, ...]:
    """Return the unknown days that `variables` wrote."""
    if "gap_cells" not in dataset:
        return ()
    starts, stops = (dataset[f"gap_{end}"].values.astype("datetime64[D]") for end in ("start", "stop"))
    cells = dataset["gap_cells"].values.astype(bool)
    return tuple(UnknownDays(*one) for one in zip(starts, stops, cells, strict=True))
