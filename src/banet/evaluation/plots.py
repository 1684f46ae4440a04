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
    "coverage_figure",
    "date_figure",
    "grouped_interval_figure",
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
) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=8.5)
    axes.set_ylabel(y, fontsize=8.5)
    if legend:
        axes.legend(fontsize=7.5, frameon=False, loc="best")


def _legend_below(axes: Axes) -> None:
    """Put the legend under everything, where it covers nothing; the figure grows by its height."""
    figure = axes.get_figure(root=True)
    handles, labels = axes.get_legend_handles_labels()
    if figure is None or not labels:
        return
    width, height = figure.get_size_inches()
    columns = max(1, min(len(labels), int((width - 0.2) / (0.55 + 0.068 * max(map(len, labels))))))
    more = 0.17 * -(-len(labels) // columns) + 0.1
    figure.set_size_inches(width, height + more)
    for each in figure.axes:
        x, y, across, up = each.get_position().bounds
        each.set_position((x, (y * height + more) / (height + more), across, up * height / (height + more)))
    place = {"bbox_to_anchor": (0.01, 0.0), "bbox_transform": figure.transFigure}
    axes.legend(handles, labels, fontsize=7.5, frameon=False, ncols=columns, loc="lower left", **place)


def interval_figure(scores: Mapping[str, Scores], measure: str = "dice", title: str = "") -> Figure:
    """Draw one measure of several maps, months or regions with its 95 % interval.

    Args:
        scores: by name, drawn from top to bottom.
        measure: dice, commission, omission, relative_bias or soft_dice.
        title: of the figure.
    """
    names = 0.25 + 0.075 * max(map(len, scores), default=1)
    lines = 0.32 * max(len(scores), 2)
    width, height = names + 4.0, lines + 0.85
    figure, axes = _axes(width, height)
    axes.set_position((names / width, 0.35 / height, 3.85 / width, lines / height))
    for k, (name, one) in enumerate(scores.items()):
        value = getattr(one, measure)
        low, high = one.intervals.get(measure, (value, value))
        axes.plot([low, high], [k, k], color=COLOURS[0], linewidth=1.6, solid_capstyle="butt")
        axes.plot(value, k, "o", color=COLOURS[0], markersize=5, label=name)
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set_ylim(len(scores) - 0.5, -0.5)
    _finish(axes, title or measure.replace("_", " "), "", "")
    return figure


def grouped_interval_figure(
    groups: Mapping[str, Mapping[str, Scores]], measure: str = "dice", title: str = ""
) -> Figure:
    """Draw one measure of several maps in several groups, such as climates, with its 95 % intervals.

    Args:
        groups: scores by group and by map; all groups hold the same maps.
        measure: as in `interval_figure`.
        title: of the figure.
    """
    figure, axes = _axes(7.2, 3.6)
    maps = list(next(iter(groups.values()), {}))
    for k, name in enumerate(maps):
        at = np.arange(len(groups)) + (k - (len(maps) - 1) / 2) * 0.7 / max(len(maps), 1)
        scores = [group[name] for group in groups.values()]
        values = np.array([getattr(one, measure) for one in scores], float)
        ends = np.array([one.intervals.get(measure, (v, v)) for one, v in zip(scores, values)], float)
        axes.vlines(at, ends[:, 0], ends[:, 1], color=COLOURS[k % 7], linewidth=1.6)
        axes.plot(at, values, "o", color=COLOURS[k % 7], markersize=5, label=name)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylim(0, 1)
    _finish(axes, title or measure.replace("_", " "), "", "")
    _legend_below(axes)
    return figure


def date_figure(counts: Mapping[str, Any], limit: int = 15) -> Figure:
    """Draw histograms of date differences in days, map minus reference.

    Args:
        counts: by name, from `Tally.dates` (735,) or `histogram`.
        limit: days shown on each side; what lies beyond is counted in the outermost bars.
    """
    figure, axes = _axes(5.6, 3.6)
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
    _finish(axes, "Date difference", "days, map minus reference", "share of cells")
    # Below the axes: inside them it may cover a bar.
    _legend_below(axes)
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


def reliability_figure(several: Mapping[str, Reliability], labels: tuple[str, str]) -> Figure:
    """Draw stated against observed by class, and how many hectares each class holds.

    Args:
        several: of maps by name.
        labels: of the two axes.
    """
    figure, axes = _axes(4.6, 5.0)
    axes.set_position((0.14, 0.3, 0.82, 0.62))
    below = figure.add_axes((0.14, 0.12, 0.82, 0.1))
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
    for k, (name, one) in enumerate(several.items()):
        known = one.hectares > 0
        text = f"{name}: Brier {one.brier:.4f}, error from 5 % on {one.error_shown:.3f}"
        x, y = one.mapped[known], one.observed[known]
        axes.plot(x, y, "o-", color=COLOURS[k % 7], linewidth=1.4, markersize=3.5, label=text)
        middle = (one.edges[:-1] + one.edges[1:])[known] / 2
        below.plot(middle, one.hectares[known], "o-", color=COLOURS[k % 7], linewidth=0.8, markersize=2.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    _finish(axes, "Calibration", "", labels[1])
    _hectares_below(below, labels[0])
    _legend_below(axes)
    return figure


def _hectares_below(axes: Axes, label: str) -> None:
    axes.set_yscale("log")
    axes.set_xlim(-0.02, 1.02)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.set_xlabel(label, fontsize=8.5)
    axes.set_ylabel("hectares", fontsize=8)


def coverage_figure(widths: Mapping[str, Any], goal: tuple[float, float] = (0.75, 0.85)) -> Figure:
    """Draw how often the stated date interval holds the reference's day, by what is stated.

    Args:
        widths: by name cells and covered cells by stated days, (n, 2).
        goal: share of days that an 80 % interval should hold, drawn as a band.
    """
    figure, axes = _axes(5.6, 3.6)
    axes.axhspan(*goal, color="#e9efe9", zorder=0)
    last = 1
    for k, (name, counts) in enumerate(widths.items()):
        cells, covered = np.asarray(counts, float).T
        if not cells.sum():
            continue
        known = cells >= max(20, 0.002 * cells.sum())
        last = max(last, int(np.flatnonzero(known).max(initial=1)))
        text = f"{name}: {covered.sum() / cells.sum():.0%} of {cells.sum():,.0f} cells"
        days = np.arange(cells.size)[known]
        axes.plot(days, (covered / np.maximum(cells, 1))[known], "o-", color=COLOURS[k % 7], label=text)
    axes.set_xlim(-0.3, last + 0.3)
    axes.locator_params(axis="x", integer=True)
    axes.set_ylim(0, 1.02)
    _finish(axes, "Stated date interval", "stated days before and after the date", "share that hold the day")
    _legend_below(axes)
    return figure


def class_figure(
    scores: Mapping[str, Scores], measure: Literal["recall", "cell_recall"] = "recall"
) -> Figure:
    """Draw the share of burned area (or of cells) found by class of burned fraction."""
    figure, axes = _axes(5.6, 3.6)
    width = 0.8 / max(len(scores), 1)
    labels: list[str] = []
    for k, (name, one) in enumerate(scores.items()):
        classes = [c for c in one.classes if c.high > 0]
        labels = [c.label for c in classes]
        at = np.arange(len(classes)) + (k - (len(scores) - 1) / 2) * width
        axes.bar(at, [getattr(c, measure) for c in classes], width, color=COLOURS[k % 7], label=name)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1)
    words = ("Burned area found", "recall") if measure == "recall" else ("Cells found", "share of cells")
    _finish(axes, words[0], "burned fraction of the cell, reference", words[1])
    _legend_below(axes)
    return figure


def convergence_figure(convergence: Convergence | Mapping[str, Convergence]) -> Figure:
    """Draw Dice with the truth and the final map, and recall, against days since burning.

    Args:
        convergence: of one map, or of several by name: colours tell maps apart, strokes what is drawn.
    """
    from banet.evaluation.convergence import Convergence as One

    several = {"": convergence} if isinstance(convergence, One) else dict(convergence)
    figure, axes = _axes(5.6, 3.6)
    lines = {"dice_truth": "Dice, truth", "dice_final": "Dice, final map", "recall": "recall, truth"}
    for k, (name, one) in enumerate(several.items()):
        for j, (key, label) in enumerate(lines.items()):
            colour, stroke = (COLOURS[j], "-") if "" in several else (COLOURS[k % 7], ("-", "--", ":")[j])
            text = ", ".join(part for part in (name, label) if part)
            axes.plot(one.age, getattr(one, key), stroke, marker="o", color=colour, markersize=3, label=text)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(-0.4, max((int(one.age.max()) for one in several.values()), default=1) + 0.4)
    axes.locator_params(axis="x", integer=True)
    _finish(axes, "Near real time", "days since burning", "")
    _legend_below(axes)
    return figure
