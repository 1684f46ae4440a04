"""False alarms where something other than fire changed the ground: harvest, ploughing, snow."""

from __future__ import annotations

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, listed, ratio

__all__ = ["PREFIX", "Confounders"]

PREFIX = "confounder: "
"""Begins the name of a mask among the classes of a pair."""


class Confounders(Measure):
    """Unburned cells under each mask `confounder: NAME` of the pair, and those that the map shows burned."""

    name = "confounders"
    tables = (
        MeasureTable(
            "confounders",
            "False alarms by cause",
            "Cells per 10 000 without any burn that the map shows burned, where the ground changed by:",
            listed("confounders", "confounder", "false_per_10000", 1),
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return, by name of the confounder, unburned cells and false ones by group, (groups, 2)."""
        c = pair.cells
        quiet = c.valid & (c.reference_fraction <= 0)
        masks = {k.removeprefix(PREFIX): v > 0 for k, v in pair.classes.items() if k.startswith(PREFIX)}
        cells = {name: quiet & mask for name, mask in (masks | {"all unburned cells": quiet}).items()}
        return {name: pair.columns(mask, 1, c.map_burned[mask]) for name, mask in cells.items()}

    def value(self, sums: Arrays) -> Tree:
        """Return cells and false cells of each."""
        return {
            "confounders": [
                {"confounder": name, "cells": int(n), "false_per_10000": 1e4 * float(ratio(false, n))}
                for name, (n, false) in sums.items()
            ]
        }
