"""Evaluation of one map against one reference: the benchmark of one scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.cube import open_cube
from banet.evaluation.compare import Comparison, compare
from banet.evaluation.convergence import Convergence
from banet.evaluation.dating_fires import dating_to_fires
from banet.evaluation.groups import by_class, by_month
from banet.evaluation.keeping import shown_sides
from banet.evaluation.measures import Pair
from banet.evaluation.measures.gaps import gap_classes
from banet.evaluation.result import Result
from banet.evaluation.sums import Sums
from banet.io.files import PathLike

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = ["evaluate"]


def evaluate(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    name: str = "map",
    baselines: Mapping[str, BurnedArea] | None = None,
    hotspots: pd.DataFrame | None = None,
    cube: Cube | PathLike | None = None,
    cover: npt.NDArray[np.integer] | None = None,
    cover_names: Mapping[int, str] | None = None,
    zones: npt.NDArray[np.integer] | None = None,
    zone_names: Mapping[int, str] | None = None,
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
        baselines: other maps to score in the same way, by name.
        hotspots: active fires (`read_hotspots`) to hold the dates against.
        cube: what was observed, or its folder, for date differences by gaps.
        cover: land cover or other classes of the comparison's cells, (rows, columns).
        cover_names: of the classes.
        zones: regions within the map, in the same way.
        zone_names: of the regions.
        convergence: of a replay (`banet.evaluation.convergence.replay`).
        block: edge of the bootstrap's blocks in cells.
        draws: of the bootstrap; 0 for no intervals.
        settings: of `compare`: threshold, reference_threshold, days, exclude_within, valid, unobserved,
            reliable.

    Raises:
        InputError: if the two have nothing in common, or a class plane does not fit.
    """
    maps = {name: burnmap} | dict(baselines or {})
    pairs = {key: compare(each, reference, **settings) for key, each in maps.items()}
    main = pairs[name]
    held = None if cube is None else open_cube(cube)
    known = {"gap": gap_classes(main, held)} if held is not None and held.region == main.region else {}
    scene = main.region.name
    drawn = {"block": block, "draws": draws}
    groups = {
        "months": by_month(main, **drawn),
        "covers": {} if cover is None else by_class(main, cover, cover_names, **drawn),
        "zones": {} if zones is None else by_class(main, zones, zone_names, **drawn),
    }
    return Result(
        sums={key: {scene: Sums.of(Pair.of(pair, block, classes=known))} for key, pair in pairs.items()},
        reference=reference.name,
        about=_about(name, reference.name, main),
        cell_groups=groups,
        fires={} if hotspots is None else {key: dating_to_fires(m, hotspots) for key, m in maps.items()},
        replays={} if convergence is None else {name: convergence},
        sides={key: {scene: shown_sides(pair, maps[key].water)} for key, pair in pairs.items()},
        draws=draws,
    )


def _about(name: str, source: str, pair: Comparison) -> dict[str, Any]:
    days = [str(pair.start), str(pair.stop)]
    return {"name": name, "reference": source, "days": days, "region": pair.region.to_dict()}
