"""Tables of a result, made from its JSON alone, so that recorded results can be shown anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from banet.days import as_day
from banet.evaluation.measures import MEASURES, Tree
from banet.evaluation.measures.agreement import sides_of
from banet.evaluation.measures.dates import date_columns
from banet.evaluation.result import WITH_NETWORK
from banet.evaluation.scores import headline
from banet.io.tables import Number, Row, to_markdown

__all__ = ["NAMES", "Shown", "as_markdown", "dating_row", "markdown", "numbers_of", "rows_of", "score_row"]
__all__ += ["burned_cells", "burned_parts", "days_column", "days_of", "tables_of", "title_of", "words"]

Rows = Sequence[Row]
_RowsOf = Callable[[Tree], Rows]


class Shown(NamedTuple):
    """A table to read: its name, title, the words under the title, and rows."""

    name: str
    title: str
    words: str
    rows: Rows


def _wholes(tree: Tree) -> dict[str, Tree]:
    return {name: method["overall"] for name, method in tree["methods"].items()}


def _each(line: Callable[[Tree], Row], of: Callable[[Tree], Mapping[str, Any]] = _wholes) -> _RowsOf:
    """Return the function that makes one line a map; no rows where all lines are empty."""

    def rows(tree: Tree) -> Rows:
        lines = {name: line(one) for name, one in of(tree).items()}
        return [{"map": name} | row for name, row in lines.items()] if any(lines.values()) else []

    return rows


def _climates(method: Tree) -> Row:
    return {
        climate: Number(scores["hard"]["dice"], 2, interval=scores["intervals"].get("dice"))
        for climate, scores in method["climates"].items()
    }


def _group(kind: str) -> _RowsOf:
    return lambda tree: [{"class": name} | headline(scores) for name, scores in tree.get(kind, {}).items()]


def _overall(tree: Tree) -> Rows:
    return [
        {"map": name} | days_column(tree, name) | headline(whole["scores"])
        for name, whole in _wholes(tree).items()
    ]


def days_column(tree: Tree, name: str) -> Row:
    """Return the column with the days of a map where maps of a result were compared on different ones."""
    if not tree.get("other_days"):
        return {}
    start, stop = days_of(tree, name).values()
    return {"days": f"{start} to {as_day(stop) - 1}"}


def days_of(tree: Tree, name: str) -> Row:
    """Return `start` and `stop` of the days on which a map was compared, half-open; none of a benchmark."""
    days = tree.get("other_days", {}).get(name, tree.get("days"))
    return {} if days is None else {"start": days[0], "stop": days[1]}


def _dates(tree: Tree) -> Rows:
    if "name" not in tree:
        return []
    scores = {name: whole["scores"] for name, whole in _wholes(tree).items()}
    held = {f"{name}, against {one['reference']}": one["dating"] for name, one in scores.items()}
    held |= {f"{name}, against active fires": one for name, one in tree["dates_to_active_fires"].items()}
    return [{"map": name} | dating_row(one) for name, one in held.items()]


def dating_row(one: Tree) -> Row:
    """Return the columns of a table of dates from the dict of `Dating`."""
    return {
        "cells": one["cells"],
        "mean days": Number(one["mean_days"], 2, sign=True),
        "median": Number(one["median_days"], 1, sign=True),
        "mean abs.": Number(one["mean_absolute_days"], 2),
        **{f"within {day} d": Number(share, 2) for day, share in one["within"].items()},
        "interval holds the day": Number(one["covered_by_stated_uncertainty"], 2),
    }


_CURVES = {
    "Dice with the final map": "dice_final",
    "Dice with the truth": "dice_truth",
    "recall of the truth": "recall",
    "date change to the final map, days": "date_change",
}
_AGES = (0, 1, 2, 3, 5, 7, 10, 15, 20)


def _convergence(tree: Tree) -> Rows:
    found: list[Row] = []
    for name, one in tree["convergence"].items():
        ages = {int(row["age"]): row for row in one["ages"]}
        for label, key in _CURVES.items():
            shown = {str(age): Number(ages[age][key] if age in ages else None, 2) for age in _AGES}
            found.append({"map": name, "by days since burning": label} | shown)
    return found


def _first_mapped(tree: Tree) -> Rows:
    found: list[Row] = []
    for name, one in tree["convergence"].items():
        for row in one["fires"]:
            median = row["median_days"]
            found.append(
                {"map": name, "fires of at least": f"{row['least_ha']:g} ha", "fires": row["fires"]}
                | {"median days": "never" if median is None and row["fires"] else Number(median, 0)}
                | {k.replace("_", " "): Number(v, 2) for k, v in row.items() if k.startswith("within")}
                | {"never": row["never"]}
            )
    return found


def _greece(whole: Tree) -> Row:
    covered = whole["scores"]["dating"]["covered_by_stated_uncertainty"]
    return headline(whole["scores"]) | {"date interval holds the day": Number(covered, 2)}


def _stress(of: Tree) -> Row:
    """Mean and worst Dice over the stresses, then each; nothing where none is defined."""
    dice = {stress: scores["dice"] for stress, scores in of.items()}
    known = {stress: value for stress, value in dice.items() if value is not None}
    if not known:
        return {}
    least, mean = min(known, key=lambda stress: known[stress]), sum(known.values()) / len(known)
    head = {"mean": Number(mean, 2), "worst": Number(known[least], 2), "which": least}
    return head | {stress: Number(value, 2) for stress, value in dice.items()}


def _seasons(tree: Tree) -> Rows:
    short = {
        name if method[WITH_NETWORK] else name.replace("active fires", "fires"): method["seasons"]
        for name, method in tree["methods"].items()
    }
    return [
        {"season": season["name"], "days": season["days"]}
        | {name: Number(seasons[season["name"]]["dice"], 2) for name, seasons in short.items()}
        for season in tree.get("protocol", {}).get("seasons", ())
    ]


_INTERVALS = "In brackets 95 % intervals."
_ALL: tuple[tuple[str, str, str, _RowsOf], ...] = (
    (
        "overall",
        "All seasons",
        "Hectares of all seasons added up; in brackets 95 % intervals by drawing blocks of 16 cells anew. "
        "The bias of fractions is that of the area that burned fractions of all cells add up to. "
        "Days are map minus truth over cells that both show burned.",
        _overall,
    ),
    ("climates", "Dice by climate", _INTERVALS, _each(_climates, lambda tree: tree["methods"])),
    ("zones", "By region", _INTERVALS, _group("zones")),
    ("months", "By month", _INTERVALS, _group("months")),
    ("covers", "By land cover", _INTERVALS, _group("covers")),
    ("dates", "Dates", "Map minus reference, in days.", _dates),
    *((it.name, it.title, it.words, _each(it.line)) for one in MEASURES for it in one.tables),
    (
        "stress",
        "Under stress",
        "Dice on seasons that are changed: the worst column stands beside the mean.",
        _each(_stress, lambda tree: tree.get("stress", {})),
    ),
    (
        "convergence",
        "Near real time",
        "The longest season of each climate is mapped again for each day that has the whole sequence of days "
        "behind it, from what had been observed by then. Columns are days since burning.",
        _convergence,
    ),
    (
        "first_mapped",
        "How soon a fire is first mapped",
        "Days from a fire's first day to the first map that shows at least a tenth of what had burned by "
        "then, of fires that began within the replay; shares are of fires that were followed so long.",
        _first_mapped,
    ),
    (
        "greece",
        "Greece, August 2021 (real)",
        "Against VNP64A1, burn days 2 to 9 August, protocol of `banet.evaluation.benchmark.greek`.",
        _each(_greece, lambda tree: tree.get("greece", {})),
    ),
    ("seasons", "Dice by season", "", _seasons),
)
NAMES = tuple(dict.fromkeys(name for name, *_ in _ALL))
"""Of the tables, in order."""

_ONE_BLOCK = "a dash where one block holds all"
_IN_BRACKETS = f"In brackets 95 % intervals, {_ONE_BLOCK}"
_ONE_SCENE = {
    "overall": (
        "Scores",
        f"In brackets 95 % intervals by drawing square blocks of cells anew, {_ONE_BLOCK}. "
        "Days are map minus reference over cells that both show burned.",
    ),
    "zones": ("By region", f"{_IN_BRACKETS}."),
    "covers": ("By land cover", f"{_IN_BRACKETS}."),
    "months": (
        "By month",
        f"{_IN_BRACKETS}. Dashes alone: a side says nothing of that month. Undated: shown burned by a side, "
        "and dated by neither.",
    ),
    "convergence": ("Near real time", "Columns are days since burning."),
}


def tables_of(tree: Tree, names: Sequence[str] | None = None) -> list[Shown]:
    """Return each table that a result's JSON has something for."""
    other = {} if "protocol" in tree else _ONE_SCENE
    parts = burned_parts([tree])

    def told(title: str, text: str) -> tuple[str, str]:
        for side, part in parts.items():
            text = text.replace(f"{{{side}}}", part)
        return title, text

    found = [
        Shown(name, *told(*other.get(name, (title, text))), make(tree))
        for asked in names or NAMES
        for name, title, text, make in _ALL
        if name == asked
    ]
    return [table for table in found if table.rows]


def rows_of(tree: Tree, name: str) -> Rows:
    """Return the rows of a table; none where the result does not have it."""
    return next((table.rows for table in tables_of(tree, [name])), [])


def as_markdown(tables: Iterable[Shown], level: int = 2, form: Callable[[Rows], str] = to_markdown) -> str:
    """Return tables as Markdown, each under its title; `form` writes the rows otherwise."""
    parts = []
    for _, title, text, rows in tables:
        parts += [f"{'#' * level} {title}", *([text] if text else []), form(rows)]
    return "\n\n".join(parts) + "\n"


def markdown(tree: Tree, names: Sequence[str] | None = None, **options: Any) -> str:
    """Return tables of a result's JSON, all or some, as Markdown; options of `as_markdown`."""
    return as_markdown(tables_of(tree, names), **options)


def numbers_of(tree: Tree) -> dict[str, Rows]:
    """Return all numbers for machines by name, and the tables to read where those hold something else."""
    methods = _wholes(tree)
    found: dict[str, Rows] = {
        "scores": [score_row(name, whole["scores"]) | days_of(tree, name) for name, whole in methods.items()],
        "climates": [
            {"climate": climate} | score_row(name, scores)
            for name, method in tree["methods"].items()
            for climate, scores in method["climates"].items()
        ],
        **{k: [score_row(*one) for one in tree.get(k, {}).items()] for k in ("months", "zones", "covers")},
    }
    for measure in MEASURES:
        file = measure.file or measure.name
        rows = [{"map": name} | row for name, whole in methods.items() for row in measure.rows(whole)]
        found[file] = [*found.get(file, []), *rows]
    for file, key in (("convergence", "ages"), ("first_mapped", "fires")):
        found[file] = [{"map": n} | row for n, one in tree["convergence"].items() for row in one[key]]
    for table in tables_of(tree):
        file = f"{table.name}_summary" if table.name == "calibration" else table.name
        if not found.get(file) and file != "overall":
            found[file] = table.rows
    return {file: rows for file, rows in found.items() if rows}


def score_row(name: str, scores: Tree) -> Row:
    """Return all figures of scores, from their dict, as columns for machines."""
    hard = scores["hard"]
    row: Row = {"name": name} | {key: scores[key] for key in ("reference", "cells", "hectares")}
    figures = {key: hard[key] for key in ("dice", "commission", "omission", "relative_bias")}
    for key, value in (figures | {"soft_dice": scores["soft"]["dice"]}).items():
        row[key] = Number(value, interval=scores["intervals"].get(key))
    return row | {
        **sides_of(hard),
        "unseen_ha": scores["unseen_ha"],
        "unseen_burned_ha": scores["unseen_burned_ha"],
        **date_columns(scores["dating"]),
    }


def title_of(tree: Tree) -> str:
    """Return the title of what was measured."""
    return "The benchmark" if "protocol" in tree else f"{tree['name']} against {tree['reference']}"


def burned_parts(trees: Iterable[Tree]) -> dict[str, str]:
    """Return in words the parts of a cell from which on it counts as burned in maps and in references."""
    found: dict[str, list[float]] = {"map": [], "reference": []}
    for settings in (tree["settings"] for tree in trees if "settings" in tree):
        found["map"] += settings["threshold"].values()
        found["reference"].append(settings["reference_threshold"])
    return {
        side: " or ".join(dict.fromkeys("half" if one == 0.5 else f"{one:g}" for one in values)) or "half"
        for side, values in found.items()
    }


def burned_cells(trees: Iterable[Tree]) -> str:
    """Return in words, after 'at least', from what part on a cell counts as burned on both sides."""
    mapped, expected = burned_parts(trees).values()
    return mapped if mapped == expected else f"{mapped} in the map and {expected} in the reference"


def words(tree: Tree) -> str:
    """Say what was measured, in a few sentences."""
    scores = next(iter(_wholes(tree).values()))["scores"]
    if "protocol" not in tree:
        return _of_one_scene(tree, scores)
    seasons = tree["protocol"]["seasons"]
    days = sorted({season["days"] for season in seasons})
    climates = next(iter(tree["methods"].values()))["climates"]
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
    return (
        f"{len(seasons)} simulated seasons of {span} days in {len(climates)} climates, {scores['cells']:,} "
        "valid cells of 0.01 degrees; their seeds are never drawn from in training. Accuracy here is "
        "simulated accuracy: against the simulator's exact truth, with its clouds, smoke, view geometry and "
        "noise. A cell counts as burned where at least half of it burned; cells that a map did not observe "
        "count as mapped unburned; water does not count."
    )


def _of_one_scene(tree: Tree, scores: Tree) -> str:
    region, (start, stop) = tree["region"], tree["days"]
    return (
        f"{tree['name']} against {tree['reference']}: {region['name']}, {start} up to, not including, "
        f"{stop}, cells of {region['pixel_size']:g} degrees, {scores['cells']:,} of them valid "
        f"({scores['hectares'] or 0:,.0f} ha); {scores['unseen_ha']:,.0f} ha were not observed by the map, "
        f"of which {scores['unseen_burned_ha']:,.0f} ha burned. Areas on the WGS84 ellipsoid. "
        + " ".join(_options(tree))
    ).rstrip()


def _options(tree: Tree) -> Iterator[str]:
    """Sentences on how a scene was scored, where it is recorded."""
    if (asked := tree.get("settings")) is None:
        return
    yield f"A cell counts as burned from this part on: {burned_cells([tree])}."
    if asked["unobserved"] == "unburned":
        yield "Cells that the map did not observe count as mapped unburned."
    if asked["exclude_within"] is not None:
        near = f"within {asked['exclude_within']:g} cells of what the reference dates on other days"
        yield f"Cells {near} are left out."
    if asked["reliable"]:
        yield "Cells that the reference did not see reliably on all days are left out."
    if asked["valid_cells"] is not None:
        yield f"A mask lets {asked['valid_cells']:,} cells count."
    for name, (start, stop) in tree["other_days"].items():
        yield f"{name} was compared on other days: {start} up to, not including, {stop}."
    for name, (start, stop) in tree["undated_days"].items():
        yield f"Burned fractions without a date are of {start} up to, not including, {stop} in {name}."
        yield "They do not count, since they may be of other days."
