"""Pictures of a result: scores, calibration, dates, convergence, and the maps themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from banet.evaluation import plots
from banet.evaluation.measures import Tree
from banet.evaluation.result import WITH_NETWORK, Result, leader

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["ALT", "FOLDER", "draw", "draw_maps"]

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
    from banet.export.drawing import save

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: save(figure, folder / f"{name}.png") for name, figure in _figures(tree).items()}
    name = leader(tree)
    if "protocol" not in tree:
        sides = result.shown(name, next(iter(result.sums[name])))
        title, notes = f"{name} against {result.reference}", ("", f"Dice {result.scores[name].dice:.3f}")
        maps = draw_maps(sides, (result.reference, name), title, folder / "maps.png", notes)
        return {"maps": maps} | paths
    for rank, season in enumerate(result.worst(name, worst), 1):
        path = folder / f"worst_{rank}.png"
        paths[path.stem] = draw_maps(result.shown(name, season), ("truth", name), f"{season}: {name}", path)
    for scene, one in result.real.items():
        sides = one.shown(name, next(iter(one.sums[name])))
        title = f"Attica and the Peloponnese, August 2021: {name} against VNP64A1"
        paths[scene] = draw_maps(sides, (one.reference, name), title, folder / f"{scene}.png")
    return paths


def _figures(tree: Tree) -> dict[str, Figure]:
    methods, lead = tree["methods"], leader(tree)
    wholes = {name: method["overall"] for name, method in methods.items()}
    scores = {name: whole["scores"] for name, whole in wholes.items()}
    shown = {name: wholes[name] for name in _lines(tree)}
    fractions = {lead: wholes[lead]["fraction"]}
    figures = {
        "dice": plots.interval_figure(scores, "Dice coefficient"),
        "fractions": plots.class_figure({name: scores[name] for name in shown}),
        "dates": plots.date_figure(shown, limit=10 if "protocol" in tree else 15),
        "calibration": plots.reliability_figure(
            {name: whole["confidence"] for name, whole in shown.items()},
            "confidence",
            "share of area that burned",
        ),
        "fraction_calibration": plots.reliability_figure(
            fractions, "burned fraction, mapped", "burned fraction, reference"
        ),
        "uncertainty": plots.coverage_figure(
            {name: whole["uncertainty"]["cells_and_covered_by_days"] for name, whole in shown.items()}
        ),
        "proportions": plots.proportion_figure(wholes[lead]["proportions"]),
        "thresholds": plots.threshold_figure(wholes[lead]),
    }
    climates = {
        group: {name: methods[name]["climates"][group] for name in shown}
        for group in methods[lead]["climates"]
    }
    if climates:
        figures["climates"] = plots.grouped_interval_figure(climates, "Dice coefficient by climate")
    for kind in ("months", "covers", "zones"):
        if len(tree.get(kind, ())) > 1:
            figures[kind] = plots.interval_figure(tree[kind], ALT[kind])
    if tree["convergence"]:
        figures["convergence"] = plots.convergence_figure(tree["convergence"])
    return figures


def draw_maps(
    sides: Sequence[BurnedArea], names: Sequence[str], title: str, path: Path, notes: Sequence[str] = ()
) -> Path:
    """Draw reference and maps side by side, and where the first map agrees with the reference."""
    from banet.export.comparison import comparison_picture

    panels = [side.named(plots.plain_text(name)) for side, name in zip(sides, names, strict=True)]
    days = {"start": panels[0].start, "stop": panels[0].stop}
    return comparison_picture(panels, path, title=plots.plain_text(title), notes=notes, **days)
