"""An evaluation as files: JSON, CSV and Markdown tables, pictures, and one page that holds all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation import plots, tables
from banet.evaluation.dating import histogram
from banet.evaluation.evaluate import Evaluation
from banet.evaluation.scores import Scores
from banet.io.files import output_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from banet.export.page import Section, Table

__all__ = ["write_evaluation"]


def write_evaluation(evaluation: Evaluation, folder: Path, *, pictures: bool = True) -> dict[str, Path]:
    """Write an evaluation and return the paths by name.

    Args:
        evaluation: from `evaluate`.
        folder: made if needed.
        pictures: whether to draw pictures and write `evaluation.html`.

    Raises:
        OutputError: if it cannot be written.
    """
    target = output_folder(folder)
    paths = {"json": target / "evaluation.json", "markdown": target / "evaluation.md"}
    tables.write_text(paths["json"], tables.to_json(evaluation))
    for name, rows in _tables(evaluation).items():
        if rows:
            paths[f"{name}_csv"] = target / f"{name}.csv"
            tables.write_text(paths[f"{name}_csv"], tables.to_csv(rows))
    tables.write_text(paths["markdown"], markdown(evaluation))
    if pictures:
        drawn = _pictures(evaluation, target)
        paths |= drawn
        paths["page"] = _page(evaluation, target, drawn)
    return paths


def _tables(e: Evaluation) -> dict[str, list[dict[str, Any]]]:
    datings = {name: s.dating for name, s in e.scores.items()}
    datings |= {f"{name}, against active fires": dating for name, dating in e.fires.items()}
    return {
        "scores": tables.score_rows(e.scores),
        "burned_fraction": tables.class_rows(e.scores),
        "fire_size": tables.size_rows(e.sizes),
        "months": tables.score_rows(e.months),
        "covers": tables.score_rows(e.covers),
        "zones": tables.score_rows(e.zones),
        "dates": tables.dating_rows(datings),
        "dates_by_gap": tables.dating_rows(e.gaps, "gap_days"),
        "thresholds": list(e.curve.rows()),
        "calibration": [
            {"of": name} | row
            for name, curve in (("confidence", e.calibration), ("burned fraction", e.fraction_calibration))
            for row in curve.rows()
        ],
        "convergence": [] if e.convergence is None else list(e.convergence.rows()),
        "first_mapped": [] if e.convergence is None else list(e.convergence.fire_rows()),
    }


_TITLES = {
    "burned_fraction": "By burned fraction of the cell",
    "fire_size": "By size of fire",
    "months": "By month",
    "covers": "By land cover",
    "zones": "By region",
    "dates": "Dates",
    "dates_by_gap": "Dates by gap between clear looks",
    "convergence": "Near real time",
    "first_mapped": "How soon a fire is first mapped",
}


def markdown(evaluation: Evaluation) -> str:
    """Return the tables for a paper."""
    e = evaluation
    parts = [f"# {e.name} against {e.reference}", _words(e)]
    parts.append("\n".join([Scores.markdown_header(), *(s.markdown_row() for s in e.scores.values())]))
    fit = e.proportions
    parts.append(
        f"Burned share of {fit.blocks} blocks of {fit.block_km[0]:.1f} x {fit.block_km[1]:.1f} km: slope "
        f"{fit.slope:.3f}, intercept {fit.intercept:+.4f}, R2 {fit.r2:.3f}, RMSE {fit.rmse:.4f}. "
        f"Best threshold {e.curve.best:.2f}. Confidence against cells that burned: Brier score "
        f"{e.calibration.brier:.5f}, skill {e.calibration.skill:.3f}, calibration error "
        f"{e.calibration.error:.5f}. Burned fraction: Brier score {e.fraction_calibration.brier:.5f}, "
        f"calibration error {e.fraction_calibration.error:.5f}."
    )
    found = _tables(e)
    for name, title in _TITLES.items():
        if found[name]:
            parts.append(f"## {title}\n\n{tables.markdown_table(found[name])}")
    return "\n\n".join(parts) + "\n"


def _words(e: Evaluation) -> str:
    s, c = e.scores[e.name], e.comparison
    days = f"{c.start} to {c.stop - 1}" if c.start is not None and c.stop is not None else "all days"
    rows, cols = c.region.shape
    return (
        f"{c.region.name}, {days}, validation unit: {rows} x {cols} cells of {c.region.pixel_size:g} "
        f"degrees, {s.cells:,} of them valid ({s.hectares:,.0f} ha); {s.unseen_ha:,.0f} ha were not observed "
        f"by the map, of which {s.unseen_burned_ha:,.0f} ha burned. Areas on the WGS84 ellipsoid. In "
        "brackets: 95 % intervals by block bootstrap."
    )


def _figures(e: Evaluation) -> dict[str, Figure]:
    figures = {
        "dice": plots.interval_figure(e.scores, "dice", "Dice coefficient"),
        "dates": plots.date_figure({e.name: histogram(e.comparison.date_difference)}),
        "proportions": plots.proportion_figure(e.proportions),
        "burned_fraction": plots.class_figure(e.scores),
        "thresholds": plots.threshold_figure(e.curve),
        "calibration": plots.reliability_figure(
            {f"{e.name}, confidence": e.calibration}, ("confidence", "share of area that burned")
        ),
        "fractions": plots.reliability_figure(
            {f"{e.name}, burned fraction": e.fraction_calibration},
            ("burned fraction, mapped", "burned fraction, reference"),
        ),
    }
    if len(e.months) > 1:
        figures["months"] = plots.interval_figure(e.months, "dice", "Dice coefficient by month")
    if e.covers:
        figures["covers"] = plots.interval_figure(e.covers, "dice", "Dice coefficient by land cover")
    if e.zones:
        figures["zones"] = plots.interval_figure(e.zones, "dice", "Dice coefficient by region")
    if e.convergence is not None:
        figures["convergence"] = plots.convergence_figure(e.convergence)
    return figures


def _pictures(e: Evaluation, folder: Path) -> dict[str, Path]:
    from banet.export.drawing import save

    paths = {name: save(figure, folder / f"{name}.png") for name, figure in _figures(e).items()}
    return {"maps": _maps(e, folder)} | paths


def _maps(e: Evaluation, folder: Path) -> Path:
    """Draw reference and map side by side, and where they agree."""
    from banet.export.comparison import comparison_picture

    c = e.comparison
    nat = np.datetime64("NaT", "D")
    sides = ((e.reference, c.reference_burned, c.reference_date), (e.name, c.map_burned, c.map_date))
    # Dates of cells that burned too little to count are not drawn: a panel shows what is scored.
    panels = [
        BurnedArea.from_dates(
            c.region,
            c.start,
            c.stop,
            np.where(burned & c.valid, date, nat),
            observed_days=c.valid.astype(np.int16),
            name=title,
        )
        for title, burned, date in sides
    ]
    return comparison_picture(
        panels,
        folder / "maps.png",
        start=c.start,
        stop=c.stop,
        title=f"{e.name} against {e.reference}",
        notes=("", f"Dice {e.scores[e.name].dice:.3f}"),
    )


def _page(e: Evaluation, folder: Path, drawn: dict[str, Path]) -> Path:
    from banet.export.page import Picture, Table, write_report
    from banet.export.page import Section as Part

    grouped = {"zones": e.zones, "months": e.months, "covers": e.covers}

    def part(title: str, *names: str, rows: str = "") -> Section:
        found = _tables(e).get(rows, [])
        if rows in grouped:
            held = [_scores_table(grouped[rows])]
        else:
            held = [Table(*tables.shown_rows(found))] if found else []
        return Part(title, tables=held, pictures=[Picture(drawn[n]) for n in names if n in drawn])

    sections = [
        Part("Scores", (_words(e),), tables=[_scores_table(e.scores)], pictures=[Picture(drawn["dice"])]),
        part("Maps", "maps"),
        part("Dates", "dates", rows="dates"),
        part("Low fractions", "burned_fraction", rows="burned_fraction"),
        part("By size of fire", rows="fire_size"),
        part("Burned share in blocks", "proportions"),
        part("Thresholds and calibration", "thresholds", "calibration", "fractions"),
    ]
    more = {
        "zones": "By region",
        "months": "By month",
        "covers": "By land cover",
        "convergence": "Near real time",
        "first_mapped": "How soon a fire is first mapped",
    }
    sections += [part(title, name, rows=name) for name, title in more.items() if _tables(e)[name]]
    if e.gaps:
        sections.append(part("Dates by gap between clear looks", rows="dates_by_gap"))
    return write_report(folder, f"{e.name} against {e.reference}", sections, name="evaluation.html")


def _scores_table(scores: Mapping[str, Scores]) -> Table:
    from banet.export.page import Table

    def cells(row: str) -> list[str]:
        return [cell.strip() for cell in row.strip("| ").split("|")]

    head = cells(Scores.markdown_header().split("\n")[0])
    return Table(head, [cells(each.markdown_row()) for each in scores.values()])
