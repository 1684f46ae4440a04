"""A result as files: JSON, CSV and Markdown tables, pictures, and one page that holds all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation import plots
from banet.evaluation.measures import Tree
from banet.evaluation.result import WITH_NETWORK, Result, leader
from banet.evaluation.tables import Shown, markdown, numbers_of, tables_of, title_of, words
from banet.export.comparison import comparison_picture
from banet.export.drawing import save
from banet.export.page import Picture, Section, write_report
from banet.io.files import output_folder, remove_files, write_text
from banet.io.tables import to_csv, to_html, to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ALT", "FOLDER", "draw", "draw_maps", "sections_of", "write_result"]

FOLDER = "pictures"
ALT = {
    "maps": "Reference, map and agreement",
    "dice": "Dice coefficient of every method with its 95 % interval",
    "climates": "Dice coefficient by climate",
    "fractions": "Share of cells shown burned by true burned fraction",
    "calibration": "Reliability curve of confidence",
    "fraction_calibration": "Reliability curve of burned fraction",
    "uncertainty": "Share of true days within the stated date interval",
    "dates": "Histogram of date differences",
    "proportions": "Burned share of 5 km blocks, map against truth",
    "thresholds": "Dice, commission and omission over the threshold",
    "months": "Dice coefficient by month",
    "covers": "Dice coefficient by land cover",
    "zones": "Dice coefficient by region",
    "convergence": "Agreement with the final map and the truth by days since burning",
    "greece": "VNP64A1, map and agreement",
}
_LEAD_BASELINES = ("active fires", "grown and confirmed active fires")
_MOST = 5
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

    What an earlier result wrote there under its name and this one does not is removed.

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
    place = folder / FOLDER if "protocol" in tree else folder
    earlier = _earlier(folder, name, place)
    for file, text in texts.values():
        write_text(folder / file, text)
    paths = {key: folder / file for key, (file, _) in texts.items()}
    if pictures:
        drawn = draw(result, tree, place)
        paths |= drawn | {"page": _page(tree, folder, f"{name}.html", drawn)}
    remove_files(earlier - set(paths.values()))
    return paths


def _earlier(folder: Path, name: str, pictures: Path) -> set[Path]:
    """Return the files of the result that a folder holds: tables that its JSON has, pictures with a page."""
    page, found = folder / f"{name}.html", set[Path]()
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # no such result
        tree = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        found = {folder / f"{file}.csv" for file in numbers_of(tree)}
        if page.is_file():
            drawn = [*ALT, *(path.stem for path in pictures.glob("worst_[0-9].png"))]
            found |= {page, *(pictures / f"{key}.png" for key in drawn)}
    return found


def _one_scene(tree: Tree) -> dict[str, Any]:
    """Return the top of the file of a single scene: values of the first map, and the scores of all."""
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
    return [
        Section(title, (text,) if text else (), [Markup(to_html(rows))], pictures(name))
        for name, title, text, rows in tables
    ]


def _page(tree: Tree, folder: Path, name: str, drawn: dict[str, Path]) -> Path:
    left = dict(drawn)

    def held(names: Sequence[str]) -> list[Picture]:
        """Pictures that no section has shown yet."""
        found = [(n, left.pop(n)) for n in names if n in left]
        other = "Truth, map, agreement"
        return [Picture(path, _CAPTIONS.get(n, ""), ALT.get(n, other)) for n, path in found]

    sections = sections_of(tables_of(tree), lambda key: held(_OF_TABLE.get(key, (key,))))
    if worst := held([name for name in drawn if name.startswith("worst")]):
        text = f"The seasons with the lowest Dice of {leader(tree)}, the worst first."
        sections.append(Section("The worst seasons", (text,), pictures=worst))
    about = {
        key: tree[key] for key in ("protocol", "candidates", "region", "days", "settings") if key in tree
    }
    sections.append(Section("What was scored", details={"What was scored": json.dumps(about, indent=1)}))
    return write_report(folder, title_of(tree), sections, name=name, lead=words(tree))


def _lines(tree: Tree) -> list[str]:
    """Maps in figures with a line each: the first; networks with all inputs, and two baselines."""
    methods, lead = tree["methods"], leader(tree)
    names = list(methods)[:_MOST]
    if "protocol" in tree:
        names = [name for name, one in methods.items() if one[WITH_NETWORK] and one["inputs"] == "all"]
        names = names[:_MOST] + [name for name in methods if name in _LEAD_BASELINES]
    return list(dict.fromkeys([lead, *names]))


def draw(result: Result, tree: Tree, folder: Path, *, worst: int = 3) -> dict[str, Path]:
    """Draw the pictures of a result, with the worst seasons of the first map, and return their paths by name.

    Raises:
        OutputError: if a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    name = leader(tree)

    def maps(of: Result, key: str, scene: str, reference: str, title: str, notes: Sequence[str] = ()) -> None:
        path = folder / f"{key}.png"
        paths[key] = draw_maps(of.shown(name, scene), (reference, name), title, path, notes)

    if "protocol" not in tree:
        notes = ("", f"Dice {result.scores[name].dice:.3f}")
        scene = next(iter(result.sums[name]))
        maps(result, "maps", scene, result.reference, f"{name} against {result.reference}", notes)
    for key, figure in _figures(tree):
        paths[key] = save(figure, folder / f"{key}.png")
    for rank, season in enumerate(result.worst(name, worst) if "protocol" in tree else (), 1):
        maps(result, f"worst_{rank}", season, "truth", f"{season}: {name}")
    for key, one in result.real.items():
        title = f"Attica and the Peloponnese, August 2021: {name} against VNP64A1"
        maps(one, key, next(iter(one.sums[name])), one.reference, title)
    return paths


def _figures(tree: Tree) -> Iterator[tuple[str, Figure]]:
    methods, lead = tree["methods"], leader(tree)
    wholes = {name: method["overall"] for name, method in methods.items()}
    shown = {name: wholes[name] for name in _lines(tree)}
    sure = {name: whole["confidence"] for name, whole in shown.items()}
    yield "dice", plots.interval_figure({n: one["scores"] for n, one in wholes.items()}, "Dice coefficient")
    yield "fractions", plots.class_figure(shown)
    yield "dates", plots.date_figure(shown, limit=10 if "protocol" in tree else 15)
    yield "calibration", plots.reliability_figure(sure, "confidence", "share of area that burned")
    axes = "burned fraction, mapped", "burned fraction, reference"
    yield "fraction_calibration", plots.reliability_figure({lead: wholes[lead]["fraction"]}, *axes)
    yield "uncertainty", plots.coverage_figure(shown)
    yield "proportions", plots.proportion_figure(wholes[lead]["proportions"])
    yield "thresholds", plots.threshold_figure(wholes[lead])
    if groups := list(methods[lead]["climates"]):
        climates = {group: {name: methods[name]["climates"][group] for name in shown} for group in groups}
        yield "climates", plots.grouped_interval_figure(climates, ALT["climates"])
    for kind in ("months", "covers", "zones"):
        if len(tree.get(kind, ())) > 1:
            yield kind, plots.interval_figure(tree[kind], ALT[kind])
    if tree["convergence"]:
        yield "convergence", plots.convergence_figure(tree["convergence"])


def draw_maps(
    sides: Sequence[BurnedArea], names: Sequence[str], title: str, path: Path, notes: Sequence[str] = ()
) -> Path:
    """Draw reference and maps side by side, and where the first map agrees with the reference."""
    panels = [side.named(plots.plain_text(name)) for side, name in zip(sides, names, strict=True)]
    days = {"start": panels[0].start, "stop": panels[0].stop}
    return comparison_picture(panels, path, title=plots.plain_text(title), notes=notes, **days)
