"""Scores as rows: CSV for machines, Markdown for papers, JSON for everything."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    from banet.evaluation.dating import Dating
    from banet.evaluation.evaluate import Evaluation
    from banet.evaluation.fires import SizeClass
    from banet.evaluation.scores import Scores

__all__ = [
    "class_rows",
    "dating_rows",
    "markdown_table",
    "plain",
    "score_rows",
    "shown_rows",
    "size_rows",
    "to_csv",
    "to_json",
    "write_text",
]

Row = dict[str, Any]


def score_rows(scores: Mapping[str, Scores]) -> list[Row]:
    """Return one row a map (or month, or cover): measures with the ends of their intervals."""
    return [_score_row(name, each) for name, each in scores.items()]


def _score_row(name: str, s: Scores) -> Row:
    row: Row = {"name": name, "reference": s.reference, "cells": s.cells, "hectares": s.hectares}
    for key in ("dice", "commission", "omission", "relative_bias", "soft_dice"):
        row[key] = getattr(s, key)
        if key in s.intervals:
            row[f"{key}_low"], row[f"{key}_high"] = s.intervals[key]
    row |= {
        "map_ha": s.hard.map_burned,
        "reference_ha": s.hard.reference_burned,
        "unseen_ha": s.unseen_ha,
        "unseen_burned_ha": s.unseen_burned_ha,
    }
    return row | _dating_cells(s.dating)


def _dating_cells(dating: Dating) -> Row:
    row: Row = {
        "dated_cells": dating.cells,
        "mean_days": dating.mean,
        "median_days": dating.median,
        "mean_absolute_days": dating.mean_absolute,
    }
    row |= {f"within_{day}_days": share for day, share in dating.within.items()}
    return row | {"covered_by_stated_uncertainty": dating.covered}


def class_rows(scores: Mapping[str, Scores]) -> list[Row]:
    """Return one row a map and class of burned fraction."""
    return [
        {
            "name": name,
            "burned_fraction": c.label,
            "cells": c.cells,
            "reference_ha": c.reference_ha,
            "map_ha": c.map_ha,
            "recall": c.recall,
            "soft_recall": c.soft_recall,
            "cells_found": c.cell_recall,
            "relative_bias": c.relative_bias,
        }
        for name, s in scores.items()
        for c in s.classes
    ]


def size_rows(sizes: Sequence[SizeClass]) -> list[Row]:
    """Return one row a class of fire size."""
    names = (
        "fires",
        "found",
        "reference_ha",
        "recall",
        "map_fires",
        "false_fires",
        "map_ha",
        "commission",
        "relative_bias",
    )
    return [{"fire_size": c.label} | {name: getattr(c, name) for name in names} for c in sizes]


def dating_rows(datings: Mapping[str, Dating], head: str = "name") -> list[Row]:
    """Return one row a group of date differences."""
    return [{head: name} | _dating_cells(dating) for name, dating in datings.items()]


def to_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV; what is not defined is empty."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(row.get(name)) for name in names} for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def markdown_table(rows: Sequence[Row], digits: int = 3) -> str:
    """Return rows as a Markdown table; large numbers without decimals, undefined ones as a dash."""
    heads, cells = shown_rows(rows, digits)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)])


def shown_rows(rows: Sequence[Row], digits: int = 3) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of rows as text, as `markdown_table` writes them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    heads = [name.replace("_", " ") for name in names]
    return heads, [[_shown(row.get(name), digits) for name in names] for row in rows]


def _shown(value: Any, digits: int) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def to_json(evaluation: Evaluation) -> str:
    """Return everything as JSON; what is not defined is null."""
    e = evaluation
    content = {
        "name": e.name,
        "reference": e.reference,
        "days": [None if day is None else str(day) for day in (e.comparison.start, e.comparison.stop)],
        "region": e.comparison.region.to_dict(),
        "scores": {name: s.to_dict() for name, s in e.scores.items()},
        "proportions": e.proportions.to_dict(),
        "thresholds": e.curve.rows(),
        "best_threshold": e.curve.best,
        "calibration": {
            "confidence": e.calibration.to_dict(),
            "burned_fraction": e.fraction_calibration.to_dict(),
        },
        "sizes": size_rows(e.sizes),
        "months": {name: s.to_dict() for name, s in e.months.items()},
        "covers": {name: s.to_dict() for name, s in e.covers.items()},
        "zones": {name: s.to_dict() for name, s in e.zones.items()},
        "dates_to_active_fires": {name: dating.to_dict() for name, dating in e.fires.items()},
        "dates_by_gap": {name: dating.to_dict() for name, dating in e.gaps.items()},
        "convergence": None if e.convergence is None else e.convergence.to_dict(),
    }
    return json.dumps(plain(content), indent=2, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Replace what JSON cannot hold: NaN and infinity by None, tuples by lists, keys by text."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def write_text(path: PathLike, text: str) -> None:
    """Write text to a file, whole or not at all."""
    with writing(path) as part:
        part.write_text(text, encoding="utf-8")
