"""Pictures of a result: scores, calibration, dates, convergence, and the maps themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.evaluation import plots
from banet.evaluation.keeping import Sides
from banet.evaluation.measures import Tree
from banet.evaluation.result import WITH_NETWORK, Result, leader

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ALT", "FOLDER", "draw", "shown_maps"]

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


def shown_maps(tree: Tree) -> list[str]:
    """Return the maps that figures with many lines show: networks with all inputs, and two baselines."""
    methods = tree["methods"]
    if "protocol" not in tree:
        return list(methods)[:_MOST]
    names = [name for name, one in methods.items() if one[WITH_NETWORK] and one["inputs"] == "all"]
    return names[:_MOST] + [name for name in methods if name in _LEAD_BASELINES]


def draw(result: Result, tree: Tree, folder: Path, *, worst: int = 3) -> dict[str, Path]:
    """Draw the pictures and return their paths by name.

    Args:
        result: of an evaluation or of the benchmark.
        tree: its JSON.
        folder: where to.
        worst: number of worst seasons of the first map to draw.

    Raises:
        OutputError: if a picture cannot be written.
    """
    from banet.export.drawing import save

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: save(figure, folder / f"{name}.png") for name, figure in _figures(tree).items()}
    name = leader(tree) if "protocol" in tree else tree["name"]
    dice = f"Dice {result.scores[name].dice:.3f}"
    if "protocol" not in tree:
        sides = result.shown(name, next(iter(result.sums[name])))
        title = f"{name} against {result.reference}"
        return {"maps": _maps(sides, (result.reference, name), title, folder / "maps.png", dice)} | paths
    for rank, season in enumerate(result.worst(name, worst), 1):
        path = folder / f"worst_{rank}.png"
        paths[path.stem] = _maps(result.shown(name, season), ("truth", name), f"{season}: {name}", path)
    for scene, one in result.real.items():
        sides = one.shown(name, next(iter(one.sums[name])))
        title = f"Attica and the Peloponnese, August 2021: {name} against VNP64A1"
        paths[scene] = _maps(sides, (one.reference, name), title, folder / f"{scene}.png")
    return paths


def _figures(tree: Tree) -> dict[str, Figure]:
    methods = tree["methods"]
    wholes = {name: method["overall"] for name, method in methods.items()}
    scores = {name: whole["scores"] for name, whole in wholes.items()}
    lead = leader(tree) if "protocol" in tree else tree["name"]
    shown = {name: wholes[name] for name in dict.fromkeys([lead, *shown_maps(tree)])}
    confidence = {name: whole["confidence"] for name, whole in shown.items()}
    widths = {name: whole["uncertainty"]["cells_and_covered_by_days"] for name, whole in shown.items()}
    figures = {
        "dice": plots.interval_figure(scores, "Dice coefficient"),
        "fractions": plots.class_figure({name: scores[name] for name in shown}),
        "dates": plots.date_figure(shown, limit=10 if "protocol" in tree else 15),
        "calibration": plots.reliability_figure(confidence, ("confidence", "share of area that burned")),
        "fraction_calibration": plots.reliability_figure(
            {lead: wholes[lead]["fraction"]}, ("burned fraction, mapped", "burned fraction, reference")
        ),
        "uncertainty": plots.coverage_figure(widths),
        "proportions": plots.proportion_figure(wholes[lead]["proportions"]),
        "thresholds": plots.threshold_figure(wholes[lead]),
    }
    climates = {
        group: {n: methods[n]["climates"][group] for n in shown} for group in methods[lead]["climates"]
    }
    if climates:
        figures["climates"] = plots.grouped_interval_figure(climates, "Dice coefficient by climate")
    for kind in ("months", "covers", "zones"):
        if len(tree.get(kind, ())) > 1:
            figures[kind] = plots.interval_figure(tree[kind], ALT[kind])
    if tree["convergence"]:
        figures["convergence"] = plots.convergence_figure(tree["convergence"])
    return figures


def _maps(sides: Sides, names: tuple[str, str], title: str, path: Path, note: str = "") -> Path:
    """Draw reference and map side by side, and where they agree."""
    from banet.export.comparison import comparison_picture

    panels = [side.named(plots.plain_text(name)) for side, name in zip(sides, names, strict=True)]
    days = {"start": panels[0].start, "stop": panels[0].stop}
    notes = ("", note) if note else ()
    return comparison_picture(panels, path, title=plots.plain_text(title), notes=notes, **days)
