"""False alarms where something other than fire changed the ground: harvest, ploughing, snow."""

from __future__ import annotations

import numpy as np

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["PREFIX", "Confounders"]

PREFIX = "confounder: "
"""Begins the name of a mask among the classes of a pair."""


def _line(whole: Tree) -> Row:
    return {row["confounder"]: Number(row["false_per_10000"], 1) for row in whole.get("confounders", ())}


class Confounders(Measure):
    """Unburned cells under each mask `confounder: NAME` of the pair, and those that the map shows burned."""

    name = "confounders"
    tables = (
        MeasureTable(
            "confounders",
            "False alarms by cause",
            "Cells per 10 000 without any burn that the map shows burned, where the ground changed by:",
            _line,
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return, by name of the confounder, unburned cells and false ones by group, (groups, 2)."""
        c = pair.cells
        quiet = c.valid & (c.reference_fraction <= 0)
        masks = {k.removeprefix(PREFIX): v for k, v in pair.classes.items() if k.startswith(PREFIX)}
        every = masks | {"all unburned cells": np.ones(quiet.shape, bool)}
        return {
            name: np.concatenate(
                [pair.add(quiet & (mask > 0) & part, 1) for part in (True, c.map_burned)], axis=1
            )
            for name, mask in every.items()
        }

    def value(self, sums: Arrays) -> Tree:
        """Return cells and false cells of each."""
        return {
            "confounders": [
                {"confounder": name, "cells": int(n), "false_per_10000": 1e4 * float(ratio(false, n))}
                for name, (n, false) in sums.items()
            ]
        }
