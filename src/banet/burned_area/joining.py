"""Sources of one region joined and cut in time: months to a season, a season to its days."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from banet.burned_area import attributes, hectares, unknown
from banet.burned_area.burned_planes import BurnedPlanes
from banet.burned_area.dated import DatedFractions
from banet.burned_area.dating import NO_UNCERTAINTY, looks_kept
from banet.burned_area.evidence import NO_EVIDENCE
from banet.burned_area.meaning import made_by
from banet.days import NO_DATE, Day, as_day, period_label
from banet.errors import BanetWarning, InputError

__all__ = [
    "SAME_BURN_DAYS",
    "disjoint",
    "fields_between",
    "has_undated",
    "in_order",
    "join",
    "notes_on",
    "once",
    "undated_period",
]

Source = TypeVar("Source", bound=BurnedPlanes)

SAME_BURN_DAYS = 10
"""What two periods show burned within so many days burned once, on the first of them.

Dates are off by days and each period is mapped by itself, so that what burned on the last day of one may be
dated on the first day of the next.
"""

_PLANES = ("burned_fraction", "burn_date", "uncertainty", "water")
_OPTIONAL = {
    "stated_confidence": np.float32(np.nan),
    "evidence": np.uint8(NO_EVIDENCE),
    "first_look": np.uint8(NO_UNCERTAINTY),
    "known_share": np.float32(1),
}
"""Planes that some sources have, and what stands for nothing in them."""


def join(parts: Sequence[Source]) -> Source:
    """Join what burned in periods that do not overlap, in any order; gaps between them are allowed.

    Each cell takes all that is said of it from the part with the largest burned fraction, the first of equal
    ones; days of observation add up; days between the parts are unknown. What two parts date within
    `SAME_BURN_DAYS` burned once, see `once`. Cells that burned again later keep the stronger burn; notes tell
    how many did either. Where a part holds several dates a cell, all entries are kept and
    cells are dated from them anew. Quality of products is not carried over. Attributes are those of the
    first, but for what tells of all parts (`banet.burned_area.attributes`).

    Raises:
        InputError: if there is none, or grids, thresholds or periods do not fit together.
    """
    ordered, notes = once(in_order(parts))
    notes += notes_on(ordered)
    first, last = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return first
    planes = _strongest(ordered)
    if any(one.dated is not None for one in ordered):
        planes |= _from_entries(ordered, planes["burned_fraction"])
    else:
        notes += _burned_again(ordered, planes["burned_fraction"])
    attrs = attributes.joined([(period_label(one.start, one.stop), one.attrs) for one in ordered])
    attrs |= {"notes": [*attrs.get("notes", ()), *notes]} if notes else {}
    return replace(first, stop=last.stop, quality=None, unknown_days=_unknown(ordered), attrs=attrs, **planes)


def once(ordered: Sequence[Source]) -> tuple[list[Source], list[str]]:
    """Return sources in order of time of which no two show the same burn, and lines that say how many did.

    A cell that is dated again within `SAME_BURN_DAYS` burned once, on the first date. The source of that date
    takes the fractions of both, at most 1, as one map of both periods sums the probabilities of their days;
    the later one shows the cell unburned. Sources with several dates a cell stay as they are: in a cell of
    theirs pixels lie beside each other. Of maps that went to another grid (`BurnedArea.to`) a line says so.
    """
    kept = list(ordered)
    if len(kept) < 2 or any(one.dated is not None for one in kept):
        return kept, _not_told_apart(kept)
    home = np.zeros(kept[0].burn_date.shape, np.intp)
    count = 0
    for number, one, again in _dated_again(ordered):
        for place in np.unique(home[again]):
            held = kept[place].burned_fraction
            both = np.minimum(held + one.burned_fraction, np.float32(1))
            kept[place] = replace(kept[place], burned_fraction=np.where(again & (home == place), both, held))
        if again.any():
            kept[number] = _without(one, again)
            count += int(again.sum())
        home = np.where(one.burned & ~again, number, home)
    if not count:
        return kept, []
    less = sum(map(hectares.total, ordered)) - sum(map(hectares.total, kept))
    return kept, [
        f"{count:,} cells that two maps date within {SAME_BURN_DAYS} days burned once, on the first: "
        f"{less:,.0f} ha less than the maps by themselves"
    ]


def _dated_again(ordered: Sequence[Source]) -> Iterator[tuple[int, Source, npt.NDArray[np.bool_]]]:
    """Yield each source but the first, with its cells that were dated before within `SAME_BURN_DAYS`."""
    last = ordered[0].burn_date
    for number, one in enumerate(ordered[1:], 1):
        yield number, one, one.burned & (one.burn_date - last <= np.timedelta64(SAME_BURN_DAYS, "D"))
        last = np.where(one.burned, one.burn_date, last)


def _not_told_apart(ordered: Sequence[BurnedPlanes]) -> list[str]:
    """Return a line on cells of maps from another grid of which nobody can say whether they burned once."""
    if not any(one.dated is not None and one.dated_from for one in ordered):  # products date by parts
        return []
    count = sum(int(again.sum()) for _, _, again in _dated_again(ordered))
    return [
        f"{count:,} cells that two maps date within {SAME_BURN_DAYS} days count in both, as the maps "
        "are on another grid than their own: join maps first, then bring them there"
    ][: bool(count)]


def disjoint(parts: Sequence[Source]) -> list[Source]:
    """Return sources that may be added up: those of `in_order`, each burn `once`.

    Raises:
        InputError: if there is none, or they do not fit together.

    Warns:
        BanetWarning: of cells that two of them date within `SAME_BURN_DAYS`.
    """
    kept, notes = once(in_order(parts))
    for note in notes:
        warnings.warn(note, BanetWarning, stacklevel=3)
    return kept


def _without(source: Source, gone: npt.NDArray[np.bool_]) -> Source:
    """Return a source that knows some of its burned cells as unburned."""
    kept = source.burned & ~gone
    return replace(
        source,
        burned_fraction=np.where(gone, np.float32(0), source.burned_fraction),
        burn_date=np.where(kept, source.burn_date, NO_DATE),
        uncertainty=np.where(kept, source.uncertainty, np.uint8(NO_UNCERTAINTY)),
        observed_days=np.maximum(source.observed_days, gone).astype(np.int16),
        first_look=looks_kept(source.first_look, kept),
        stated_confidence=_confidence_without(source, gone),
    )


def _confidence_without(source: BurnedPlanes, gone: npt.NDArray[np.bool_]) -> Any:
    """Return the confidence that a source states where its burns of some cells are left out, NaN there."""
    stated = source.stated_confidence
    return None if stated is None else np.where(gone, np.float32(np.nan), stated)


def _burned_again(ordered: Sequence[BurnedPlanes], held: npt.NDArray[np.float32]) -> list[str]:
    """Return a line on cells that several parts show burned, of which a join holds the stronger burn."""
    burned = np.stack([one.burned for one in ordered])
    row, col = np.nonzero(burned.sum(axis=0) > 1)
    if not row.size:
        return []
    every = sum(np.where(one.burned, one.burned_fraction, 0)[row, col] for one in ordered)
    lost = float((ordered[0].region.cell_area_ha[row] * (every - held[row, col])).sum())
    return [
        f"{row.size:,} cells burned again more than {SAME_BURN_DAYS} days later: the map holds the stronger "
        f"burn of each; {lost:,.0f} ha of the others count among the days and fires of the single maps"
    ]


def _unknown(ordered: Sequence[BurnedPlanes]) -> tuple[unknown.UnknownDays, ...]:
    """Return the unknown days of a join: those of its parts and those between them."""
    everywhere = np.ones(ordered[0].region.shape, bool)
    between = [
        unknown.UnknownDays(before.stop, after.start, everywhere)
        for before, after in itertools.pairwise(ordered)
        if before.stop < after.start
    ]
    return (*(one for part in ordered for one in part.unknown_days), *between)


def in_order(parts: Sequence[Source]) -> list[Source]:
    """Return sources of one grid and threshold by their periods, which do not overlap.

    Raises:
        InputError: if there is none, or they do not fit together.
    """
    ordered = sorted(parts, key=lambda one: one.start)
    if not ordered:
        raise InputError("no map to join")
    first = ordered[0]
    for before, after in itertools.pairwise(ordered):
        if after.region != first.region or _thresholds(after) != _thresholds(first):
            raise InputError(
                f"maps of {first.region.name} and {after.region.name} differ in grid or threshold"
            )
        _check_apart(before, after)
    return ordered


def _thresholds(source: BurnedPlanes) -> tuple[float, float]:
    return source.threshold, source.dated_from


def _check_apart(before: BurnedPlanes, after: BurnedPlanes) -> None:
    """Make sure that of two sources in order of time the later begins after the earlier has ended.

    Raises:
        InputError: if both hold a day.
    """
    if after.start < before.stop:
        raise InputError(
            f"the map from {after.start} overlaps the one that ends on {before.stop - 1}: what both show "
            "would count twice; give one of them"
        )


def notes_on(ordered: Sequence[BurnedPlanes]) -> list[str]:
    """Return lines on what sources in order of time leave open together: days between them, other methods."""
    notes = []
    holes = [(a.stop, b.start - 1) for a, b in itertools.pairwise(ordered) if b.start > a.stop]
    if holes:
        days = ", ".join(f"{first} to {last}" for first, last in holes)
        notes.append(f"no map of {days}: what burned on these days is not counted")
    methods = dict.fromkeys(made_by(one) for one in ordered)
    if len(methods) > 1:
        notes.append(f"the maps are of {len(methods)} methods: {'; '.join(methods)}")
    return notes


def _strongest(ordered: Sequence[BurnedPlanes]) -> dict[str, Any]:
    """Return the planes of the join where each cell has one date."""
    # What one part knows as water is water, also where another part saw nothing.
    missing = [np.where(one.water, np.float32(-0.5), np.float32(-1)) for one in ordered]
    held = [one.burned_fraction for one in ordered]
    strength = np.stack(
        [np.where(np.isnan(part), none, part) for part, none in zip(held, missing, strict=True)]
    )
    best = strength.argmax(axis=0)[None]
    planes: dict[str, Any] = {
        name: np.take_along_axis(np.stack([getattr(one, name) for one in ordered]), best, axis=0)[0]
        for name in _PLANES
    }
    for name, nothing in _OPTIONAL.items():
        held_by = [getattr(one, name) for one in ordered]
        if any(plane is not None for plane in held_by):
            blank = np.full(ordered[0].region.shape, nothing)
            stack = np.stack([blank if plane is None else plane for plane in held_by])
            planes[name] = np.take_along_axis(stack, best, axis=0)[0]
    planes["observed_days"] = np.sum([one.observed_days for one in ordered], axis=0).astype(np.int16)
    return planes


def _from_entries(ordered: Sequence[BurnedPlanes], strongest: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return the planes that follow from the entries of all parts."""
    dated = DatedFractions.join([one.dates() for one in ordered])
    date, spread = dated.main_day()
    known = np.any([one.known for one in ordered], axis=0)
    burned = known & ~np.isnat(date)
    undated = np.max([np.where(one.burned, np.nan_to_num(one.undated), 0) for one in ordered], axis=0)
    fraction = np.maximum(np.minimum(dated.total() + undated, np.float32(1)), strongest)
    return {
        "dated": dated,
        "burned_fraction": np.where(known, fraction, np.float32(np.nan)),
        "burn_date": np.where(burned, date, NO_DATE),
        "uncertainty": np.where(burned, spread, np.uint8(NO_UNCERTAINTY)),
    }


def fields_between(source: BurnedPlanes, first: Day, last: Day) -> dict[str, Any]:
    """Return the fields that change when a source is kept to some of its days; see `BurnedArea.between`."""
    dated, nothing = source.dates().between(first, last), NO_DATE
    date, spread = dated.main_day()
    kept = ~np.isnat(date) & source.burned
    gaps = unknown.within(source.unknown_days, first, last)
    length = int((last - first).astype(np.int64)) - unknown.count(gaps, source.region.shape)
    # What burned on a day that is kept is known to have burned.
    known = source.known & ((length > 0) | kept)
    told = (known | kept) & ~np.isnan(source.burned_fraction)
    fraction = np.minimum(dated.total() + source.undated, np.float32(1))
    # What is known to have burned or not in the whole period is known in a part of it.
    days = np.maximum(np.minimum(source.observed_days, length), known)
    return {
        "start": first,
        "stop": last,
        "burned_fraction": np.where(told, fraction, np.float32(np.nan)),
        "burn_date": np.where(kept, date, nothing),
        "uncertainty": np.where(kept, spread, np.uint8(NO_UNCERTAINTY)),
        "first_look": looks_kept(source.first_look, kept),
        "observed_days": days.astype(np.int16),
        "dated": None if source.dated is None else dated,
        "stated_confidence": _confidence_without(source, source.burned & ~kept),
        "unknown_days": gaps,
        "attrs": attributes.uncounted(source.attrs) | _undated(source),
    }


def _undated(source: BurnedPlanes) -> dict[str, Any]:
    """Return the attribute that tells of which days the fractions without a date are, if there are any."""
    if not has_undated(source):
        return {}
    first, after = undated_period(source)
    return {"undated_days": [str(first), str(after)]}


def has_undated(source: BurnedPlanes) -> bool:
    """Return whether any burned fraction of a source has no date."""
    return bool((source.undated > 0).any())


def undated_period(source: BurnedPlanes) -> tuple[Day, Day]:
    """Return the days, half-open, over which the burned fractions without a date were added up.

    They are those of the source, or the longer period from which it was cut, since a cut cannot divide them.
    """
    first, after = map(as_day, source.attrs.get("undated_days") or (source.start, source.stop))
    return min(first, source.start), max(after, source.stop)
