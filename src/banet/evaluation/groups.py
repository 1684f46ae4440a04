"""The same scores by month, land cover, region or any other classes of cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.scores import Scores, score_tally
from banet.evaluation.tally import Tally, tally

__all__ = ["by_class", "by_month", "pooled"]


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
    if classes.shape != comparison.region.shape:
        raise InputError(
            f"classes of {classes.shape} do not fit the {comparison.region.shape} cells compared"
        )
    found = {}
    for number in np.unique(classes[(classes >= 0) & comparison.valid]):
        name = (names or {}).get(int(number), str(number))
        sums = tally(comparison.narrowed(classes == number), block)
        found[name] = score_tally(sums, name=name, draws=draws)
    return found


def by_month(comparison: Comparison, *, block: int = 20, draws: int = 0) -> dict[str, Scores]:
    """Score each calendar month by itself: cells that either side dates in another month count as unburned.

    A cell that the map dates in another month than the reference is missed in the one and false in the other.
    """
    dates = np.concatenate([comparison.map_date.ravel(), comparison.reference_date.ravel()])
    months = np.unique(dates[~np.isnat(dates)].astype("datetime64[M]"))
    found = {}
    for month in months:
        sums = tally(_within(comparison, month), block)
        found[str(month)] = score_tally(sums, name=str(month), draws=draws)
    return found


def _within(c: Comparison, month: np.datetime64) -> Comparison:
    from dataclasses import replace

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


def pooled(
    parts: Mapping[str, Comparison], *, name: str = "all", block: int = 20, draws: int = 0
) -> dict[str, Scores]:
    """Score several regions or scenes, each by itself and all together (hectares added up).

    Raises:
        InputError: if there is none.
    """
    sums = {key: tally(part, block) for key, part in parts.items()}
    each = {key: score_tally(one, name=key, draws=draws) for key, one in sums.items()}
    return each | {name: score_tally(Tally.join(list(sums.values())), name=name, draws=draws)}
