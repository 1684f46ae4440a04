"""A result as files: JSON, CSV and Markdown tables, pictures, and one page that holds all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from banet.evaluation import pictures as drawing
from banet.evaluation.measures import Tree
from banet.evaluation.result import Result, leader
from banet.evaluation.tables import Shown, markdown, numbers_of, tables_of, title_of, words
from banet.io.files import output_folder
from banet.io.tables import to_csv, to_html, to_json, write_text

if TYPE_CHECKING:
    from banet.export.page import Picture, Section

__all__ = ["sections_of", "write_result"]

_CAPTIONS = {"greece": "Striped: left out, near what VNP64A1 dates outside these days."}
_OF_TABLE = {
    "overall": ("maps", "dice"),
    "fractions": ("fractions",),
    "calibration": ("calibration", "fraction_calibration", "uncertainty"),
    "gaps": ("dates",),
    "proportions": ("proportions", "thresholds"),
}
_AT_THE_TOP = ("proportions", "thresholds", "best_threshold", "sizes", "edges", "dates_by_gap")


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
    folder, tree = output_folder(out), result.to_dict()
    texts = {
        "json": (f"{name}.json", to_json(tree if "protocol" in tree else _one_scene(tree) | tree)),
        "markdown": (f"{name}.md", f"# {title_of(tree)}\n\n{words(tree)}\n\n{markdown(tree)}"),
        **{f"{file}_csv": (f"{file}.csv", to_csv(rows)) for file, rows in numbers_of(tree).items()},
    }
    for file, text in texts.values():
        write_text(folder / file, text)
    paths = {key: folder / file for key, (file, _) in texts.items()}
    if pictures:
        drawn = drawing.draw(result, tree, folder / drawing.FOLDER if "protocol" in tree else folder)
        paths |= drawn | {"page": _page(tree, folder, f"{name}.html", drawn)}
    return paths


def _one_scene(tree: Tree) -> dict[str, Any]:
    """What is said of the first map, and the scores of all, at the top of the file of a single scene."""
    whole = tree["methods"][tree["name"]]["overall"]
    return {
        "scores": {name: method["overall"]["scores"] for name, method in tree["methods"].items()},
        "calibration": {"confidence": whole["confidence"], "burned_fraction": whole["fraction"]},
        **{key: whole[key] for key in _AT_THE_TOP},
    }


def sections_of(
    tables: Iterable[Shown], pictures: Callable[[str], Sequence[Picture]] = lambda name: ()
) -> list[Section]:
    """Return the parts of a page that show tables, each with the pictures that belong to its name."""
    from banet.export.page import Section

    return [
        Section(title, (text,) if text else (), [Markup(to_html(rows))], pictures(name))
        for name, title, text, rows in tables
    ]


def _page(tree: Tree, folder: Path, name: str, drawn: dict[str, Path]) -> Path:
    from banet.export.page import Picture, Section, write_report

    left = dict(drawn)

    def held(names: Sequence[str]) -> list[Picture]:
        """Pictures that no section has shown yet."""
        found = [(n, left.pop(n)) for n in names if n in left]
        other = "Truth, map, agreement"
        return [Picture(path, _CAPTIONS.get(n, ""), drawing.ALT.get(n, other)) for n, path in found]

    sections = sections_of(tables_of(tree), lambda key: held(_OF_TABLE.get(key, (key,))))
    if worst := held([name for name in drawn if name.startswith("worst")]):
        text = f"The seasons with the lowest Dice of {leader(tree)}, the worst first."
        sections.append(Section("The worst seasons", (text,), pictures=worst))
    about = {key: tree[key] for key in ("protocol", "candidates", "region", "days") if key in tree}
    sections.append(Section("What was scored", details={"What was scored": json.dumps(about, indent=1)}))
    return write_report(folder, title_of(tree), sections, name=name, lead=words(tree))
