"""Pictures of a benchmark: scores by method, calibration, dates, convergence, the worst seasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation import plots
from banet.evaluation.benchmark.keeping import Sketch
from banet.evaluation.benchmark.real import GREEK
from banet.evaluation.benchmark.result import BenchmarkResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "shown_methods"]

_LEAD_BASELINES = ("active fires", "grown and confirmed active fires")


def shown_methods(result: BenchmarkResult) -> list[str]:
    """Return the methods that figures with many lines show: candidates with all inputs, and two baselines."""
    names = [m.name for m in result.methods if m.candidate and m.inputs == "all"]
    return names[:5] + [m.name for m in result.methods if m.name in _LEAD_BASELINES]


def draw(result: BenchmarkResult, folder: Path, *, worst: int = 3) -> dict[str, Path]:
    """Draw the pictures and return their paths by name.

    Args:
        result: of a benchmark.
        folder: where to.
        worst: number of worst seasons of the first candidate (or first method) to draw.

    Raises:
        OutputError: if a picture cannot be written.
    """
    from banet.export.drawing import save

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: save(figure, folder / f"{name}.png") for name, figure in _figures(result).items()}
    leader = _leader(result)
    for rank, season in enumerate(result.worst(leader, worst), 1):
        sketch = result.sketch(leader, season)
        paths[f"worst_{rank}"] = _maps(sketch, leader, season, "truth", folder / f"worst_{rank}.png")
    if result.real:
        sketch = result.sketch(leader, GREEK)
        title = "Attica and the Peloponnese, August 2021"
        paths["greece"] = _maps(sketch, leader, title, "VNP64A1", folder / "greece.png")
    return paths


def _leader(result: BenchmarkResult) -> str:
    return next((m.name for m in result.methods if m.candidate), result.methods[0].name)


def _figures(result: BenchmarkResult) -> Mapping[str, Figure]:
    shown = shown_methods(result)
    every = {method.name: result.scores(method.name) for method in result.methods}
    joined = {name: result.joined(name) for name in shown}
    figures = {
        "dice": plots.interval_figure(every, "dice", "Dice coefficient, simulated seasons"),
        "climates": plots.grouped_interval_figure(
            {climate: {n: result.scores(n, climate) for n in shown} for climate in result.climates},
            "dice",
            "Dice coefficient by climate",
        ),
        "fractions": plots.class_figure({name: every[name] for name in shown}, measure="cell_recall"),
        "dates": plots.date_figure(
            {name: one.blocks.dates.sum(axis=0) for name, one in joined.items()}, limit=10
        ),
        "calibration": plots.reliability_figure(
            {name: joined[name].confidence_reliability() for name in shown},
            ("confidence", "share of area that burned"),
        ),
        "uncertainty": plots.coverage_figure({name: one.widths for name, one in joined.items()}),
        "proportions": plots.proportion_figure(joined[shown[0]].proportion_fit()),
        "thresholds": plots.threshold_figure(joined[shown[0]].curve()),
    }
    if result.replays:
        figures["convergence"] = plots.convergence_figure(result.replays)
    return figures


def _maps(sketch: Sketch, name: str, title: str, reference: str, path: Path) -> Path:
    """Draw reference and map side by side, and where they agree."""
    from banet.export.comparison import comparison_picture

    dates = (sketch.reference_date, sketch.map_date)
    seen, nat = sketch.valid.astype(np.int16), np.datetime64("NaT", "D")
    panels = [
        BurnedArea.from_dates(
            sketch.region,
            sketch.start,
            sketch.stop,
            np.where(sketch.valid, date, nat),
            observed_days=seen,
            water=sketch.water,
            name=label,
        )
        for label, date in zip((reference, name), dates, strict=True)
    ]
    return comparison_picture(
        panels, path, start=sketch.start, stop=sketch.stop, title=f"{title}: {name} against {reference}"
    )
