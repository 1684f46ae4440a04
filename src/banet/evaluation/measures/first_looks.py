"""Dates against references that date by the first look at burned ground, such as VNP64A1 and MCD64A1."""

from __future__ import annotations

import numpy as np

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Reals, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["FirstLooks"]


def _line(whole: Tree) -> Row:
    found = whole["first_look"]
    if not found["cells"]:
        return {}
    return {
        "cells seen again": found["cells"],
        "holds the reference's day": Number(found["covered"], 2),
        "mean half-width, days": Number(found["half_width_days"], 2),
        "mean days to the first look": Number(found["wait_days"], 2),
    }


class FirstLooks(Measure):
    """Span from the map's date, less its uncertainty, to its first look at the cell on a later day.

    It is taken over cells that both sides date and that the map saw again; maps that do not tell their first
    look have none.
    """

    name = "first_look"
    tables = (
        MeasureTable(
            "first_look",
            "Dates of the first look",
            "Products that date what burned by the first look at burned ground give the day of the fire or a "
            "later one: how often the span from the burn date, less its uncertainty, to the first look at "
            "the cell on a later day holds the day of the reference, and half of its length.",
            _line,
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return cells, those whose span holds the reference's day, days of uncertainty, days to the look."""
        at = pair.both_dated
        wait, before = pair.cells.map_first_look[at], np.nan_to_num(pair.cells.map_uncertainty[at])
        seen = np.isfinite(wait)
        late = -pair.late
        held = seen & (late >= -before) & (late <= np.where(seen, wait, 0))
        spans = np.where(seen, before, 0), np.where(seen, wait, 0)
        return {"spans": pair.columns(at, seen, held, *spans)}

    def value(self, sums: Arrays) -> Tree:
        """Return the share of the spans that hold the day, and mean lengths in days; NaN without cells."""
        cells, held, before, wait = sums["spans"]
        return {
            "first_look": {
                "cells": int(cells),
                "covered": float(ratio(held, cells)),
                "half_width_days": float(ratio((before + wait) / 2, cells)),
                "wait_days": float(ratio(wait, cells)),
            }
        }

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return the share that has an interval."""
        spans = sums["spans"]
        return {"covered_to_first_look": ratio(spans[..., 1], spans[..., 0])}
