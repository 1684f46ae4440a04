"""The benchmark from beginning to end."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from banet.errors import InputError
from banet.evaluation.benchmark.cases import REPLAY, STRESSED, AnyScene, Case, plan, run_jobs
from banet.evaluation.benchmark.greek import GreekScene, greek_methods
from banet.evaluation.benchmark.methods import Candidate, Method, baselines, networks
from banet.evaluation.benchmark.scenes import REPLAYED, BenchmarkScene, Subset, subset_named
from banet.evaluation.benchmark.stage import simulator_hash
from banet.evaluation.benchmark.stress import STRESSES
from banet.evaluation.convergence import Convergence
from banet.evaluation.result import Result
from banet.evaluation.sums import Sums, check_draws
from banet.io.files import output_folder
from banet.io.lock import lock
from banet.io.progress import Progress

__all__ = ["benchmark"]


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
            `banet.evaluation.benchmark.stress`.
        real: folder of real files, for the Greek scene; None leaves it out.
        cache: folder of simulated seasons; `seasons` in `out` if None.
        workers: processes.
        draws: of the bootstrap.
        progress: called with (done, all, message).

    Raises:
        InputError: if there is nothing to score, less than one worker, or less than no draw.
        NotFoundError: if a real file is missing.
        BusyError: if another run works in the folder.
    """
    check_draws(draws)
    if workers < 1:
        raise InputError(f"{workers} workers; give at least one")
    chosen = tuple(scenes) if scenes is not None else subset_named(subset)
    every = (*(baselines() if methods is None else methods), *(m for c in candidates for m in networks(c)))
    if not every or not chosen:
        raise InputError("a benchmark needs at least one method and one season")
    stressed = [m for m in every if m.inputs != "no images"] if stress else []
    replayed = [s for s in chosen if s.name in REPLAYED] if replays is not False else []
    followers = [*(networks(c)[0] for c in candidates), baselines()[0]] if candidates and replayed else []
    greek = [] if real is None else [GreekScene(real)]

    def places(of: Sequence[AnyScene], by: Sequence[Method], kind: str = "") -> dict[str, dict[str, Path]]:
        return {m.name: {s.name: Case(s, m, kind).done(out) for s in of} for m in by}

    cases = [Case(s, m) for s in chosen for m in every]
    cases += [Case(s, m, name) for s in chosen for name in (STRESSES if stressed else ()) for m in stressed]
    cases += [Case(s, m, REPLAY) for s in replayed for m in followers]
    cases += [Case(s, m) for s in greek for m in greek_methods(every)]
    with lock(output_folder(out), "this benchmark"):
        run_jobs(plan(cases, out), out, cache or out / "seasons", workers=workers, progress=progress)
    seasons, real_ones = places(chosen, every), places(greek, every)
    followed = places(replayed, followers, REPLAY)
    return Result(
        sums=_sums(seasons),
        reference="simulated truth",
        about=_about(chosen, candidates, draws, subset if scenes is None else "own"),
        methods={m.name: {"candidate": m.candidate, "inputs": m.inputs} for m in every if m.candidate},
        scene_groups={
            climate: [scene.name for scene in chosen if scene.climate == climate]
            for climate in dict.fromkeys(scene.climate for scene in chosen)
        },
        replays={name: Convergence.join(map(Convergence.load, of.values())) for name, of in followed.items()},
        real={"greece": Result(_sums(real_ones), "VNP64A1", sides=real_ones, draws=draws)} if greek else {},
        stress={
            m.name: {name: _stressed(places(chosen, [m], name)[m.name]) for name in STRESSES}
            for m in stressed
        },
        sides=seasons,
        draws=draws,
    )


def _sums(places: Mapping[str, Mapping[str, Path]]) -> dict[str, dict[str, Sums]]:
    return {name: {scene: Sums.load(path) for scene, path in of.items()} for name, of in places.items()}


def _stressed(places: Mapping[str, Path]) -> dict[str, Any]:
    """Scores of a method under a stress, over all seasons."""
    said = Sums.join([Sums.load(path, STRESSED) for path in places.values()]).value(STRESSED)
    figures = {name: getattr(said["hard"], name) for name in ("dice", "commission", "omission")}
    return figures | {"mean_absolute_days": said["dating"].mean_absolute, "edges": said["edges"]}


def _about(
    scenes: Sequence[BenchmarkScene], candidates: Sequence[Candidate], draws: int, subset: str
) -> dict[str, Any]:
    import torch

    import banet

    names = ("name", "seed", "start", "days", "size")
    versions = {"banet": banet.__version__, "numpy": np.__version__, "torch": torch.__version__}
    protocol = {
        "accuracy": "simulated",
        "subset": subset,
        "seasons": [{n: getattr(s, n) for n in names} | {"start": str(s.start)} for s in scenes],
        "draws": draws,
        "simulator_sha256": simulator_hash(),
        "versions": versions | {"python": platform.python_version()},
    }
    return {"protocol": protocol, "candidates": {one.name: one.to_dict() for one in candidates}}
