"""Quality layers of the MCD64A1 family, gathered from pixels to cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from banet.burned_area.quality import Quality
from banet.days import NO_DATE
from banet.grid.cutting import Grid, cut
from banet.grid.region import Region
from banet.labels.monthly_files import Layers, resolve_year

__all__ = ["QualityBuilder"]

# Rows of pixels that are cut at once: a whole tile has millions of pieces.
_ROWS = 240
_FIRST_EVER, _LAST_EVER = np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max


class QualityBuilder:
    """Collects QA bits and reliable periods of the pixels that fall into each cell of a region.

    Over several pixels the reliable period is the one that all share in a month; over several months it
    runs from the first month's first day to the last month's last.
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self.any = False
        self._first = np.full(region.shape, _LAST_EVER, np.int64)
        self._last = np.full(region.shape, _FIRST_EVER, np.int64)
        self._qa_area: dict[int, npt.NDArray[np.float64]] = {}

    def add_month(self, month: np.datetime64, pieces: list[tuple[Grid, Layers]]) -> None:
        """Add the windows of one month, of all the places that touch the region."""
        first = np.full(self.region.shape, _FIRST_EVER, np.int64)
        last = np.full(self.region.shape, _LAST_EVER, np.int64)
        for grid, layers in pieces:
            if layers.qa is None or layers.first is None or layers.last is None:
                continue
            self.any = True
            self._add(month, grid, layers, first, last)
        seen = (first > _FIRST_EVER) & (last < _LAST_EVER)
        self._first = np.where(seen, np.minimum(self._first, first), self._first)
        self._last = np.where(seen, np.maximum(self._last, last), self._last)

    def _add(
        self,
        month: np.datetime64,
        grid: Grid,
        layers: Layers,
        first: npt.NDArray[np.int64],
        last: npt.NDArray[np.int64],
    ) -> None:
        for begin in range(0, layers.burn.shape[0], _ROWS):
            self._add_rows(month, grid, layers, slice(begin, begin + _ROWS), first, last)

    def _add_rows(
        self,
        month: np.datetime64,
        grid: Grid,
        layers: Layers,
        part: slice,
        first: npt.NDArray[np.int64],
        last: npt.NDArray[np.int64],
    ) -> None:
        assert layers.qa is not None and layers.first is not None and layers.last is not None
        opened, closed = layers.first[part].astype(np.int64), layers.last[part].astype(np.int64)
        code = (layers.qa[part].astype(np.int64) << 32) | (opened << 16) | closed
        code[(layers.burn[part] < 0) | (opened < 1) | (closed < 1)] = -1
        rows, starts, stops, values = runs(code)
        rows, keep = rows + part.start, values >= 0
        opens = resolve_year(((values >> 16) & 0xFFFF).astype(np.int16), month, "before")
        closes = resolve_year((values & 0xFFFF).astype(np.int16), month, "after")
        keep &= ~np.isnat(opens) & ~np.isnat(closes)
        rows, starts, stops, values = rows[keep], starts[keep], stops[keep], values[keep]
        opens, closes = opens[keep].astype(np.int64), closes[keep].astype(np.int64)
        cuts = cut(grid, rows, starts, stops, self.region, finest=1)
        at = cuts.row, cuts.col
        np.maximum.at(first, at, opens[cuts.run])
        np.minimum.at(last, at, closes[cuts.run])
        qa = (values >> 32)[cuts.run]
        for flags in np.unique(qa):
            area = self._qa_area.setdefault(int(flags), np.zeros(self.region.shape))
            np.add.at(area, (cuts.row[qa == flags], cuts.col[qa == flags]), cuts.fraction[qa == flags])

    def build(self) -> Quality:
        """Return what was collected."""
        seen = self._last > _FIRST_EVER
        first = np.where(seen, self._first.astype("datetime64[D]"), NO_DATE)
        last = np.where(seen, self._last.astype("datetime64[D]"), NO_DATE)
        flags = sorted(self._qa_area)
        qa = np.zeros(self.region.shape, np.uint8)
        if flags:
            area = np.stack([self._qa_area[f] for f in flags])
            qa = np.where(area.max(axis=0) > 0, np.array(flags, np.uint8)[area.argmax(axis=0)], 0).astype(
                np.uint8
            )
        return Quality(first, last, qa)


def runs(
    values: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (row, first column, column after the last, value) of the runs of equal values along rows.

    >>> [part.tolist() for part in runs(np.array([[5, 5, 7]]))]
    [[0, 0], [0, 2], [2, 3], [5, 7]]
    """
    height, width = values.shape
    begins = np.ones((height, width), bool)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    row, start = np.nonzero(begins)
    stop = np.append(start[1:], width)
    stop = np.where(np.append(row[1:] != row[:-1], True), width, stop)
    return row, start, stop, values[row, start]
