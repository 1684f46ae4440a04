"""Sources of one region joined and cut in time: months to a season, a season to its days."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from banet.burned_area import attributes, unknown
from banet.burned_area.burned_planes import BurnedPlanes
from banet.burned_area.dated import DatedFractions
from banet.burned_area.dating import NO_UNCERTAINTY, looks_kept
from banet.burned_area.evidence import NO_EVIDENCE
from banet.burned_area.meaning import made_by
from banet.days import NO_DATE, Day, as_day, period_label
from banet.errors import InputError

__all__ = ["fields_between", "has_undated", "in_order", "join", "notes_on", "undated_period"]

Source = TypeVar("Source", bound=BurnedPlanes)

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
    ones; days of observation add up; days between the parts are unknown. Cells that burn twice keep the
    stronger burn, as a single map does. Where a part holds several dates a cell, all entries are kept and
    cells are dated from them anew. Quality of products is not carried over. Attributes are those of the
    first, but for what tells of all parts (`banet.burned_area.attributes`).

    Raises:
        InputError: if there is none, or grids, thresholds or periods do not fit together.
    """
    ordered = in_order(parts)
    first, last = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return first
    planes = _strongest(ordered)
    if any(one.dated is not None for one in ordered):
        planes |= _from_entries(ordered, planes["burned_fraction"])
    attrs = attributes.joined([(period_label(one.start, one.stop), one.attrs) for one in ordered])
    return replace(first, stop=last.stop, quality=None, unknown_days=_unknown(ordered), attrs=attrs, **planes)


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
        if after.region != first.region or after.threshold != first.threshold:
            raise InputError(
                f"maps of {first.region.name} and {after.region.name} differ in grid or threshold"
            )
        if after.start < before.stop:
            raise InputError(
                f"the map from {after.start} overlaps the one that ends on {before.stop - 1}: what both show "
                "would count twice; give one of them"
            )
    return ordered


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
    fraction = np.where(burned, dated.total(), strongest)
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
    fraction = np.where(source.burned, dated.total(), source.burned_fraction)
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
    return bool((~source.burned & (source.burned_fraction > 0)).any())


def undated_period(source: BurnedPlanes) -> tuple[Day, Day]:
    """Return the days, half-open, over which the burned fractions without a date were added up.

    They are those of the source, or the longer period from which it was cut, since a cut cannot divide them.
    """
    first, after = map(as_day, source.attrs.get("undated_days") or (source.start, source.stop))
    return min(first, source.start), max(after, source.stop)
