"""A result as files: JSON, CSV and Markdown tables, pictures, and one page that holds all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from banet.evaluation import pictures as drawing
from banet.evaluation.measures import MEASURES, Tree
from banet.evaluation.measures.dates import date_columns
from banet.evaluation.result import Result, leader
from banet.evaluation.tables import markdown, tables_of, words
from banet.io.files import output_folder
from banet.io.tables import Row, to_csv, to_html, to_json, write_text

__all__ = ["score_row", "write_result"]


def write_result(
    result: Result, out: Path, *, name: str = "evaluation", pictures: bool = True
) -> dict[str, Path]:
    """Write a result as JSON, CSV and Markdown, with pictures and a page too, and return the paths by name.

    Args:
        result: of an evaluation or of the benchmark.
        out: folder, made if needed.
        name: of the JSON, Markdown and HTML files.
        pictures: whether to draw pictures and write the page.

    Raises:
        OutputError: if it cannot be written.
    """
    folder = output_folder(out)
    tree = result.to_dict()
    paths = {"json": folder / f"{name}.json", "markdown": folder / f"{name}.md"}
    write_text(paths["json"], to_json(tree if "protocol" in tree else _one_scene(tree) | tree))
    title = "The benchmark" if "protocol" in tree else f"{tree['name']} against {tree['reference']}"
    write_text(paths["markdown"], f"# {title}\n\n{words(tree)}\n\n{markdown(tree)}")
    for file, rows in _csv(tree).items():
        if rows:
            paths[f"{file}_csv"] = folder / f"{file}.csv"
            write_text(paths[f"{file}_csv"], to_csv(rows))
    if pictures:
        drawn = drawing.draw(result, tree, folder / drawing.FOLDER if "protocol" in tree else folder)
        paths |= drawn
        paths["page"] = _page(tree, title, folder, f"{name}.html", drawn)
    return paths


def _one_scene(tree: Tree) -> dict[str, Any]:
    """What is said of the first map, and the scores of all, at the top of the file of a single scene."""
    whole = tree["methods"][tree["name"]]["overall"]
    kept = ("proportions", "thresholds", "best_threshold", "sizes", "edges", "dates_by_gap")
    return {
        "scores": {name: method["overall"]["scores"] for name, method in tree["methods"].items()},
        "calibration": {"confidence": whole["confidence"], "burned_fraction": whole["fraction"]},
        **{key: whole[key] for key in kept},
    }


def _csv(tree: Tree) -> dict[str, Sequence[Row]]:
    """All numbers for machines, and the tables to read where those hold something else."""
    methods = {name: method["overall"] for name, method in tree["methods"].items()}
    found: dict[str, Sequence[Row]] = {
        "scores": [score_row(name, whole["scores"]) for name, whole in methods.items()],
        "climates": [
            {"climate": climate} | score_row(name, scores)
            for name, method in tree["methods"].items()
            for climate, scores in method["climates"].items()
        ],
    }
    for kind in ("months", "zones", "covers"):
        found[kind] = [score_row(name, scores) for name, scores in tree.get(kind, {}).items()]
    for measure in MEASURES:
        file = measure.file or measure.name
        every = [{"map": name} | row for name, whole in methods.items() for row in measure.rows(whole)]
        found[file] = [*found.get(file, []), *every]
    for file, key in (("convergence", "ages"), ("first_mapped", "fires")):
        found[file] = [{"map": n} | row for n, one in tree["convergence"].items() for row in one[key]]
    for name, _, _, rows in tables_of(tree):
        file = f"{name}_summary" if name == "calibration" else name
        if not found.get(file) and name != "overall":
            found[file] = rows
    return found


def score_row(name: str, scores: Tree) -> Row:
    """Return all figures of scores, from their dict, as columns for machines."""
    hard = scores["hard"]
    row: Row = {"name": name} | {key: scores[key] for key in ("reference", "cells", "hectares")}
    figures = {key: hard[key] for key in ("dice", "commission", "omission", "relative_bias")}
    for key, value in (figures | {"soft_dice": scores["soft"]["dice"]}).items():
        row[key] = value
        if key in scores["intervals"]:
            row[f"{key}_low"], row[f"{key}_high"] = scores["intervals"][key]
    return row | {
        "map_ha": hard["both_ha"] + hard["map_only_ha"],
        "reference_ha": hard["both_ha"] + hard["reference_only_ha"],
        "unseen_ha": scores["unseen_ha"],
        "unseen_burned_ha": scores["unseen_burned_ha"],
        **date_columns(scores["dating"]),
    }


_CAPTIONS = {"greece": "Striped: left out, near what VNP64A1 dates outside these days."}
_OF_TABLE = {
    "overall": ("maps", "dice"),
    "fractions": ("fractions",),
    "calibration": ("calibration", "fraction_calibration", "uncertainty"),
    "gaps": ("dates",),
    "proportions": ("proportions", "thresholds"),
}
_WORST = "Truth, map, agreement"


def _page(tree: Tree, title: str, folder: Path, name: str, drawn: dict[str, Path]) -> Path:
    from banet.export.page import Picture, Section, write_report

    left = dict(drawn)

    def held(names: Sequence[str]) -> list[Picture]:
        """Pictures that no section has shown yet."""
        found = [(n, left.pop(n)) for n in names if n in left]
        return [Picture(path, _CAPTIONS.get(n, ""), drawing.ALT.get(n, _WORST)) for n, path in found]

    sections = [
        Section(head, (text,) if text else (), [Markup(to_html(rows))], held(_OF_TABLE.get(key, (key,))))
        for key, head, text, rows in tables_of(tree)
    ]
    if worst := held([name for name in drawn if name.startswith("worst")]):
        text = f"The seasons with the lowest Dice of {leader(tree)}, the worst first."
        sections.append(Section("The worst seasons", (text,), pictures=worst))
    about = {key: tree[key] for key in ("protocol", "candidates", "region", "days") if key in tree}
    sections.append(Section("What was scored", details={"What was scored": json.dumps(about, indent=1)}))
    return write_report(folder, title, sections, name=name, lead=words(tree))
