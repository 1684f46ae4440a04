"""Maps and products beside each other: each judged by every reference, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from banet.burned_area.burned_area import BurnedArea
from banet.errors import InputError
from banet.evaluation.evaluate import evaluate
from banet.evaluation.measures import Tree
from banet.evaluation.measures.agreement import sides_of
from banet.evaluation.result import Result
from banet.evaluation.result_files import draw_maps, sections_of
from banet.evaluation.scores import headline
from banet.evaluation.tables import (
    Shown,
    as_markdown,
    burned_cells,
    dating_row,
    days_column,
    days_of,
    score_row,
    words,
)
from banet.export.page import Picture, Section, write_report
from banet.io.files import output_folder, remove_files, write_text
from banet.io.tables import Number, Row, to_csv, to_json

__all__ = ["beside", "tables_beside", "write_beside"]


def beside(
    maps: Mapping[str, BurnedArea], references: Mapping[str, BurnedArea], **options: Any
) -> dict[str, Result]:
    """Score every map against every reference but itself.

    Args:
        maps: by name.
        references: by name; a name that is among the maps too is the same product.
        options: of `evaluate`.

    Returns:
        The result by name of the reference.

    Raises:
        InputError: if there is nothing to compare, or as `evaluate`.
    """
    results = {}
    for reference, truth in references.items():
        others = {name: one for name, one in maps.items() if name != reference}
        if others:
            first = next(iter(others))
            mine = others.pop(first)
            known = options | {"name": first, "baselines": others}
            results[reference] = evaluate(mine, truth.named(reference), **known)
    if not results:
        raise InputError("one product stands beside nothing; name another, or a reference")
    return results


def tables_beside(trees: Mapping[str, Tree]) -> list[Shown]:
    """Return the tables of results by reference, from their JSON."""
    pairs = [
        ({"map": name, "reference": reference, **days_column(tree, name)}, method["overall"]["scores"])
        for reference, tree in trees.items()
        for name, method in tree["methods"].items()
    ]
    dice = {(head["map"], head["reference"]): scores["hard"]["dice"] for head, scores in pairs}
    names = [head["map"] for head, _ in pairs]
    matrix = [
        {"map": name} | {f"against {one}": Number(dice.get((name, one)), 2) for one in trees}
        for name in sorted(set(names), key=[*trees, *names].index)
    ]
    shares = (
        "Commission is the share of the map's hectares that the reference does not show, omission the share "
        "of the reference's that the map does not show; in brackets 95 % intervals."
    )
    whole = (
        f"Cells of which at least {burned_cells(trees.values())} burned, each whole, where both could see."
    )
    days = "Map minus reference, in days, over cells that both show burned."
    return [
        Shown("dice", "Dice", "Each map against each reference.", matrix),
        Shown("agreement", "Agreement", shares, [head | headline(scores) for head, scores in pairs]),
        Shown("hectares", "Hectares", whole, [head | _hectares(scores) for head, scores in pairs]),
        Shown("dates", "Dates", days, [head | dating_row(scores["dating"]) for head, scores in pairs]),
    ]


def _hectares(scores: Tree) -> Row:
    hard, sides = scores["hard"], sides_of(scores["hard"])
    row = {"map ha": sides["map_ha"], "reference ha": sides["reference_ha"], "both": hard["both_ha"]}
    row |= {"map alone": hard["map_only_ha"], "reference alone": hard["reference_only_ha"]}
    row["not seen by the map"] = scores["unseen_ha"]
    return {name: None if value is None else round(value) for name, value in row.items()}


def write_beside(results: Mapping[str, Result], out: Path, *, pictures: bool = True) -> dict[str, Path]:
    """Write comparison.json, .csv and .md, and the page with a map of each pair; return the paths by kind.

    A page of an earlier comparison and its maps are removed.

    Raises:
        OutputError: if they cannot be written.
    """
    folder, title = output_folder(out), "Maps and products beside each other"
    trees = {reference: result.to_dict() for reference, result in results.items()}
    tables = tables_beside(trees)
    rows = [
        score_row(name, one["overall"]["scores"]) | days_of(tree, name)
        for tree in trees.values()
        for name, one in tree["methods"].items()
    ]
    texts = {
        "json": to_json({"format": 1, "references": trees}),
        "csv": to_csv(rows),
        "md": f"# {title}\n\n{as_markdown(tables)}",
    }
    paths = {kind: folder / f"comparison.{kind}" for kind in texts}
    if (page := folder / "comparison.html").is_file():
        remove_files([page, *folder.glob("maps_[0-9]*.png")])
    for kind, text in texts.items():
        write_text(paths[kind], text)
    if pictures:
        sections, maps = sections_of(tables), _maps(results, folder)
        for name, tree in trees.items():
            sections.append(Section(f"Against {name}", (words(tree),), pictures=maps[name]))
        paths["html"] = write_report(folder, title, sections, name="comparison.html")
    return paths


def _maps(results: Mapping[str, Result], folder: Path) -> dict[str, list[Picture]]:
    """Draw each pair of products once, by name of the reference."""
    found: dict[str, list[Picture]] = {reference: [] for reference in results}
    drawn: set[frozenset[str]] = set()
    for reference, result in results.items():
        for name, scenes in result.sums.items():
            if (pair := frozenset((name, reference))) in drawn:
                continue
            drawn.add(pair)
            title, path = f"{name} against {reference}", folder / f"maps_{len(drawn)}.png"
            notes = ("", f"Dice {result.scores[name].dice:.3f}")
            draw_maps(result.shown(name, next(iter(scenes))), (reference, name), title, path, notes)
            found[reference].append(Picture(path, alt=f"{title}: dates of both, and where they agree"))
    return found
