"""Table of zones: hectares with an interval, fires, first and last day, and what was not observed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from banet.burned_area import unknown
from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.fires import MIN_HECTARES, trace_events
from banet.burned_area.hectares import entries
from banet.burned_area.joining import disjoint
from banet.burned_area.meaning import by_network
from banet.days import NO_DATE, ONE_DAY, Day, Days
from banet.errors import BanetWarning, InputError
from banet.export.products import gathered
from banet.io.files import PathLike
from banet.io.settings import Frozen
from banet.summary.buckets import By, CellCover, TableBuckets, buckets_of
from banet.summary.progressions import FAR_KM, Progressions
from banet.summary.zones import Zones, read_zones

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["SummaryOptions", "summarise"]

_TEN, _NINETY = 0.1, 0.9
_MOST_DRAWN = 2**26
"""Hectares of draws, zones and buckets that are held at a time; 256 MiB."""
_SLIVER = 1e-4
"""Share of a zone outside the maps that is the rounding of its area."""


class SummaryOptions(Frozen):
    """Options of a table of zones.

    Attributes:
        by: one row a zone and `month`, `day` or class of land `cover`; None for one row a zone.
        cover: GeoTIFF or polygons of land cover, for `by="cover"`.
        zone_field: field of the zones with their names.
        zone_layer: layer of their file.
        min_hectares: fires of less burned area are not counted.
        draws: number of progressions behind an interval.
        seed: of the draws.
    """

    by: By | None = None
    cover: Path | None = None
    zone_field: str | None = None
    zone_layer: str | None = None
    min_hectares: float = Field(MIN_HECTARES, ge=0)
    draws: int = Field(400, ge=20, le=100_000)
    seed: int = Field(0, ge=0)


def summarise(
    maps: BurnedArea | PathLike | Sequence[BurnedArea | PathLike],
    zones: PathLike | gpd.GeoDataFrame,
    **options: Any,
) -> pd.DataFrame:
    """Sum what burned over polygons.

    Columns: `zone`; `month`, `day` or `cover` where asked for; `start`, `end`: first and last day that the
    maps cover; `burned_ha`: hectares of the map, cells weighted by burned fraction and by their share in the
    zone; `expected_ha`, `low_ha`, `high_ha`: mean and 80 % interval of the hectares that the calibrated
    probabilities allow; `fires`, `first_day`, `last_day`; `zone_ha`: hectares of the zone within the maps;
    `outside_ha`: beyond them; `not_observed_ha`, `not_observed_cells`: of land that a map of these days did
    not see. Where nothing is known of a zone, its figures are missing.

    Args:
        maps: of one region and of periods that do not overlap, or paths of them; a folder gives all its maps.
        zones: vector file or GeoDataFrame of polygons; features of one name are one zone.
        options: fields of `SummaryOptions`: by, cover, zone_field, zone_layer, min_hectares, draws, seed.

    Returns:
        One row a zone, or a zone and bucket, in the order of the file.

    Raises:
        TypeError: if there is no such option.
        InputError: if maps do not fit together, no zone touches them, or an option does not fit.

    Warns:
        BanetWarning: of zones outside the maps, days between them, cells that two maps date within ten
            days, and maps without probabilities.
    """
    chosen = SummaryOptions.of_keywords("summarise", options)
    if (chosen.cover is None) == (chosen.by == "cover"):
        raise InputError("a table by cover needs a file of land cover: give by='cover' and cover, or neither")
    ordered = disjoint(gathered(maps))
    areas = read_zones(zones, ordered[0].region, field=chosen.zone_field, layer=chosen.zone_layer)
    table = _Table(ordered, areas, buckets_of(ordered, chosen.by, _cover(chosen, ordered[0])))
    return table.frame(chosen)


def _cover(options: SummaryOptions, one: BurnedArea) -> CellCover | None:
    if options.cover is None:
        return None
    from banet.labels.classes import read_classes

    numbers, names = read_classes(options.cover, one.region)
    return CellCover(numbers.ravel(), names)


@dataclass(frozen=True, eq=False)
class _Table:
    maps: Sequence[BurnedArea]
    zones: Zones
    buckets: TableBuckets

    def frame(self, options: SummaryOptions) -> pd.DataFrame:
        """Return the table."""
        import pandas as pd

        within, unseen_ha, unseen, blind = self._ground()
        burned, first, last = self._burned()
        expected, low, high = self._intervals(options)
        inside = (self.zones.shares @ self._area()) if self.buckets.cover is not None else within[:, 0]
        outside = np.where(
            self.zones.hectares - inside > _SLIVER * self.zones.hectares, self.zones.hectares - inside, 0.0
        )
        shape = (len(self.zones), len(self.buckets))
        there = np.broadcast_to(within > 0, shape)
        known = there & ~blind
        kind = "datetime64[ms]" if self.buckets.column == "day" else object
        labels: Any = np.array(self.buckets.labels, kind)
        planes: dict[str, Any] = {
            "zone": np.repeat(np.array(self.zones.names, object)[:, None], shape[1], 1),
            self.buckets.column: np.tile(labels, (shape[0], 1)),
            "start": np.tile(self.buckets.start, (shape[0], 1)).astype("datetime64[ms]"),
            "end": np.tile(self.buckets.stop - ONE_DAY, (shape[0], 1)).astype("datetime64[ms]"),
            "burned_ha": np.where(known, burned, np.nan),
            "expected_ha": np.where(known, expected, np.nan),
            "low_ha": np.where(known, low, np.nan),
            "high_ha": np.where(known, high, np.nan),
            "fires": self._fires(options.min_hectares),
            "first_day": first.astype("datetime64[ms]"),
            "last_day": last.astype("datetime64[ms]"),
            "zone_ha": within,
            "outside_ha": np.repeat(outside[:, None], shape[1], 1),
            "not_observed_ha": unseen_ha,
            "not_observed_cells": unseen,
        }
        planes.pop("", None)
        frame = pd.DataFrame({name: plane.ravel() for name, plane in planes.items()})
        if self.buckets.cover is not None:  # a class that a zone has not is no row; a zone outside stays one
            alone = np.zeros(shape, bool)
            alone[~there.any(1), 0] = True
            frame = frame[(there | alone).ravel()].reset_index(drop=True)
        return self._typed(frame)

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        outside = frame["zone_ha"] == 0
        for name, nothing in (("fires", frame["burned_ha"].isna()), ("not_observed_cells", outside)):
            frame[name] = frame[name].astype("Int64").mask(nothing)
        if self.buckets.column == "cover":
            frame["cover"] = frame["cover"].mask(outside)
        return frame

    def _area(self) -> npt.NDArray[np.float64]:
        region = self.maps[0].region
        return np.repeat(region.cell_area_ha, region.shape[1])

    def _ground(self) -> tuple[Any, Any, Any, Any]:
        """Return hectares, those not observed, cells not observed, and whether no land was seen at all.

        Each is of (zones, buckets).
        """
        shares: Any = self.zones.shares
        touched: Any = _pattern(self.zones.shares)
        area = self._area()
        whole, lost, count, blind = [], [], [], []
        for bucket in range(len(self.buckets)):
            here = self.buckets.cells(bucket)
            days = self.buckets.start[bucket], self.buckets.stop[bucket]
            timely = [_unseen(one, *days) for one in self.maps if one.start < days[1] and one.stop > days[0]]
            gone = np.any([most for most, _ in timely], axis=0) & here
            whole.append(shares @ (area * here))
            lost.append(shares @ (area * gone))
            count.append(touched @ gone.astype(np.int64))
            never = np.all([every for _, every in timely], axis=0) & here
            seen = here & ~never & ~np.all([one.water.ravel() for one in self.maps], axis=0)
            blind.append((touched @ never.astype(np.int64) > 0) & (touched @ seen.astype(np.int64) == 0))
        return np.stack(whole, 1), np.stack(lost, 1), np.stack(count, 1), np.stack(blind, 1)

    def _burned(self) -> tuple[npt.NDArray[np.float64], Days, Days]:
        """Return hectares of the maps, first and last day, each (zones, buckets)."""
        shape = (len(self.zones), len(self.buckets))
        hectares = np.zeros(shape)
        far = np.datetime64("9999-01-01", "D")
        first, last = np.full(shape, far), np.full(shape, -far.astype(np.int64)).astype("datetime64[D]")
        columns = self.zones.shares.tocsc()
        for one in self.maps:
            row, col, day, part = entries(one)
            cell = row * one.region.shape[1] + col
            entry, zone, share = _held(columns, cell)
            at = zone, self.buckets.of(cell, day)[entry]
            np.add.at(hectares, at, share * (one.region.cell_area_ha[row] * part)[entry])
            np.minimum.at(first, at, day[entry])
            np.maximum.at(last, at, day[entry])
        nothing = first == far
        first[nothing] = last[nothing] = NO_DATE
        return hectares, first, last

    def _fires(self, least: float) -> npt.NDArray[np.int64]:
        """Return the number of fires that burned in each zone and bucket, (zones, buckets)."""
        found = trace_events(self.maps, min_hectares=least)
        count, _ = found.left_out
        if count:
            warnings.warn(
                f"{count} fires under {least:g} ha are not counted as fires; their hectares are in the sums",
                BanetWarning,
                stacklevel=5,
            )
        cells = found.cells
        cell = (cells["row"] * self.maps[0].region.shape[1] + cells["col"]).to_numpy(np.int64)
        fire = np.unique(cells["id"].to_numpy(str), return_inverse=True)[1] if len(cells) else cell
        day = cells["day"].to_numpy(np.int64).astype("datetime64[D]")
        entry, zone, _ = _held(self.zones.shares.tocsc(), cell)
        places = np.stack([zone, self.buckets.of(cell, day)[entry], fire[entry]])
        number = np.zeros((len(self.zones), len(self.buckets)), np.int64)
        once = np.unique(places, axis=1)
        np.add.at(number, (once[0], once[1]), 1)
        return number

    def _intervals(self, options: SummaryOptions) -> Any:
        """Return mean and both ends of the interval of the hectares, each (zones, buckets) float64.

        They are NaN where no map has probabilities.
        """
        if not all(by_network(one) for one in self.maps):
            warnings.warn(
                "the maps are not all a network's and carry no probabilities: no interval is given",
                BanetWarning,
                stacklevel=4,
            )
            return np.nan, np.nan, np.nan
        if any(not one.attrs.get("calibration") for one in self.maps):
            warnings.warn(
                "the weights are not calibrated: the interval takes burned fractions for probabilities",
                BanetWarning,
                stacklevel=4,
            )
        drawn = [self._progressions(one, options.seed) for one in self.maps]
        # Every draw follows from its number, so zones may be drawn for in turns.
        step = max(1, _MOST_DRAWN // (options.draws * len(self.buckets)))
        parts = [
            _interval(self._drawn(drawn, options.draws, slice(first, first + step)))
            for first in range(0, len(self.zones), step)
        ]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _progressions(self, one: BurnedArea, seed: int) -> Progressions:
        drawn = Progressions(one, seed=seed)
        if len(drawn.cell) and drawn.undated:
            warnings.warn(
                f"{drawn.undated} cells that may have burned lie over {FAR_KM:g} km from a burn date; their "
                f"days are drawn from all that the map tells of from {one.start} to {one.stop - ONE_DAY}",
                BanetWarning,
                stacklevel=6,
            )
        return drawn

    def _drawn(self, drawn: list[Progressions], draws: int, zones: slice) -> npt.NDArray[np.float32]:
        """Return the hectares of each draw in some zones, (draws, zones, buckets)."""
        held: Any = self.zones.shares[zones]
        total = np.zeros((draws, held.shape[0], len(self.buckets)), np.float32)
        for one, each in zip(self.maps, drawn, strict=True):
            if not len(each.cell):
                continue
            shares = held[:, each.cell]
            area, pointer = self._area()[each.cell], np.arange(len(each.cell) + 1)
            shape = (len(each.cell), len(self.buckets))
            for number in range(draws):
                part, day = each.draw(number)
                bucket = self.buckets.of(each.cell, one.start + day)
                burned = sparse.csr_array((area * part, bucket, pointer), shape=shape)
                total[number] += (shares @ burned).toarray()
        return total


def _interval(drawn: npt.NDArray[np.float32]) -> tuple[Any, Any, Any]:
    """Return mean and both ends of the interval over the draws, each (zones, buckets) float64."""
    low, high = np.quantile(drawn, [_TEN, _NINETY], axis=0)
    return drawn.mean(0, dtype=np.float64), low.astype(np.float64), high.astype(np.float64)


def _unseen(one: BurnedArea, start: Day, stop: Day) -> tuple[Any, Any]:
    """Return the land of which a map says nothing on most and on all days of a span, each (cells,)."""
    first, last = max(one.start, start), min(one.stop, stop)
    lacking = unknown.count(unknown.within(one.unknown_days, first, last), one.region.shape)
    days, dark, land = int((last - first).astype(int)), ~one.known, ~one.water
    return ((dark | (2 * lacking > days)) & land).ravel(), ((dark | (lacking >= days)) & land).ravel()


def _pattern(shares: sparse.csr_array) -> sparse.csr_array:
    """Return 1 where a zone has a share of a cell."""
    return sparse.csr_array(
        (np.ones(shares.nnz, np.int64), shares.indices, shares.indptr), shape=shares.shape
    )


def _held(columns: sparse.csc_array, cell: npt.NDArray[Any]) -> tuple[Any, Any, Any]:
    """Return index into `cell`, zone and share of every zone that holds a part of each cell."""
    first, last = columns.indptr[cell], columns.indptr[np.asarray(cell) + 1]
    count = last - first
    entry = np.repeat(np.arange(len(cell)), count)
    at = np.arange(entry.size) - (np.cumsum(count) - count - first)[entry]
    return entry, columns.indices[at], columns.data[at]
