"""Scores by month, land cover, region or any other classes of cells, each with its own intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from banet.evaluation.compare import Comparison
from banet.evaluation.measures import HEADLINE, Pair
from banet.evaluation.measures.measure import check_shape
from banet.evaluation.scores import Scores
from banet.evaluation.sums import Sums

__all__ = ["by_class", "by_month"]


def by_class(
    comparison: Comparison,
    classes: npt.NDArray[np.integer],
    names: Mapping[int, str] | None = None,
    *,
    block: int = 20,
    draws: int = 0,
) -> dict[str, Scores]:
    """Score each class of cells by itself.

    Args:
        comparison: map and reference.
        classes: (rows, columns), such as land cover; cells below 0 are left out.
        names: of the classes; by default their numbers.
        block: of the bootstrap.
        draws: of the bootstrap.

    Raises:
        InputError: if the classes have another shape.
    """
    check_shape(comparison, classes, "classes")
    numbers = np.unique(classes[(classes >= 0) & comparison.valid])
    parts = {(names or {}).get(int(n), str(n)): comparison.narrowed(classes == n) for n in numbers}
    return {name: _scores(part, name, block, draws) for name, part in parts.items()}


def _scores(comparison: Comparison, name: str, block: int, draws: int) -> Scores:
    return Scores.of(Sums.of(Pair.of(comparison, block), HEADLINE), name=name, draws=draws)


def by_month(comparison: Comparison, *, block: int = 20, draws: int = 0) -> dict[str, Scores]:
    """Score each calendar month by itself: cells that either side dates in another month count as unburned.

    A cell that the map dates in another month than the reference is missed in the one and false in the other.
    """
    dates = np.concatenate([comparison.map_date.ravel(), comparison.reference_date.ravel()])
    months = np.unique(dates[~np.isnat(dates)].astype("datetime64[M]"))
    return {str(month): _scores(_within(comparison, month), str(month), block, draws) for month in months}


def _within(c: Comparison, month: np.datetime64) -> Comparison:
    nat = np.datetime64("NaT", "D")
    mine = c.map_date.astype("datetime64[M]") == month
    theirs = c.reference_date.astype("datetime64[M]") == month
    return replace(
        c,
        map_fraction=np.where(mine | np.isnat(c.map_date), c.map_fraction, 0),
        map_burned=c.map_burned & mine,
        map_date=np.where(mine, c.map_date, nat),
        reference_fraction=np.where(theirs, c.reference_fraction, 0),
        reference_burned=c.reference_burned & theirs,
        reference_date=np.where(theirs, c.reference_date, nat),
    )
