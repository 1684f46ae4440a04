"""Figures of an evaluation. Each takes plain results and returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from banet.evaluation.dating import Dating

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from banet.evaluation.convergence import Convergence
    from banet.evaluation.curves import Reliability, ThresholdCurve
    from banet.evaluation.regression import ProportionFit
    from banet.evaluation.scores import Scores

__all__ = [
    "class_figure",
    "convergence_figure",
    "date_figure",
    "interval_figure",
    "proportion_figure",
    "reliability_figure",
    "threshold_figure",
]

# Okabe and Ito (2008): told apart by colour-blind readers.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#222226")
_GREY = "#8a8a90"


def _axes(width: float = 5.2, height: float = 3.6) -> tuple[Figure, Axes]:
    from banet.export.drawing import new_figure

    figure = new_figure(width, height)
    axes = figure.add_axes((0.13, 0.15, 0.83, 0.75))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(color="#e6e6e8", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _finish(
    axes: Axes,
    title: str,
    x: str,
    y: str,
    *,
    legend: bool = False,
    place: Literal["best", "upper left"] = "best",
) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=8.5)
    axes.set_ylabel(y, fontsize=8.5)
    if legend:
        axes.legend(fontsize=7.5, frameon=False, loc=place)


def interval_figure(scores: Mapping[str, Scores], measure: str = "dice", title: str = "") -> Figure:
    """Draw one measure of several maps, months or regions with its 95 % interval.

    Args:
        scores: by name, drawn from top to bottom.
        measure: dice, commission, omission, relative_bias or soft_dice.
        title: of the figure.
    """
    figure, axes = _axes(5.6, 0.9 + 0.32 * max(len(scores), 2))
    axes.set_position((0.34, 0.34 if len(scores) < 4 else 0.2, 0.62, 0.5 if len(scores) < 4 else 0.68))
    for k, (name, one) in enumerate(scores.items()):
        value = getattr(one, measure)
        low, high = one.intervals.get(measure, (value, value))
        axes.plot([low, high], [k, k], color=COLOURS[0], linewidth=1.6, solid_capstyle="butt")
        axes.plot(value, k, "o", color=COLOURS[0], markersize=5, label=name)
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set_ylim(len(scores) - 0.5, -0.5)
    _finish(axes, title or measure.replace("_", " "), "", "")
    return figure


def date_figure(counts: Mapping[str, Any], limit: int = 15) -> Figure:
    """Draw histograms of date differences in days, map minus reference.

    Args:
        counts: by name, from `Tally.dates` (735,) or `histogram`.
        limit: days shown on each side; what lies beyond is counted in the outermost bars.
    """
    figure, axes = _axes()
    days = np.arange(-limit, limit + 1)
    width = 0.8 / max(len(counts), 1)
    for k, (name, histogram) in enumerate(counts.items()):
        middle = histogram.size // 2
        shown = histogram[middle - limit : middle + limit + 1].astype(float)
        shown[0] += histogram[: middle - limit].sum()
        shown[-1] += histogram[middle + limit + 1 :].sum()
        total = histogram.sum()
        dating = Dating.from_histogram(histogram)
        label = (
            f"{name}: median {dating.median:+.0f}, mean abs. {dating.mean_absolute:.1f}" if total else name
        )
        share = shown / total if total else shown
        axes.bar(days + (k - (len(counts) - 1) / 2) * width, share, width, color=COLOURS[k % 7], label=label)
    axes.axvline(0, color=_GREY, linewidth=0.8)
    axes.margins(y=0.2)
    words = ("Date difference", "days, map minus reference", "share of cells")
    _finish(axes, *words, legend=bool(counts), place="upper left")
    return figure


def proportion_figure(fit: ProportionFit) -> Figure:
    """Draw map against reference proportion of blocks, with the fitted line and the line of equality."""
    figure, axes = _axes(4.4, 4.2)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
    axes.plot(fit.reference, fit.map, "o", color=COLOURS[0], alpha=0.4, markersize=4, markeredgewidth=0)
    if np.isfinite(fit.slope):
        ends = np.array([0.0, 1.0])
        axes.plot(ends, fit.intercept + fit.slope * ends, color=COLOURS[5], linewidth=1.4)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    sign = "-" if fit.intercept < 0 else "+"
    text = f"y = {fit.slope:.2f} x {sign} {abs(fit.intercept):.3f}, R2 = {fit.r2:.2f}, {fit.blocks} blocks"
    down, across = fit.block_km
    _finish(axes, text, f"reference, burned share of {down:.1f} x {across:.1f} km", "map, burned share")
    return figure


def threshold_figure(curve: ThresholdCurve) -> Figure:
    """Draw Dice, commission and omission over the threshold."""
    figure, axes = _axes()
    for k, name in enumerate(("dice", "commission", "omission")):
        axes.plot(curve.threshold, getattr(curve, name), color=COLOURS[k], linewidth=1.6, label=name)
    if np.isfinite(curve.best):
        axes.axvline(curve.best, color=_GREY, linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 1)
    _finish(axes, "Threshold on the burned fraction", "threshold", "", legend=True)
    return figure


def reliability_figure(calibration: Reliability) -> Figure:
    """Draw mapped against observed burned fraction by class, and how many hectares each class holds."""
    figure, axes = _axes(4.4, 4.2)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
    known = calibration.hectares > 0
    axes.plot(calibration.mapped[known], calibration.observed[known], "o-", color=COLOURS[0], linewidth=1.4)
    for x, y, area in zip(
        calibration.mapped[known], calibration.observed[known], calibration.hectares[known], strict=True
    ):
        axes.annotate(f"{area:,.0f} ha", (x, y), (4, -9), textcoords="offset points", fontsize=6, color=_GREY)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    title = f"Calibration: Brier {calibration.brier:.4f}, error {calibration.error:.4f}"
    _finish(axes, title, "burned fraction, mapped", "burned fraction, reference")
    return figure


def class_figure(scores: Mapping[str, Scores]) -> Figure:
    """Draw the share of burned area found by class of burned fraction."""
    figure, axes = _axes()
    width = 0.8 / max(len(scores), 1)
    labels: list[str] = []
    for k, (name, one) in enumerate(scores.items()):
        classes = [c for c in one.classes if c.high > 0]
        labels = [c.label for c in classes]
        at = np.arange(len(classes)) + (k - (len(scores) - 1) / 2) * width
        axes.bar(at, [c.recall for c in classes], width, color=COLOURS[k % 7], label=name)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1)
    _finish(
        axes, "Burned area found", "burned fraction of the cell, reference", "recall", legend=bool(scores)
    )
    return figure


def convergence_figure(convergence: Convergence) -> Figure:
    """Draw Dice with the truth and the final map, and recall, against days since burning."""
    figure, axes = _axes()
    lines = {"dice_truth": "Dice, truth", "dice_final": "Dice, final map", "recall": "recall, truth"}
    for k, (name, label) in enumerate(lines.items()):
        axes.plot(
            convergence.age, getattr(convergence, name), "o-", color=COLOURS[k], markersize=3, label=label
        )
    axes.set_ylim(0, 1.02)
    _finish(axes, "Near real time", "days since burning", "", legend=True)
    return figure
