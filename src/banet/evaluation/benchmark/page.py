"""A benchmark as files: JSON, one CSV a table, Markdown, pictures, and one page that holds all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from banet.evaluation.benchmark import summary
from banet.evaluation.benchmark.figures import draw
from banet.evaluation.benchmark.result import BenchmarkResult
from banet.evaluation.tables import score_rows, shown_rows, to_csv, write_text
from banet.io.files import output_folder

__all__ = ["ALT", "PICTURES", "words", "write_benchmark"]

PICTURES = "pictures"

_OF_TABLE = {
    "overall": ("dice",),
    "climates": ("climates",),
    "fractions": ("fractions",),
    "calibration": ("calibration", "uncertainty"),
    "gaps": ("dates",),
    "proportions": ("proportions", "thresholds"),
    "convergence": ("convergence",),
    "greece": ("greece",),
}
_CAPTIONS = {"greece": "Striped: left out, near what VNP64A1 dates outside these days."}
ALT = {
    "dice": "Dice coefficient of every method with its 95 % interval",
    "climates": "Dice coefficient by climate",
    "fractions": "Share of cells shown burned by true burned fraction",
    "calibration": "Reliability curve of confidence",
    "uncertainty": "Share of true days within the stated date interval",
    "dates": "Histogram of date differences",
    "proportions": "Burned share of 5 km blocks, map against truth",
    "thresholds": "Dice, commission and omission over the threshold",
    "convergence": "Agreement with the final map and the truth by days since burning",
    "greece": "VNP64A1, map and agreement",
}


def write_benchmark(result: BenchmarkResult, out: Path, *, pictures: bool = True) -> dict[str, Path]:
    """Write a benchmark and return the paths by name.

    Args:
        result: of the benchmark.
        out: folder, made if needed.
        pictures: whether to draw pictures and write `benchmark.html`.

    Raises:
        OutputError: if it cannot be written.
    """
    folder = output_folder(out)
    tree = result.to_dict()
    paths = {"json": folder / "benchmark.json", "markdown": folder / "benchmark.md"}
    write_text(paths["json"], _json(tree))
    write_text(paths["markdown"], "# The benchmark\n\n" + words(tree) + "\n\n" + summary.markdown(tree))
    for name, rows in _rows(result, tree).items():
        if rows:
            paths[f"{name}_csv"] = folder / f"{name}.csv"
            write_text(paths[f"{name}_csv"], to_csv(rows))
    if pictures:
        drawn = draw(result, folder / PICTURES)
        paths |= drawn
        paths["page"] = _page(tree, folder, drawn)
    return paths


def _json(tree: dict[str, Any]) -> str:
    """Return the tree as JSON: six digits, lists of numbers on one line, so that versions can be compared."""
    text = json.dumps(_rounded(tree), indent=1, allow_nan=False)
    return re.sub(r"\[[^\[\]{}\"]*\]", lambda m: re.sub(r"\s+", " ", m.group()), text) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def words(tree: dict[str, Any]) -> str:
    """Say what was measured, in a few sentences."""
    protocol = tree["protocol"]
    count = len(protocol["seasons"])
    days = sorted({season["days"] for season in protocol["seasons"]})
    cells = next(iter(tree["methods"].values()))["overall"]["scores"]["cells"]
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
    return (
        f"{count} simulated seasons of {span} days in {len(_climates(tree))} climates, {cells:,} valid cells "
        "of 0.01 degrees; their seeds are never drawn from in training. Accuracy here is simulated accuracy: "
        "against the simulator's exact truth, with its clouds, smoke, view geometry and noise. A cell counts "
        "as burned where at least half of it burned; cells that a map did not observe count as mapped "
        "unburned; water does not count."
    )


def _climates(tree: dict[str, Any]) -> list[str]:
    return list(next(iter(tree["methods"].values()))["climates"])


def _rows(result: BenchmarkResult, tree: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tables with full numbers, for machines."""
    scores = {m.name: result.scores(m.name) for m in result.methods}
    by_climate = [
        {"climate": climate} | row
        for climate in result.climates
        for row in score_rows({m.name: result.scores(m.name, climate) for m in result.methods})
    ]
    calibration = [
        {"map": name} | row for name in scores for row in result.joined(name).confidence_reliability().rows()
    ]
    curves = [{"map": name} | row for name, one in result.replays.items() for row in one.rows()]
    texts = {
        name: summary.rows_of(tree, name) for name in summary.TABLES if name not in {"overall", "climates"}
    }
    renamed = {
        ("calibration_summary" if name == "calibration" else name): rows for name, rows in texts.items()
    }
    return renamed | {
        "scores": score_rows(scores),
        "climates": by_climate,
        "calibration": calibration,
        "convergence": curves,
    }


def _page(tree: dict[str, Any], folder: Path, drawn: dict[str, Path]) -> Path:
    from banet.export.page import Picture, Section, Table, write_report

    sections = []
    for name, (title, text, _) in summary.TABLES.items():
        rows = summary.rows_of(tree, name)
        if not rows:
            continue
        table = Table(*shown_rows(rows))
        held = [
            Picture(drawn[p], _CAPTIONS.get(p, ""), ALT[p]) for p in _OF_TABLE.get(name, ()) if p in drawn
        ]
        sections.append(Section(title, (text,) if text else (), tables=[table], pictures=held))
    worst = [Picture(path, "", "Truth, map, agreement") for name, path in drawn.items() if "worst" in name]
    if worst:
        sections.append(Section("The worst seasons", (_WORST,), pictures=worst))
    about = json.dumps({key: tree[key] for key in ("protocol", "candidates")}, indent=1)
    sections.append(Section("What was scored", details={"Seasons, seeds, weights, versions": about}))
    return write_report(folder, "The benchmark", sections, name="benchmark.html", lead=words(tree))


_WORST = "The seasons with the lowest Dice of the first weights, the worst first."
