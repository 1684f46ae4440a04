"""Maps of single months as one map."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.errors import InputError

if TYPE_CHECKING:
    from banet.burned_area.burnmap import BurnMap

__all__ = ["join_months"]


def join_months(maps: Sequence[BurnMap]) -> BurnMap:
    """Join maps of one region whose periods do not overlap.

    Each cell takes all that is said of it from the map with the largest burned fraction, the first of equal
    ones; days of observation add up. Cells that burn twice keep the stronger burn, as a single map does.

    Args:
        maps: in any order; gaps between their periods are allowed.

    Raises:
        InputError: if there is none, or grids, thresholds or periods do not fit together.
    """
    ordered = sorted(maps, key=lambda one: one.start)
    if not ordered:
        raise InputError("no map to join")
    first, last = ordered[0], ordered[-1]
    for before, after in itertools.pairwise(ordered):
        if after.region != first.region or after.threshold != first.threshold:
            raise InputError(
                f"maps of {first.region.name} and {after.region.name} differ in grid or threshold"
            )
        if after.start < before.stop:
            raise InputError(f"the map from {after.start} overlaps the one that ends on {before.stop - 1}")
    strength = np.stack([np.nan_to_num(one.burned_fraction, nan=-1) for one in ordered])
    best = strength.argmax(axis=0)
    planes: dict[str, Any] = {}
    for item in fields(first):
        value = getattr(first, item.name)
        if isinstance(value, np.ndarray) and value.shape == first.region.shape:
            stack = np.stack([getattr(one, item.name) for one in ordered])
            planes[item.name] = np.take_along_axis(stack, best[None], axis=0)[0]
    planes["observed_days"] = np.sum([one.observed_days for one in ordered], axis=0).astype(np.int16)
    return replace(first, stop=last.stop, **planes)
