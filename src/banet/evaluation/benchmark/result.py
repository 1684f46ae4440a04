"""The benchmark's result: from sums on disk to one tree of names and numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from banet.errors import InputError
from banet.evaluation.benchmark.keeping import Sketch, load_replay, load_sketch
from banet.evaluation.benchmark.measured import Measured
from banet.evaluation.benchmark.methods import Candidate, Method
from banet.evaluation.benchmark.real import GREEK, greek_methods
from banet.evaluation.benchmark.run import place_of, replay_identity, scene_key
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.evaluation.benchmark.stage import code_hash
from banet.evaluation.convergence import Convergence
from banet.evaluation.dating_fires import GAP_LABELS
from banet.evaluation.scores import Scores
from banet.evaluation.tables import dating_rows, plain, size_rows

__all__ = ["BenchmarkResult", "collect"]

FORMAT = 1
TRUTH = "simulated truth"


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """Everything measured, by method.

    Attributes:
        scenes: seasons, in order.
        methods: in the order of the tables.
        measured: sums by name of method and of season.
        real: sums of the real Greek scene by name of method; empty where it is not at hand.
        replays: near-real-time replays by name of what was followed, all seasons joined.
        candidates: weights.
        sketches: files of the maps by name of method and of season, for pictures.
        draws: of the bootstrap.
        subset: name of the choice of seasons.
    """

    scenes: tuple[BenchmarkScene, ...]
    methods: tuple[Method, ...]
    measured: Mapping[str, Mapping[str, Measured]]
    real: Mapping[str, Measured] = field(default_factory=dict)
    replays: Mapping[str, Convergence] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    sketches: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    draws: int = 1000
    subset: str = "full"
    # Intervals take seconds; tables, pictures and page ask for the same ones.
    _known: dict[tuple[str, str | None], Scores] = field(default_factory=dict, repr=False)

    @property
    def climates(self) -> tuple[str, ...]:
        """Climates in order."""
        return tuple(dict.fromkeys(scene.climate for scene in self.scenes))

    def joined(self, method: str, climate: str | None = None) -> Measured:
        """Return the sums of a method over all seasons, or over those of a climate."""
        names = [s.name for s in self.scenes if climate is None or s.climate == climate]
        return Measured.join([self.measured[method][name] for name in names])

    def scores(self, method: str, climate: str | None = None) -> Scores:
        """Return the scores of a method with intervals."""
        key = (method, climate)
        if key not in self._known:
            self._known[key] = self.joined(method, climate).scores(method, TRUTH, self.draws)
        return self._known[key]

    def worst(self, method: str, count: int = 3) -> list[str]:
        """Return the seasons in which a method has the lowest Dice, the worst first."""
        dice = {name: one.scores(method, TRUTH).dice for name, one in self.measured[method].items()}
        known = {name: value for name, value in dice.items() if np.isfinite(value)}
        return sorted(known, key=lambda name: known[name])[:count]

    def sketch(self, method: str, scene: str) -> Sketch:
        """Return a map and its reference for a picture.

        Raises:
            UnreadableFileError: if the file is damaged.
        """
        return load_sketch(self.sketches[method][scene])

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        tree = {
            "format": FORMAT,
            "protocol": self._protocol(),
            "candidates": {one.name: one.to_dict() for one in self.candidates},
            "methods": {method.name: self._method(method) for method in self.methods},
            "greece": {
                name: _tree(one, one.scores(name, "VNP64A1", self.draws)) for name, one in self.real.items()
            },
            "convergence": {name: one.to_dict() for name, one in self.replays.items()},
        }
        return dict(plain(tree))

    def _protocol(self) -> dict[str, Any]:
        import torch

        import banet

        return {
            "accuracy": "simulated",
            "subset": self.subset,
            "seasons": [
                {"name": s.name, "seed": s.seed, "start": str(s.start), "days": s.days, "size": s.size}
                for s in self.scenes
            ],
            "draws": self.draws,
            "simulator_sha256": code_hash(("simulation",)),
            "versions": {
                "banet": banet.__version__,
                "numpy": np.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        }

    def _method(self, method: Method) -> dict[str, Any]:
        name = method.name
        return {
            "candidate": method.candidate or None,
            "inputs": method.inputs if method.candidate else None,
            "overall": _tree(self.joined(name), self.scores(name), _cover_names()),
            "climates": {climate: self.scores(name, climate).to_dict() for climate in self.climates},
            "seasons": {
                season: _short(one.scores(name, TRUTH)) for season, one in self.measured[name].items()
            },
            "worst": self.worst(name),
        }


def _short(scores: Scores) -> dict[str, Any]:
    return {
        "dice": scores.dice,
        "commission": scores.commission,
        "omission": scores.omission,
        "relative_bias": scores.relative_bias,
        "mean_absolute_days": scores.dating.mean_absolute,
        "covered": scores.dating.covered,
        "map_ha": scores.hard.map_burned,
        "reference_ha": scores.hard.reference_burned,
    }


def _tree(one: Measured, scores: Scores, covers: Mapping[int, str] | None = None) -> dict[str, Any]:
    gaps = dict(zip(GAP_LABELS, one.by_gap(), strict=True))
    return {
        "scores": scores.to_dict(),
        "confidence": one.confidence_reliability().to_dict(),
        "fraction": one.fraction_reliability().to_dict(),
        "uncertainty": {"mean_days": one.mean_uncertainty, "cells_and_covered_by_days": one.widths.tolist()},
        "dates": _trimmed(one.blocks.dates.sum(axis=0)),
        "sizes": size_rows(one.by_size()),
        "gaps": dating_rows(gaps, "gap_days"),
        "covers": {cover: _short(s) for cover, s in one.by_cover(covers or {}).items()} if covers else {},
        "proportions": one.proportion_fit().to_dict(),
        "thresholds": one.curve().rows(),
        "best_threshold": one.curve().best,
    }


def _trimmed(histogram: Any, limit: int = 30) -> dict[str, Any]:
    """Counts of date differences from -30 to 30 days; what lies beyond is in the outermost."""
    middle = histogram.size // 2
    shown = histogram[middle - limit : middle + limit + 1].copy()
    shown[0] += histogram[: middle - limit].sum()
    shown[-1] += histogram[middle + limit + 1 :].sum()
    return {"first_days": -limit, "cells": [int(n) for n in shown]}


def _cover_names() -> dict[int, str]:
    from banet.simulation.spectra import Cover

    return {int(cover): cover.name.lower() for cover in Cover}


def collect(
    out: Path,
    scenes: Sequence[BenchmarkScene],
    methods: Sequence[Method],
    *,
    candidates: Sequence[Candidate] = (),
    replayed: Sequence[str] = (),
    followers: Sequence[Candidate | None] = (),
    real: bool = False,
    draws: int = 1000,
    subset: str = "full",
) -> BenchmarkResult:
    """Read what a run left on disk.

    Args:
        out: folder of sums.
        scenes: seasons.
        methods: scored on them.
        candidates: weights among the methods.
        replayed: names of the seasons that were replayed.
        followers: what was followed there, as in `plan`.
        real: whether the real scene was scored.
        draws: of the bootstrap.
        subset: name of the choice of seasons.

    Raises:
        InputError: if something was not done yet.
        UnreadableFileError: if a file is damaged.
    """
    if not scenes or not methods:
        raise InputError("a benchmark needs at least one method and one season")
    places = {
        m.name: {s.name: _there(out, scene_key(s), m.slug, m.identity) for s in scenes} for m in methods
    }
    seasons = [scene for scene in scenes if scene.name in replayed]
    greek = {m.name: _there(out, GREEK, m.slug, m.identity) for m in greek_methods(methods)} if real else {}
    replays = {}
    for name, _, identity in map(replay_identity, followers):
        parts = [load_replay(_there(out, scene_key(s), "replay", identity)) for s in seasons]
        if parts:
            replays[name] = Convergence.join(parts)
    return BenchmarkResult(
        scenes=tuple(scenes),
        methods=tuple(methods),
        measured={
            name: {scene: Measured.load(path) for scene, path in of.items()} for name, of in places.items()
        },
        real={name: Measured.load(path) for name, path in greek.items()},
        replays=replays,
        candidates=tuple(candidates),
        sketches={name: of | ({GREEK: greek[name]} if greek else {}) for name, of in places.items()},
        draws=draws,
        subset=subset,
    )


def _there(out: Path, scene: str, slug: str, identity: str) -> Path:
    path = place_of(out, scene, slug, identity)
    if not path.is_file():
        raise InputError(f"{slug} was not scored on {scene.partition(' ')[0]} yet; run the benchmark again")
    return path
