"""Result of scoring maps on one scene or on many: sums in, one tree of names and numbers out.

`banet evaluate` makes one of a single scene, the benchmark one of its seasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.days import NO_DATE
from banet.evaluation.compare import Comparison
from banet.evaluation.convergence import Convergence
from banet.evaluation.measures import Tree
from banet.evaluation.measures.dates import Dating
from banet.evaluation.scores import Scores
from banet.evaluation.sums import Sums
from banet.grid.region import Region
from banet.io.arrays import load_arrays, save_arrays
from banet.io.tables import plain

__all__ = ["WITH_NETWORK", "Result", "Sides", "leader", "load_sides", "save_sides", "shown_sides"]

FORMAT = 1
WITH_NETWORK = "candidate"
_NO_NETWORK = {WITH_NETWORK: None, "inputs": None}

Sides = tuple[BurnedArea, BurnedArea]
"""A reference and a map as a picture shows them: only what is scored."""


@dataclass(frozen=True, eq=False)
class Result:
    """Measurements by map and scene.

    Attributes:
        sums: by name of the map, in the order of the tables, and of the scene.
        reference: name of what they are held against.
        about: what was compared and how, for JSON.
        methods: of maps by networks, `candidate` and `inputs`.
        scene_groups: names of the scenes that belong together, such as climates.
        cell_groups: scores of the first map by month, land cover, region: kind, then class.
        fires: date differences to active fires, by map.
        replays: near-real-time replays by name of what was followed.
        real: result on a real scene beside the simulated ones, by name of the scene.
        stress: scores by map and stress, see `banet.evaluation.benchmark.stress`.
        sides: what pictures show, or its file, by map and scene.
        draws: of the bootstrap; 0 for no intervals.
    """

    sums: Mapping[str, Mapping[str, Sums]]
    reference: str = "reference"
    about: Tree = field(default_factory=dict)
    methods: Mapping[str, Tree] = field(default_factory=dict)
    scene_groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cell_groups: Mapping[str, Mapping[str, Scores]] = field(default_factory=dict)
    fires: Mapping[str, Dating] = field(default_factory=dict)
    replays: Mapping[str, Convergence] = field(default_factory=dict)
    real: Mapping[str, Result] = field(default_factory=dict)
    stress: Tree = field(default_factory=dict)
    sides: Mapping[str, Mapping[str, Sides | Path]] = field(default_factory=dict)
    draws: int = 1000

    def __repr__(self) -> str:
        scenes = {scene for of in self.sums.values() for scene in of}
        return f"Result({', '.join(self.sums)} against {self.reference}, {len(scenes)} scenes)"

    def joined(self, name: str, scenes: Sequence[str] | None = None) -> Sums:
        """Return the sums of a map over all scenes, or over some."""
        of = self.sums[name]
        return Sums.join([of[scene] for scene in (of if scenes is None else scenes)])

    def _scores(self, scenes: Sequence[str] | None = None) -> dict[str, Scores]:
        known: dict[str, Any] = {"reference": self.reference, "draws": self.draws}
        return {name: Scores.of(self.joined(name, scenes), name=name, **known) for name in self.sums}

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """Scores of each map over all scenes, with intervals."""
        return self._scores()

    @cached_property
    def by_group(self) -> dict[str, dict[str, Scores]]:
        """Scores by group of scenes, then by map, with intervals."""
        return {group: self._scores(scenes) for group, scenes in self.scene_groups.items()}

    @cached_property
    def wholes(self) -> dict[str, dict[str, Any]]:
        """Values of all measures of each map over all scenes."""
        said = {name: self.joined(name).value() for name in self.sums}
        scored = Scores.__dataclass_fields__
        return {
            name: {"scores": self.scores[name].to_dict()}
            | {key: plain(value) for key, value in one.items() if key not in scored}
            for name, one in said.items()
        }

    def worst(self, name: str, count: int = 3) -> list[str]:
        """Return the scenes on which a map has the lowest Dice, the worst first."""
        dice = {scene: Scores.of(one).dice for scene, one in self.sums[name].items()}
        return sorted((s for s, value in dice.items() if np.isfinite(value)), key=lambda s: dice[s])[:count]

    def shown(self, name: str, scene: str) -> Sides:
        """Return reference and map for a picture; errors as `load_sides`."""
        held = self.sides[name][scene]
        return load_sides(held) if isinstance(held, Path) else held

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON: what is not defined is None."""
        tree = {
            "format": FORMAT,
            **self.about,
            "methods": {name: self._method(name) for name in self.sums},
            **{kind: {k: one.to_dict() for k, one in of.items()} for kind, of in self.cell_groups.items()},
            "dates_to_active_fires": self.fires,
            "convergence": self.replays,
            "stress": self.stress,
            **{scene: one.wholes for scene, one in self.real.items()},
        }
        return dict(plain(tree))

    def _method(self, name: str) -> dict[str, Any]:
        return {
            **self.methods.get(name, _NO_NETWORK),
            "overall": self.wholes[name],
            "climates": {group: scores[name] for group, scores in self.by_group.items()},
            "seasons": {scene: _short(Scores.of(one)) for scene, one in self.sums[name].items()},
            "worst": self.worst(name),
        }


def leader(tree: Tree) -> str:
    """Return the map that pictures show: the first by a network, else the first."""
    names: list[str] = list(tree["methods"])
    return next((name for name in names if tree["methods"][name][WITH_NETWORK]), names[0])


def _short(scores: Scores) -> dict[str, Any]:
    names = ("dice", "commission", "omission", "relative_bias")
    return {name: getattr(scores, name) for name in names} | {
        "mean_absolute_days": scores.dating.mean_absolute,
        "covered": scores.dating.covered,
        "map_ha": scores.hard.map_burned,
        "reference_ha": scores.hard.reference_burned,
    }


def shown_sides(pair: Comparison, water: npt.NDArray[np.bool_]) -> Sides:
    """Return what is scored of a comparison; water is left out where it is of another grid."""
    wet = water if water.shape == pair.valid.shape else np.zeros(pair.valid.shape, bool)
    planes = ((pair.reference_burned, pair.reference_date), (pair.map_burned, pair.map_date))
    dates = [np.where(burned & pair.valid, date, NO_DATE) for burned, date in planes]
    return _sides(pair.region, (pair.start, pair.stop), pair.valid, wet, dates)


def _sides(region: Region, days: Any, valid: Any, water: Any, dates: Any) -> Sides:
    seen = {"observed_days": valid.astype(np.int16), "water": water}
    reference, mapped = (BurnedArea.from_dates(region, days[0], days[1], date, **seen) for date in dates)
    return reference, mapped


def save_sides(path: Path, sides: Sides) -> None:
    """Write what a picture shows beside the sums of `path`."""
    one, region = sides[0], sides[0].region
    arrays = {"region": np.array([*region.bbox, region.pixel_size]), "name": np.array(region.name)}
    arrays |= {"days": np.array([one.start, one.stop]), "valid": one.observed_days > 0, "water": one.water}
    save_arrays(_beside(path), arrays | {"dates": np.stack([side.burn_date for side in sides])})


def load_sides(path: Path) -> Sides:
    """Read what `save_sides` wrote beside the sums of `path`; errors as `load_arrays`."""
    held = load_arrays(_beside(path))
    west, south, east, north, size = map(float, held["region"])
    region = Region(str(held["name"]), (west, south, east, north), size)
    return _sides(region, held["days"], held["valid"], held["water"], held["dates"])


def _beside(path: Path) -> Path:
    return path.with_suffix(".sides.npz")
