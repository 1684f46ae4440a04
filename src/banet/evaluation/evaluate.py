"""The whole evaluation of one map against one reference: every measure, as tables, pictures and a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation.compare import Comparison, compare
from banet.evaluation.convergence import Convergence
from banet.evaluation.curves import Reliability, ThresholdCurve, reliability, threshold_curve
from banet.evaluation.dating import Dating
from banet.evaluation.dating_fires import dating_by_gap, dating_to_fires
from banet.evaluation.fires import SizeClass, scores_by_size
from banet.evaluation.groups import by_class, by_month
from banet.evaluation.regression import ProportionFit, proportion_fit
from banet.evaluation.scores import Scores, score_tally
from banet.evaluation.tally import tally

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that is known of a map against a reference.

    Attributes:
        name, reference: what was compared.
        comparison: cell by cell.
        scores: of the map, and of each baseline, by name; the map first.
        proportions: of the map in blocks of 5 km.
        curve: measures over thresholds on the burned fraction.
        calibration: confidence against cells that burned.
        fraction_calibration: burned fraction as mapped against as it was.
        sizes: scores by size of fire.
        months: scores by calendar month.
        covers: scores by land cover, empty if none was given.
        zones: scores by region within the map, empty if none were given.
        fires: date differences of the map and of the baselines to active fires, by name, empty if none were
            given.
        gaps: date differences by gap of observations, empty without a cube.
        zones: regions within the map, in the same way.
        zone_names: of the regions.
        convergence: of a replay in near real time, None without one.
        maps: map and baselines, for pictures.
    """

    name: str
    reference: str
    comparison: Comparison
    scores: dict[str, Scores]
    proportions: ProportionFit
    curve: ThresholdCurve
    calibration: Reliability
    fraction_calibration: Reliability
    sizes: tuple[SizeClass, ...]
    months: dict[str, Scores]
    covers: dict[str, Scores] = field(default_factory=dict)
    zones: dict[str, Scores] = field(default_factory=dict)
    fires: dict[str, Dating] = field(default_factory=dict)
    gaps: dict[str, Dating] = field(default_factory=dict)
    convergence: Convergence | None = None
    maps: dict[str, BurnedArea] = field(default_factory=dict)

    def write(self, folder: Path, *, pictures: bool = True) -> dict[str, Path]:
        """Write tables (JSON, CSV, Markdown), pictures and one HTML page; see `banet.evaluation.report`."""
        from banet.evaluation.report import write_evaluation

        return write_evaluation(self, folder, pictures=pictures)


def evaluate(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    name: str = "map",
    baselines: Mapping[str, BurnedArea] | None = None,
    hotspots: pd.DataFrame | None = None,
    cube: Cube | None = None,
    cover: npt.NDArray[np.integer] | None = None,
    cover_names: Mapping[int, str] | None = None,
    zones: npt.NDArray[np.integer] | None = None,
    zone_names: Mapping[int, str] | None = None,
    convergence: Convergence | None = None,
    block: int = 20,
    draws: int = 1000,
    **settings: Any,
) -> Evaluation:
    """Evaluate a map against a reference in every way for which there is something to go by.

    Args:
        burnmap: the map, or a product to judge.
        reference: the truth, a product, or perimeters.
        name: of the map.
        baselines: other maps to score in the same way, by name.
        hotspots: active fires (`read_hotspots`) to hold the dates against.
        cube: what was observed, for date differences by gaps.
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
    source = reference.name
    maps = {name: burnmap} | dict(baselines or {})
    pairs = {key: compare(each, reference, **settings) for key, each in maps.items()}
    comparison = pairs[name]
    fitting = cube is not None and cube.region == comparison.region and comparison.start is not None
    return Evaluation(
        name=name,
        reference=source,
        comparison=comparison,
        scores={
            key: score_tally(tally(pair, block), name=key, reference=source, draws=draws)
            for key, pair in pairs.items()
        },
        proportions=proportion_fit(comparison),
        curve=threshold_curve(comparison),
        calibration=reliability(comparison, of="confidence", hard=True),
        fraction_calibration=reliability(comparison),
        sizes=scores_by_size(comparison),
        months=by_month(comparison, block=block, draws=draws),
        covers={} if cover is None else by_class(comparison, cover, cover_names, block=block, draws=draws),
        zones={} if zones is None else by_class(comparison, zones, zone_names, block=block, draws=draws),
        fires={} if hotspots is None else {key: dating_to_fires(s, hotspots) for key, s in maps.items()},
        gaps=dating_by_gap(comparison, cube) if cube is not None and fitting else {},
        convergence=convergence,
        maps=maps,
    )
