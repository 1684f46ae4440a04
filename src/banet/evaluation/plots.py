"""Figures of a result. Each takes names and numbers as its JSON has them and returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.evaluation.measures import Tree
from banet.evaluation.measures.dates import trimmed
from banet.export.drawing import new_figure

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
    "plain_text",
    "proportion_figure",
    "reliability_figure",
    "threshold_figure",
]

# Okabe and Ito (2008): told apart by colour-blind readers.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#222226")
_DASHED: dict[str, Any] = {"color": "#8a8a90", "linewidth": 0.8, "linestyle": "--"}
_GOAL = (0.75, 0.85)


def _figure(
    title: str, x: str = "", y: str = "", *, size: tuple[float, float] = (4.6, 3.4)
) -> tuple[Figure, Axes]:
    """Return a figure of a size in inches, small enough for its text to be read on a phone, and its axes."""
    figure = new_figure(*size)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11, loc="left")
    _style(axes, x, y)
    return figure, axes


def _style(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=9.5)
    axes.set_ylabel(y, fontsize=9.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.grid(color="#e6e6e8", linewidth=0.6)
    axes.set_axisbelow(True)


def plain_text(name: str) -> str:
    """Return a name as matplotlib draws it: it reads dollars as formulas, and skips `_` in legends."""
    return name.replace("$", r"\$").removeprefix("_") or " "


def _coloured(several: Mapping[str, Any]) -> Iterator[tuple[str, str, float, Any]]:
    """Yield colour, label, place beside the others (-0.5 to 0.5, steps of equal width) and value of each."""
    for k, (name, one) in enumerate(several.items()):
        yield COLOURS[k % 7], plain_text(name), (k - (len(several) - 1) / 2) / len(several), one


def _with_legend(figure: Figure, axes: Axes) -> Figure:
    """Put the legend under the axes, where it covers nothing; the figure grows by it."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        longest, (width, height) = max(map(len, labels)), figure.get_size_inches()
        columns = 2 if longest < 26 and len(labels) > 1 else 1
        lines = -(-len(labels) // columns)
        figure.set_size_inches(max(width, 0.6 + 0.075 * longest), height + 0.19 * lines + 0.1)
        figure.legend(handles, labels, fontsize=9, frameon=False, ncols=columns, loc="outside lower left")
    return figure


def _reals(values: Any) -> Any:
    """Numbers of JSON, NaN where it holds None."""
    return np.array(values, np.float64)


def _column(rows: Sequence[Tree], name: str) -> Any:
    return _reals([row[name] for row in rows])


def _dice(scores: Iterable[Tree]) -> tuple[Any, Any]:
    """Dice of several scores, (n,), and the ends of the intervals, (2, n); NaN where it is not defined."""
    values = [(one["hard"]["dice"], one["intervals"].get("dice")) for one in scores]
    return _reals([value for value, _ in values]), _reals(
        [ends or (value, value) for value, ends in values]
    ).T


def interval_figure(scores: Mapping[str, Tree], title: str) -> Figure:
    """Draw Dice of several maps, months or regions with its 95 % interval, from top to bottom."""
    longest, places = max(map(len, scores), default=1), range(len(scores))
    figure, axes = _figure(title, size=(3 + 0.085 * longest, 0.8 + 0.32 * max(len(scores), 2)))
    values, ends = _dice(scores.values())
    axes.hlines(places, *ends, color=COLOURS[0], linewidth=1.6)
    axes.plot(values, places, "o", color=COLOURS[0], markersize=5)
    axes.set_yticks(places, [plain_text(name) for name in scores])
    axes.set_ylim(len(scores) - 0.5, -0.5)
    return figure


def grouped_interval_figure(groups: Mapping[str, Mapping[str, Tree]], title: str) -> Figure:
    """Draw Dice of several maps with its 95 % intervals in several groups that all hold the same maps."""
    figure, axes = _figure(title, size=(6.2, 3.4))
    maps = {name: [group[name] for group in groups.values()] for name in next(iter(groups.values()), {})}
    for colour, label, beside, scores in _coloured(maps):
        at, (values, ends) = np.arange(len(groups)) + 0.7 * beside, _dice(scores)
        axes.vlines(at, *ends, color=colour, linewidth=1.6)
        axes.plot(at, values, "o", color=colour, markersize=5, label=label)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylim(0, 1)
    return _with_legend(figure, axes)


def _bars(axes: Axes, several: Mapping[str, Any], at: Any) -> None:
    for colour, label, beside, heights in _coloured(several):
        axes.bar(at + 0.8 * beside, heights, 0.8 / len(several), color=colour, label=label)


def date_figure(wholes: Mapping[str, Tree], limit: int) -> Figure:
    """Draw histograms of date differences; what is beyond `limit` days is counted in the outermost bars."""
    figure, axes = _figure("Date difference", "days, map minus reference", "share of cells")
    found = {}
    for name, one in wholes.items():
        counts, text = (
            np.array(one["dates"]["cells"]),
            ": median {median_days:+.0f}, mean abs. {mean_absolute_days:.1f}",
        )
        label = name + (text.format(**one["scores"]["dating"]) if counts.sum() else "")
        found[label] = trimmed(counts, limit) / max(counts.sum(), 1)
    _bars(axes, found, np.arange(-limit, limit + 1))
    axes.axvline(0, **_DASHED | {"linestyle": "-"})
    return _with_legend(figure, axes)


def class_figure(wholes: Mapping[str, Tree]) -> Figure:
    """Draw the share of cells found by class of burned fraction."""
    figure, axes = _figure("Cells found", "burned fraction of the cell, reference", "share of cells")
    burned = {name: [c for c in one["scores"]["classes"] if c["high"] > 0] for name, one in wholes.items()}
    labels = [c["class"] for c in next(iter(burned.values()), [])]
    _bars(axes, {name: _column(rows, "cell_recall") for name, rows in burned.items()}, np.arange(len(labels)))
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1)
    return _with_legend(figure, axes)


def proportion_figure(line: Tree) -> Figure:
    """Draw map against reference share of blocks, dots by their number, and the fitted line."""
    slope, intercept, r2 = _reals([line[name] for name in ("slope", "intercept", "r2")])
    text = f"y = {slope:.2f} x {intercept:+.3f}, R2 = {r2:.2f}, {line['blocks']} blocks"
    down, across = line["block_km"]
    x_label = f"reference, burned share of {down:.1f} x {across:.1f} km"
    figure, axes = _figure(text, x_label, "map, burned share", size=(4.4, 4.2))
    axes.plot([0, 1], [0, 1], **_DASHED)
    blocks = np.array(line["blocks_by_share"])
    x, y = np.nonzero(blocks)
    size = 6 + 14 * np.log10(blocks[x, y])
    axes.scatter((x + 0.5) / len(blocks), (y + 0.5) / len(blocks), size, COLOURS[0], alpha=0.5, linewidths=0)
    if np.isfinite(slope):
        axes.plot([0, 1], [intercept, intercept + slope], color=COLOURS[5], linewidth=1.4)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return figure


def threshold_figure(whole: Tree) -> Figure:
    """Draw Dice, commission and omission over the threshold."""
    figure, axes = _figure("Threshold on the burned fraction", "threshold")
    rows = whole["thresholds"]
    for colour, name in zip(COLOURS, ("dice", "commission", "omission"), strict=False):
        axes.plot(_column(rows, "threshold"), _column(rows, name), color=colour, linewidth=1.6, label=name)
    if whole["best_threshold"] is not None:
        axes.axvline(whole["best_threshold"], **_DASHED)
    axes.set_ylim(0, 1)
    axes.legend(fontsize=9, frameon=False, loc="best")
    return figure


def reliability_figure(several: Mapping[str, Tree], stated: str, observed: str) -> Figure:
    """Draw stated against observed by class, and how many hectares each class holds."""
    figure, axes = _figure("Calibration", "", observed, size=(4.6, 4.8))
    grid = figure.add_gridspec(2, 1, height_ratios=(4, 1))
    axes.set_subplotspec(grid[0])
    below = figure.add_subplot(grid[1])
    axes.plot([0, 1], [0, 1], **_DASHED)
    for colour, label, _, one in _coloured(several):
        hectares, edges, x, y = (_reals(one[key]) for key in ("hectares", "edges", "mapped", "observed"))
        known, middle = hectares > 0, (edges[:-1] + edges[1:]) / 2
        brier, error = _reals([one["brier"], one["calibration_error_from_5_percent"]])
        text = f"{label}: Brier {brier:.4f}, error from 5 % on {error:.3f}"
        axes.plot(x[known], y[known], "o-", color=colour, linewidth=1.4, markersize=3.5, label=text)
        below.plot(middle[known], hectares[known], "o-", color=colour, linewidth=0.8, markersize=2.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    below.set(yscale="log", xlim=(-0.02, 1.02))
    below.minorticks_off()
    _style(below, stated, "hectares")
    return _with_legend(figure, axes)


def coverage_figure(wholes: Mapping[str, Tree]) -> Figure:
    """Draw how often the stated date interval holds the reference's day, by what is stated."""
    x = "stated days before and after the date"
    figure, axes = _figure("Stated date interval", x, "share that hold the day")
    axes.axhspan(*_GOAL, color="#e9efe9", zorder=0)
    for colour, label, _, whole in _coloured(wholes):
        cells, covered = _reals(whole["uncertainty"]["cells_and_covered_by_days"]).T
        days = np.flatnonzero((cells >= max(20, 0.002 * cells.sum())) & (cells.sum() > 0))
        if days.size:
            text = f"{label}: {covered.sum() / cells.sum():.0%} of {cells.sum():,.0f} cells"
            axes.plot(days, covered[days] / cells[days], "o-", color=colour, label=text)
    _by_days(axes)
    return _with_legend(figure, axes)


def _by_days(axes: Axes) -> None:
    """Show whole days from 0 on, at least two of them, and shares."""
    last = max([1.0, *(float(x) for line in axes.lines for x in np.asarray(line.get_xdata()))])
    axes.set(xlim=(-0.3, last + 0.3), ylim=(0, 1.02))
    axes.locator_params(axis="x", integer=True)


def convergence_figure(several: Mapping[str, Tree]) -> Figure:
    """Draw Dice with the truth and the final map, and recall, against days since burning.

    Colours tell maps apart, strokes what is drawn, unless there is only one map.
    """
    figure, axes = _figure("Near real time", "days since burning", size=(5, 3.4))
    lines = {"dice_truth": "Dice, truth", "dice_final": "Dice, final map", "recall": "recall, truth"}
    for own, label, _, one in _coloured(several):
        for j, (key, line) in enumerate(lines.items()):
            colour, stroke = (COLOURS[j], "-") if len(several) == 1 else (own, ("-", "--", ":")[j])
            known: dict[str, Any] = {"marker": "o", "markersize": 3, "label": f"{label}, {line}"}
            axes.plot(_column(one["ages"], "age"), _column(one["ages"], key), stroke, color=colour, **known)
    _by_days(axes)
    return _with_legend(figure, axes)
