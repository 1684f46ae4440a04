"""Tables of a benchmark, made from its JSON alone, so that recorded results can be shown anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from banet.evaluation.tables import markdown_table

__all__ = ["TABLES", "markdown", "rows_of"]

Row = dict[str, Any]
Tree = Mapping[str, Any]


def _number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _ranged(scores: Tree, name: str, value: float | None, digits: int = 3) -> str:
    low, high = scores["intervals"].get(name) or (None, None)
    if value is None or low is None or high is None:
        return _number(value, digits)
    return f"{_number(value, digits)} ({_number(low, digits)}-{_number(high, digits)})"


def _headline(name: str, scores: Tree) -> Row:
    hard, dates = scores["hard"], scores["dating"]
    return {
        "map": name,
        "Dice": _ranged(scores, "dice", hard["dice"]),
        "commission": _ranged(scores, "commission", hard["commission"]),
        "omission": _ranged(scores, "omission", hard["omission"]),
        "bias": _number(hard["relative_bias"], 2, sign=True),
        "mean abs. days": _ranged(scores, "mean_absolute_days", dates["mean_absolute_days"], 2),
        "date bias": _number(dates["mean_days"], 2, sign=True),
        "same day": _number(dates["within"]["0"], 2),
        "within 2 days": _number(dates["within"]["2"], 2),
    }


def overall(tree: Tree) -> list[Row]:
    """Return the head table: one row a method, with 95 % intervals."""
    return [_headline(name, method["overall"]["scores"]) for name, method in tree["methods"].items()]


def climates(tree: Tree) -> list[Row]:
    """Return Dice by climate with intervals."""
    return [
        {"map": name}
        | {
            climate: _ranged(scores, "dice", scores["hard"]["dice"], 2)
            for climate, scores in method["climates"].items()
        }
        for name, method in tree["methods"].items()
    ]


def fractions(tree: Tree) -> list[Row]:
    """Return the share of cells shown burned by class of true burned fraction, and false alarms."""
    return [
        {"map": name}
        | {
            _class_name(c["class"]): _number(c["cell_recall"], 4 if c["high"] == 0 else 2)
            for c in method["overall"]["scores"]["classes"]
        }
        for name, method in tree["methods"].items()
    ]


def fraction_bias(tree: Tree) -> list[Row]:
    """Return the relative bias of mapped burned fraction by class of true burned fraction."""
    return [
        {"map": name}
        | {
            c["class"]: _number(c["relative_bias"], 2, sign=True)
            for c in method["overall"]["scores"]["classes"]
            if c["high"] > 0
        }
        for name, method in tree["methods"].items()
    ]


def _class_name(label: str) -> str:
    return "unburned cells" if label == "unburned" else label


def calibration(tree: Tree) -> list[Row]:
    """Return Brier score, calibration error, and how often the stated date interval holds the true day."""
    found = []
    for name, method in tree["methods"].items():
        whole = method["overall"]
        sure, scores = whole["confidence"], whole["scores"]
        found.append(
            {
                "map": name,
                "Brier score": _number(sure["brier"], 5),
                "skill": _number(sure["skill"], 3),
                "calibration error": _number(sure["calibration_error"], 5),
                "from 5 % on": _number(sure["calibration_error_from_5_percent"], 3),
                "date interval holds the day": _ranged(
                    scores, "covered", scores["dating"]["covered_by_stated_uncertainty"]
                ),
                "mean stated days": _number(whole["uncertainty"]["mean_days"], 2),
            }
        )
    return found


def sizes(tree: Tree) -> list[Row]:
    """Return the share of fires found by their size."""
    return [
        {"map": name}
        | {
            row["fire_size"]: _number(row["found"] / row["fires"] if row["fires"] else None, 2)
            for row in method["overall"]["sizes"]
        }
        for name, method in tree["methods"].items()
    ]


def covers(tree: Tree) -> list[Row]:
    """Return Dice by land cover."""
    return [
        {"map": name}
        | {cover: _number(scores["dice"], 2) for cover, scores in method["overall"]["covers"].items()}
        for name, method in tree["methods"].items()
    ]


def gaps(tree: Tree) -> list[Row]:
    """Return the mean absolute date difference by days between the observations around the fire."""
    return [
        {"map": name}
        | {f"{row['gap_days']} d": _number(row["mean_absolute_days"], 2) for row in method["overall"]["gaps"]}
        for name, method in tree["methods"].items()
    ]


def proportions(tree: Tree) -> list[Row]:
    """Return the regression of burned share in blocks of 5 km, and the best threshold."""
    return [
        {
            "map": name,
            "blocks": method["overall"]["proportions"]["blocks"],
            "slope": _number(method["overall"]["proportions"]["slope"]),
            "intercept": _number(method["overall"]["proportions"]["intercept"], 4, sign=True),
            "R2": _number(method["overall"]["proportions"]["r2"]),
            "best threshold": _number(method["overall"]["best_threshold"], 2),
        }
        for name, method in tree["methods"].items()
    ]


def seasons(tree: Tree) -> list[Row]:
    """Return Dice of every season."""
    names = [season["name"] for season in tree["protocol"]["seasons"]]
    shown = {name: _short_name(name, tree) for name in tree["methods"]}
    return [
        {"season": season, "days": _days_of(tree, season)}
        | {
            shown[name]: _number(method["seasons"][season]["dice"], 2)
            for name, method in tree["methods"].items()
        }
        for season in names
    ]


def _short_name(name: str, tree: Tree) -> str:
    return name if tree["methods"][name]["candidate"] else name.replace("active fires", "fires")


def _days_of(tree: Tree, season: str) -> int:
    return next(int(s["days"]) for s in tree["protocol"]["seasons"] if s["name"] == season)


def convergence(tree: Tree, ages: Sequence[int] = (0, 1, 2, 3, 5, 7, 10, 15, 20)) -> list[Row]:
    """Return how maps made day by day come to agree with the final map and the truth."""
    found = []
    for name, one in tree["convergence"].items():
        for label, key, digits in _CURVES:
            values = {int(row["age"]): row[key] for row in one["ages"]}
            found.append(
                {"map": name, "by days since burning": label}
                | {str(age): _number(values.get(age), digits) for age in ages}
            )
    return found


_CURVES = (
    ("Dice with the final map", "dice_final", 2),
    ("Dice with the truth", "dice_truth", 2),
    ("recall of the truth", "recall", 2),
    ("date change to the final map, days", "date_change", 2),
)


def first_mapped(tree: Tree) -> list[Row]:
    """Return how soon fires of at least some hectares are first mapped."""
    found = []
    for name, one in tree["convergence"].items():
        for row in one["fires"]:
            median = row["median_days"]
            found.append(
                {"map": name, "fires of at least": f"{row['least_ha']:g} ha", "fires": row["fires"]}
                | {"median days": "never" if median is None and row["fires"] else _number(median, 0)}
                | {
                    key.replace("_", " "): _number(value, 2)
                    for key, value in row.items()
                    if key.startswith("within")
                }
                | {"never": row["never"]}
            )
    return found


def greece(tree: Tree) -> list[Row]:
    """Return the scores on the real Greek scene."""
    return [
        _headline(name, one["scores"])
        | {
            "date interval holds the day": _number(
                one["scores"]["dating"]["covered_by_stated_uncertainty"], 2
            )
        }
        for name, one in tree["greece"].items()
    ]


TABLES: dict[str, tuple[str, str, Callable[[Tree], list[Row]]]] = {
    "overall": (
        "All seasons",
        "Hectares of all seasons added up; in brackets 95 % intervals by drawing blocks of 16 cells anew. "
        "Days are map minus truth over cells that both show burned.",
        overall,
    ),
    "climates": ("Dice by climate", "In brackets 95 % intervals.", climates),
    "fractions": (
        "Low fractions",
        "Share of cells shown burned, by true burned fraction of the cell; for unburned cells these are "
        "false alarms. A map is asked to show cells of which half burned: 0.5-0.75 and 0.75-1 should be 1.",
        fractions,
    ),
    "fraction_bias": (
        "Bias of the burned fraction",
        "(mapped - true) / true hectares, by true burned fraction of the cell.",
        fraction_bias,
    ),
    "calibration": (
        "Calibration",
        "Confidence against cells of which at least half burned. The calibration error is the mean of "
        "|stated - observed| over classes of 5 %, weighted by area; 'from 5 % on' leaves out cells that "
        "nobody calls burned. The last two columns are the share of cells whose true day lies within the "
        "stated days of the map's date, and the mean of what is stated.",
        calibration,
    ),
    "sizes": ("Fires found, by size", "Share of the truth's fires of which the map shows a cell.", sizes),
    "covers": ("Dice by land cover", "By the most frequent cover of the cell.", covers),
    "gaps": (
        "Dates by gap between clear looks",
        "Mean absolute difference in days, by the days from the last clear look before the fire to the first "
        "on its day or after. A look is clear where red is below 0.3.",
        gaps,
    ),
    "proportions": (
        "Burned share in blocks of 5 km",
        "Map share = intercept + slope x true share, by least squares. The best threshold is that on the "
        "burned fraction with the largest Dice.",
        proportions,
    ),
    "convergence": (
        "Near real time",
        "The longest season of each climate is mapped again for each day that has the whole sequence of days "
        "behind it, from what had been observed by then. Columns are days since burning.",
        convergence,
    ),
    "first_mapped": (
        "How soon a fire is first mapped",
        "Days from a fire's first day to the first map that shows at least a tenth of what had burned by "
        "then, of fires that began within the replay; shares are of fires that were followed so long.",
        first_mapped,
    ),
    "greece": (
        "Greece, August 2021 (real)",
        "Against VNP64A1, burn days 2 to 9 August, protocol of `banet.evaluation.greek`.",
        greece,
    ),
    "seasons": ("Dice by season", "", seasons),
}
"""Title, words and rows of each table, by name."""


def rows_of(tree: Tree, name: str) -> list[Row]:
    """Return the rows of a table; none where the benchmark did not measure it."""
    return TABLES[name][2](tree)


def markdown(tree: Tree, names: Sequence[str] | None = None, *, level: int = 2) -> str:
    """Return tables as Markdown, each under its title.

    Args:
        tree: the JSON of a benchmark.
        names: which tables, in order; all by default.
        level: of the headings.
    """
    parts = []
    for name in names or TABLES:
        title, words, _ = TABLES[name]
        rows = rows_of(tree, name)
        if rows:
            text = f"{words}\n\n" if words else ""
            parts.append(f"{'#' * level} {title}\n\n{text}{markdown_table(rows)}")
    return "\n\n".join(parts) + "\n"
