"""Figures of a result. Each takes names and numbers as its JSON has them and returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from banet.evaluation.measures import Tree
from banet.evaluation.measures.dates import trimmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def plain_text(name: str) -> str:
    """Return a name as matplotlib draws it: it reads dollars as formulas, and skips `_` in legends."""
    return name.replace("$", r"\$").removeprefix("_") or " "


def _coloured(several: Mapping[str, Any]) -> Iterator[tuple[str, str, float, Any]]:
    """Yield colour, label, place beside the others (-0.5 to 0.5, steps of equal width) and value of each."""
    count = max(len(several), 1)
    for k, (name, one) in enumerate(several.items()):
        yield COLOURS[k % 7], plain_text(name), (k - (count - 1) / 2) / count, one


def _finish(axes: Axes, title: str, x: str, y: str, *, legend: Literal["", "below", "best"] = "") -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=8.5)
    axes.set_ylabel(y, fontsize=8.5)
    if legend == "below":
        _legend_below(axes)
    elif legend:
        axes.legend(fontsize=7.5, frameon=False, loc=legend)


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


def _ends(scores: Tree) -> tuple[float, tuple[float, float]]:
    """Dice and the ends of its interval, NaN where it is not defined."""
    value = _number(scores["hard"]["dice"])
    low, high = scores["intervals"].get("dice") or (value, value)
    return value, (_number(low), _number(high))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def interval_figure(scores: Mapping[str, Tree], title: str) -> Figure:
    """Draw Dice of several maps, months or regions with its 95 % interval.

    Args:
        scores: by name, drawn from top to bottom.
        title: of the figure.
    """
    names = 0.25 + 0.075 * max(map(len, scores), default=1)
    lines = 0.32 * max(len(scores), 2)
    width, height = names + 4.0, lines + 0.85
    figure, axes = _axes(width, height)
    axes.set_position((names / width, 0.35 / height, 3.85 / width, lines / height))
    for k, (name, one) in enumerate(scores.items()):
        value, ends = _ends(one)
        axes.plot(ends, [k, k], color=COLOURS[0], linewidth=1.6, solid_capstyle="butt")
        axes.plot(value, k, "o", color=COLOURS[0], markersize=5, label=plain_text(name))
    axes.set_yticks(range(len(scores)), [plain_text(name) for name in scores])
    axes.set_ylim(len(scores) - 0.5, -0.5)
    _finish(axes, title, "", "")
    return figure


def grouped_interval_figure(groups: Mapping[str, Mapping[str, Tree]], title: str) -> Figure:
    """Draw Dice of several maps in several groups, such as climates, with its 95 % intervals.

    Args:
        groups: scores by group and by map; all groups hold the same maps.
        title: of the figure.
    """
    figure, axes = _axes(7.2, 3.6)
    maps = {name: [group[name] for group in groups.values()] for name in next(iter(groups.values()), {})}
    for colour, label, beside, scores in _coloured(maps):
        at = np.arange(len(groups)) + 0.7 * beside
        values, ends = zip(*map(_ends, scores), strict=True)
        low, high = np.array(ends).T
        axes.vlines(at, low, high, color=colour, linewidth=1.6)
        axes.plot(at, values, "o", color=colour, markersize=5, label=label)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylim(0, 1)
    _finish(axes, title, "", "", legend="below")
    return figure


def date_figure(wholes: Mapping[str, Tree], limit: int = 15) -> Figure:
    """Draw histograms of date differences in days, map minus reference.

    Args:
        wholes: what is said of maps, by name.
        limit: days shown on each side; what lies beyond is counted in the outermost bars.
    """
    figure, axes = _axes(5.6, 3.6)
    days = np.arange(-limit, limit + 1)
    width = 0.8 / max(len(wholes), 1)
    for colour, label, beside, one in _coloured(wholes):
        counts, dating = np.array(one["dates"]["cells"]), one["scores"]["dating"]
        shown, text = trimmed(counts, limit).astype(float), label
        if counts.sum():
            figures = dating["median_days"], dating["mean_absolute_days"]
            text += ": median {:+.0f}, mean abs. {:.1f}".format(*figures)
            shown /= counts.sum()
        axes.bar(days + 0.8 * beside, shown, width, color=colour, label=text)
    axes.axvline(0, color=_GREY, linewidth=0.8)
    # Below the axes: inside them the legend may cover a bar.
    _finish(axes, "Date difference", "days, map minus reference", "share of cells", legend="below")
    return figure


def proportion_figure(line: Tree) -> Figure:
    """Draw map against reference share of blocks, dots by their number, and the fitted line."""
    figure, axes = _axes(4.4, 4.2)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
    blocks = np.array(line["blocks_by_share"])
    x, y = np.nonzero(blocks)
    size = 6 + 14 * np.log10(blocks[x, y])
    axes.scatter((x + 0.5) / len(blocks), (y + 0.5) / len(blocks), size, COLOURS[0], alpha=0.5, linewidths=0)
    slope, intercept, r2 = (_number(line[name]) for name in ("slope", "intercept", "r2"))
    if np.isfinite(slope):
        ends = np.array([0.0, 1.0])
        axes.plot(ends, intercept + slope * ends, color=COLOURS[5], linewidth=1.4)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    sign = "-" if intercept < 0 else "+"
    text = f"y = {slope:.2f} x {sign} {abs(intercept):.3f}, R2 = {r2:.2f}, {line['blocks']} blocks"
    down, across = line["block_km"]
    _finish(axes, text, f"reference, burned share of {down:.1f} x {across:.1f} km", "map, burned share")
    return figure


def threshold_figure(whole: Tree) -> Figure:
    """Draw Dice, commission and omission over the threshold."""
    figure, axes = _axes()
    steps = [row["threshold"] for row in whole["thresholds"]]
    for k, name in enumerate(("dice", "commission", "omission")):
        values = [_number(row[name]) for row in whole["thresholds"]]
        axes.plot(steps, values, color=COLOURS[k], linewidth=1.6, label=name)
    if whole["best_threshold"] is not None:
        axes.axvline(whole["best_threshold"], color=_GREY, linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 1)
    _finish(axes, "Threshold on the burned fraction", "threshold", "", legend="best")
    return figure


def reliability_figure(several: Mapping[str, Tree], labels: tuple[str, str]) -> Figure:
    """Draw stated against observed by class, and how many hectares each class holds.

    Args:
        several: of maps by name.
        labels: of the two axes.
    """
    figure, axes = _axes(4.6, 5.0)
    axes.set_position((0.14, 0.3, 0.82, 0.62))
    below = figure.add_axes((0.14, 0.12, 0.82, 0.1))
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
    for colour, label, _, one in _coloured(several):
        hectares, edges = np.array(one["hectares"]), np.array(one["edges"])
        known = hectares > 0
        brier, error = (_number(one[key]) for key in ("brier", "calibration_error_from_5_percent"))
        text = f"{label}: Brier {brier:.4f}, error from 5 % on {error:.3f}"
        x, y = (np.array(one[key], float)[known] for key in ("mapped", "observed"))
        axes.plot(x, y, "o-", color=colour, linewidth=1.4, markersize=3.5, label=text)
        middle = (edges[:-1] + edges[1:])[known] / 2
        below.plot(middle, hectares[known], "o-", color=colour, linewidth=0.8, markersize=2.5)
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
    for colour, label, _, counts in _coloured(widths):
        cells, covered = np.asarray(counts, float).T
        if not cells.sum():
            continue
        known = cells >= max(20, 0.002 * cells.sum())
        last = max(last, int(np.flatnonzero(known).max(initial=1)))
        text = f"{label}: {covered.sum() / cells.sum():.0%} of {cells.sum():,.0f} cells"
        days = np.arange(cells.size)[known]
        axes.plot(days, (covered / np.maximum(cells, 1))[known], "o-", color=colour, label=text)
    axes.set_xlim(-0.3, last + 0.3)
    axes.locator_params(axis="x", integer=True)
    axes.set_ylim(0, 1.02)
    x = "stated days before and after the date"
    _finish(axes, "Stated date interval", x, "share that hold the day", legend="below")
    return figure


def class_figure(scores: Mapping[str, Tree]) -> Figure:
    """Draw the share of cells found by class of burned fraction."""
    figure, axes = _axes(5.6, 3.6)
    width = 0.8 / max(len(scores), 1)
    labels: list[str] = []
    for colour, label, beside, one in _coloured(scores):
        classes = [c for c in one["classes"] if c["high"] > 0]
        labels = [c["class"] for c in classes]
        shares = [_number(c["cell_recall"]) for c in classes]
        axes.bar(np.arange(len(classes)) + 0.8 * beside, shares, width, color=colour, label=label)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1)
    x = "burned fraction of the cell, reference"
    _finish(axes, "Cells found", x, "share of cells", legend="below")
    return figure


def convergence_figure(several: Mapping[str, Tree]) -> Figure:
    """Draw Dice with the truth and the final map, and recall, against days since burning.

    Args:
        several: replays by name; colours tell maps apart, strokes what is drawn, unless there is only one.
    """
    figure, axes = _axes(5.6, 3.6)
    lines = {"dice_truth": "Dice, truth", "dice_final": "Dice, final map", "recall": "recall, truth"}
    last = 1
    for own, label, _, one in _coloured(several):
        ages = [row["age"] for row in one["ages"]]
        last = max(last, *ages)
        for j, (key, line) in enumerate(lines.items()):
            colour, stroke = (COLOURS[j], "-") if len(several) == 1 else (own, ("-", "--", ":")[j])
            values = [_number(row[key]) for row in one["ages"]]
            text = f"{label}, {line}"
            axes.plot(ages, values, stroke, marker="o", color=colour, markersize=3, label=text)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(-0.4, last + 0.4)
    axes.locator_params(axis="x", integer=True)
    _finish(axes, "Near real time", "days since burning", "", legend="below")
    return figure
