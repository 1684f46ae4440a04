"""The benchmark from beginning to end."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from banet.errors import InputError
from banet.evaluation.benchmark.greek import GREEK, greek_methods, run_greek
from banet.evaluation.benchmark.methods import Candidate, Method, baselines, networks
from banet.evaluation.benchmark.run import (
    REPLAY,
    STRESSED,
    place_of,
    plan,
    run_jobs,
    scene_key,
)
from banet.evaluation.benchmark.scenes import REPLAYED, BenchmarkScene, Subset, subset_named
from banet.evaluation.benchmark.stage import simulator_hash
from banet.evaluation.convergence import Convergence
from banet.evaluation.keeping import load_replay
from banet.evaluation.result import Result
from banet.evaluation.stress import STRESSES
from banet.evaluation.sums import Sums
from banet.io.files import output_folder
from banet.io.lock import lock
from banet.io.progress import Progress

__all__ = ["benchmark"]

TRUTH = "simulated truth"


def benchmark(
    candidates: Sequence[Candidate],
    out: Path,
    *,
    subset: Subset = "full",
    scenes: Sequence[BenchmarkScene] | None = None,
    methods: Sequence[Method] | None = None,
    replays: bool | None = None,
    stress: bool = False,
    real: Path | None = None,
    cache: Path | None = None,
    workers: int = 1,
    draws: int = 1000,
    progress: Progress | None = None,
) -> Result:
    """Score weights and baselines on the fixed seasons; what an earlier run finished is not done again.

    Args:
        candidates: weights, each scored with all inputs, without hot spots and without images.
        out: folder that keeps the sums of finished work.
        subset: `full` for all seasons, `small` for the first of each climate.
        scenes: other seasons in place of a subset.
        methods: further methods, or other baselines; None for the baselines of the benchmark.
        replays: whether to replay the longest season of each climate in near real time; None does where the
            seasons hold them.
        stress: whether to score all but maps without images under every stress too, see
            `banet.evaluation.stress`.
        real: folder of real files, for the Greek scene; None leaves it out.
        cache: folder of simulated seasons; `seasons` in `out` if None.
        workers: processes.
        draws: of the bootstrap.
        progress: called with (done, all, message).

    Raises:
        InputError: if there is nothing to score.
        NotFoundError: if a real file is missing.
        BusyError: if another run works in the folder.
    """
    chosen = tuple(scenes) if scenes is not None else subset_named(subset)
    every = (*(baselines() if methods is None else methods), *(m for c in candidates for m in networks(c)))
    if not every or not chosen:
        raise InputError("a benchmark needs at least one method and one season")
    stressed = [m for m in every if m.inputs != "no images"] if stress else []
    replayed = [s for s in chosen if s.name in REPLAYED] if replays is not False else []
    followers = [*(networks(c)[0] for c in candidates), baselines()[0]] if candidates else []
    names = [scene.name for scene in replayed]
    with lock(output_folder(out), "this benchmark"):
        jobs = plan(chosen, every, out, stressed=stressed, replayed=names, followers=followers)
        run_jobs(jobs, out, cache or out / "seasons", workers=workers, progress=progress)
        if real is not None:
            run_greek(every, real, out, progress=progress)
    places = {m.name: {s.name: _there(out, scene_key(s), m) for s in chosen} for m in every}
    return Result(
        sums=_sums(places),
        reference=TRUTH,
        about=_about(chosen, candidates, draws, subset if scenes is None else "own"),
        methods={m.name: {"candidate": m.candidate, "inputs": m.inputs} for m in every if m.candidate},
        scene_groups={
            climate: [scene.name for scene in chosen if scene.climate == climate]
            for climate in dict.fromkeys(scene.climate for scene in chosen)
        },
        replays=_replays(out, replayed, followers),
        real={} if real is None else {"greece": _greece(out, every, draws)},
        stress=_stress(out, chosen, stressed),
        sides=places,
        draws=draws,
    )


def _there(out: Path, scene: str, method: Method, kind: str = "") -> Path:
    path = place_of(out, scene, method, kind)
    if not path.is_file():
        name = scene.partition(" ")[0]
        raise InputError(f"{method.name} was not scored on {name} yet; run the benchmark again")
    return path


def _greece(out: Path, methods: Sequence[Method], draws: int) -> Result:
    places = {method.name: {GREEK: _there(out, GREEK, method)} for method in greek_methods(methods)}
    return Result(sums=_sums(places), reference="VNP64A1", sides=places, draws=draws)


def _sums(places: Mapping[str, Mapping[str, Path]]) -> dict[str, dict[str, Sums]]:
    return {name: {scene: Sums.load(path) for scene, path in of.items()} for name, of in places.items()}


def _replays(
    out: Path, scenes: Sequence[BenchmarkScene], followers: Sequence[Method]
) -> dict[str, Convergence]:
    return {
        method.name: Convergence.join(
            [load_replay(_there(out, scene_key(s), method, REPLAY)) for s in scenes]
        )
        for method in (followers if scenes else ())
    }


def _stress(out: Path, scenes: Sequence[BenchmarkScene], methods: Sequence[Method]) -> dict[str, Any]:
    """Scores over all seasons by map and stress."""

    def scores(method: Method, stress: str) -> dict[str, Any]:
        places = [_there(out, scene_key(scene), method, stress) for scene in scenes]
        said = Sums.join([Sums.load(place, STRESSED) for place in places]).value(STRESSED)
        figures = {name: said["hard"].figures[name] for name in ("dice", "commission", "omission")}
        return figures | {"mean_absolute_days": said["dating"].mean_absolute, "edges": said["edges"]}

    return {method.name: {stress: scores(method, stress) for stress in STRESSES} for method in methods}


def _about(
    scenes: Sequence[BenchmarkScene], candidates: Sequence[Candidate], draws: int, subset: str
) -> dict[str, Any]:
    import torch

    import banet

    seasons = [
        {"name": s.name, "seed": s.seed, "start": str(s.start), "days": s.days, "size": s.size}
        for s in scenes
    ]
    versions = {"banet": banet.__version__, "numpy": np.__version__, "torch": torch.__version__}
    protocol = {"accuracy": "simulated", "subset": subset, "seasons": seasons, "draws": draws}
    protocol |= {"simulator_sha256": simulator_hash()}
    protocol |= {"versions": versions | {"python": platform.python_version()}}
    return {"protocol": protocol, "candidates": {one.name: one.to_dict() for one in candidates}}
