"""Evaluation of one map against one reference: the benchmark of one scene."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.joining import has_undated, undated_period
from banet.burned_area.unknown import comparable
from banet.cube import open_cube
from banet.days import NO_DATE, Day, as_day
from banet.errors import BanetWarning, InputError
from banet.evaluation.compare import Bools, Comparing, Comparison, compare
from banet.evaluation.convergence import Convergence
from banet.evaluation.measures import Pair
from banet.evaluation.measures.dates import Dating, dating_to_fires
from banet.evaluation.measures.gaps import gap_classes
from banet.evaluation.measures.measure import check_shape
from banet.evaluation.result import Result, shown_sides
from banet.evaluation.scores import Scores
from banet.evaluation.sums import Sums, check_draws
from banet.grid.labelled import plane_on
from banet.io.files import PathLike
from banet.observations.hotspots import given_hotspots

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.labels.classes import Classes

__all__ = ["by_class", "by_month", "evaluate"]

UNDATED = "undated"
"""Entry beside the months for what burned on a day that nobody tells."""

_OWN = ("name", "baselines", "hotspots", "cube", "cover", "zones", "convergence", "block", "draws")


def evaluate(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    name: str = "map",
    baselines: Mapping[str, BurnedArea] | None = None,
    hotspots: pd.DataFrame | PathLike | None = None,
    cube: Cube | PathLike | None = None,
    cover: Classes | None = None,
    zones: Classes | None = None,
    convergence: Convergence | None = None,
    block: int = 20,
    draws: int = 1000,
    **settings: Any,
) -> Result:
    """Compute every measure that the given inputs allow.

    Args:
        burnmap: the map, or a product to judge.
        reference: the truth, a product, or perimeters.
        name: of the map.
        baselines: other maps to score in the same way, by names of which none is that of the map.
        hotspots: active fires to hold the dates against: the table of `read_hotspots`, or their file.
        cube: what was observed, or its folder, for date differences by gaps.
        cover: land cover or other classes of the comparison's cells, (rows, columns), and their names.
        zones: regions within the map, in the same way.
        convergence: of a replay (`banet.evaluation.convergence.replay`).
        block: edge of the bootstrap's blocks in cells.
        draws: of the bootstrap; 0 for no intervals.
        settings: of `compare`: threshold, reference_threshold, days, exclude_within, valid, unobserved,
            reliable.

    Raises:
        InputError: if the two have nothing in common, a class plane does not fit, baselines have no names or
            that of the map, or hot spots cannot be read.
        TypeError: if there is no such setting.

    Warns:
        BanetWarning: if no hot spot lies near what burned, or the reference says nothing of `reliable`.
    """
    check_draws(draws)
    asked = Comparing.asked("evaluate", settings, *_OWN)
    maps = {name: burnmap} | _named(baselines, name)
    spots = None if hotspots is None else given_hotspots(hotspots)
    pairs = {key: compare(each, reference, **settings) for key, each in maps.items()}
    main = pairs[name]
    held = None if cube is None else open_cube(cube)
    scene = main.region.name
    known = {"gap": gap_classes(main, held)} if held is not None and held.region == main.region else {}
    drawn: dict[str, Any] = {"block": block, "draws": draws, "reference": reference.name}
    groups = {"months": by_month(main, **drawn)}
    for kind, classes in (("covers", cover), ("zones", zones)):
        groups[kind] = {} if classes is None else by_class(main, *classes, **drawn)
    valid = settings.get("valid")
    fires = {} if spots is None else {key: dating_to_fires(one, spots) for key, one in maps.items()}
    told = reference.quality is not None
    _warn_of_idle(fires, asked.reliable and not told)
    recorded = asked.model_dump() | {
        "reliable": asked.reliable and told,
        "threshold": {key: asked.map_threshold(one) for key, one in maps.items()},
        "valid_cells": None if valid is None else int(np.count_nonzero(valid)),
        "block": block,
        "draws": draws,
    }
    return Result(
        sums={key: {scene: Sums.of(Pair.of(pair, block, classes=known))} for key, pair in pairs.items()},
        reference=reference.name,
        about={
            "name": name,
            "reference": reference.name,
            **_days(pairs, name, maps, reference),
            "region": main.region.to_dict(),
            "settings": recorded,
        },
        cell_groups=groups,
        fires=fires,
        replays={} if convergence is None else {name: convergence},
        sides={key: {scene: shown_sides(pair, maps[key].water)} for key, pair in pairs.items()},
        draws=draws,
    )


def _warn_of_idle(fires: Mapping[str, Dating], unsaid: bool) -> None:
    """Warn of hot spots, and of `reliable`, where they do nothing."""
    notes = []
    if fires and not any(one.cells for one in fires.values()):
        notes.append("no hot spot lies near what burned within 30 days: no date is held against one")
    if unsaid:
        notes.append(
            "the reference does not say what it saw reliably: --reliable (reliable=) leaves out nothing"
        )
    for note in notes:
        warnings.warn(note, BanetWarning, stacklevel=3)


def _named(baselines: Mapping[str, BurnedArea] | None, name: str) -> dict[str, BurnedArea]:
    """Return the baselines, none of which may have the name of the map."""
    if not isinstance(baselines, Mapping | None):
        raise InputError(
            f"baselines are maps by their names, {{name: map}}, not a {type(baselines).__name__}"
        )
    if baselines is not None and name in baselines:
        raise InputError(f"a baseline is called {name!r}, as is the map; give one of them another name")
    return dict(baselines or {})


def _days(
    pairs: Mapping[str, Comparison], name: str, maps: Mapping[str, BurnedArea], reference: BurnedArea
) -> dict[str, Any]:
    """Return the days compared, half-open, and those of other maps and of fractions that are of others."""
    days = {key: _told(pair.start, pair.stop) for key, pair in pairs.items()}
    sides = [(name, "the reference", reference), *((key, key, one) for key, one in maps.items())]
    return {
        "days": days[name],
        "other_days": {key: one for key, one in days.items() if one != days[name]},
        "undated_days": {
            side: _told(*undated_period(one))
            for key, side, one in sides
            if has_undated(one) and not pairs[key].holds(*undated_period(one))
        },
    }


def _told(start: Day, stop: Day) -> list[str]:
    return [str(start), str(stop)]


def by_class(
    comparison: Comparison,
    classes: npt.NDArray[np.integer],
    names: Mapping[int, str] | None = None,
    **drawn: Any,
) -> dict[str, Scores]:
    """Score each class of cells by itself.

    Args:
        comparison: map and reference.
        classes: (rows, columns), such as land cover; cells below 0 are left out.
        names: of the classes; by default their numbers.
        drawn: `reference`, `block` and `draws` as `Scores.between` takes them.

    Raises:
        InputError: if the classes have another shape, or are of other cells by their coordinates.
    """
    classes = plane_on(comparison.region, classes, "classes")
    check_shape(comparison, classes, "classes")
    numbers = np.unique(classes[(classes >= 0) & comparison.valid])
    parts = {(names or {}).get(int(n), str(n)): comparison.narrowed(classes == n) for n in numbers}
    return {name: Scores.between(part, name=name, **drawn) for name, part in parts.items()}


def by_month(comparison: Comparison, **drawn: Any) -> dict[str, Scores]:
    """Score each calendar month by itself: cells that either side dates in another month count as unburned.

    A cell that the map dates in another month than the reference is missed in the one and false in the other.
    What one side does not date counts in the month of the other's date. Where neither does but one shows a
    cell burned, as below the threshold of a map, there is one more entry, `undated`: hectares of all entries
    add up to those of the comparison. Cells of which a side says nothing in a month are left out there; where
    none remains, hectares are NaN.

    Args:
        comparison: map and reference.
        drawn: `reference`, `block` and `draws` as `Scores.between` takes them.
    """
    c = comparison
    dates = np.concatenate([c.map_date.ravel(), c.reference_date.ravel()])
    months = np.unique(dates[~np.isnat(dates)].astype("datetime64[M]"))
    parts = {str(month): _within(c, month) for month in months}
    neither = np.isnat(c.map_date) & np.isnat(c.reference_date)
    if (neither & c.valid & (c.map_burned | c.reference_burned)).any():
        parts[UNDATED] = _burned_in(c, neither, neither)
    return {name: Scores.between(part, name=name, **drawn) for name, part in parts.items()}


def _within(c: Comparison, month: np.datetime64) -> Comparison:
    """Return the comparison of a month, over the cells of which both sides say something in it."""
    mine, theirs = (date.astype("datetime64[M]") == month for date in (c.map_date, c.reference_date))
    here = _burned_in(c, mine | (np.isnat(c.map_date) & theirs), theirs | (np.isnat(c.reference_date) & mine))
    first, after = (max(as_day(month), c.start), min(as_day(month + 1), c.stop))
    undated = np.full(c.region.shape, NO_DATE)
    gaps = c.map_unknown_days, c.reference_unknown_days
    seen, told = (comparable(unknown, first, after, undated) for unknown in gaps)
    return replace(here, valid=c.valid & seen & told, unseen=(c.unseen | (c.valid & ~seen)) & told)


def _burned_in(c: Comparison, mine: Bools, theirs: Bools) -> Comparison:
    """Return the comparison with all cells unburned but those of two masks, of the map and the reference."""
    return replace(
        c,
        map_fraction=np.where(mine, c.map_fraction, 0),
        map_burned=c.map_burned & mine,
        map_date=np.where(mine, c.map_date, NO_DATE),
        reference_fraction=np.where(theirs, c.reference_fraction, 0),
        reference_burned=c.reference_burned & theirs,
        reference_date=np.where(theirs, c.reference_date, NO_DATE),
    )
