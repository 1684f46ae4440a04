"""Running the benchmark in worker processes: a run that was killed goes on where it was."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.errors import InputError
from banet.evaluation.benchmark.keeping import save_replay, save_sketch
from banet.evaluation.benchmark.measured import measure
from banet.evaluation.benchmark.methods import (
    Candidate,
    Method,
    active_fires_until,
    map_day_with,
    map_with,
)
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.evaluation.benchmark.stage import Stage, code_hash, open_stage
from banet.evaluation.compare import compare
from banet.evaluation.convergence import Convergence, replay
from banet.evaluation.dating_fires import gap_classes
from banet.io.files import output_folder
from banet.parallel import spread, threads_for

__all__ = [
    "CODE",
    "REPLAY_FIRES",
    "Job",
    "Progress",
    "default_workers",
    "place_of",
    "plan",
    "replay_identity",
    "run_jobs",
    "scene_key",
]

Progress = Callable[[int, int, str], None]
"""Called with (done, all, message)."""

CODE = (
    "burned_area",
    "cube",
    "days.py",
    "io",
    "labels",
    "mapping",
    "model",
    "grid",
    "simulation",
    *(
        f"evaluation/{name}.py"
        for name in (
            "baselines", "change", "compare", "convergence", "curves", "dating", "dating_fires", "fires",
            "greek", "regression", "tally", "withheld",
        )
    ),
    *(
        f"evaluation/benchmark/{name}.py"
        for name in ("keeping", "measured", "methods", "real", "run", "scenes", "stage")
    ),
)  # fmt: skip
"""Parts of the package that scores depend on: a change of any of them makes them anew."""

REPLAY_FIRES = "active fires"
_SEQUENCE = 64


@dataclass(frozen=True)
class Job:
    """Work on one season that is done in one go.

    Attributes:
        scene: the season.
        methods: to map and score.
        replays: candidates whose near-real-time maps are followed, by name; empty weights stand for the
            accumulated active fires.
    """

    scene: BenchmarkScene
    methods: tuple[Method, ...] = ()
    replays: tuple[tuple[str, tuple[str, ...], str], ...] = ()

    @property
    def steps(self) -> int:
        """Number of maps or replays."""
        return len(self.methods) + len(self.replays)


def default_workers() -> int:
    """Return as many workers as there are processors, and at most 8: each holds a season and a network."""
    return min(os.cpu_count() or 1, 8)


def place_of(out: Path, scene: str, slug: str, identity: str) -> Path:
    """Return the file that holds the sums of one method on one season under the present code."""
    key = hashlib.sha256(f"{scene} {identity} {code_hash(CODE)}".encode()).hexdigest()[:10]
    return out / "scores" / scene.partition(" ")[0] / f"{slug}-{key}.npz"


def scene_key(scene: BenchmarkScene) -> str:
    """Return what a season's scores depend on beside code and method, its name first."""
    return f"{scene.name} {scene.seed} {scene.start} {scene.days} {scene.size}"


def replay_identity(candidate: Candidate | None) -> tuple[str, tuple[str, ...], str]:
    """Return name, weights and identity of a replay; None stands for the accumulated active fires."""
    if candidate is None:
        return REPLAY_FIRES, (), "replay active fires"
    return candidate.name, candidate.weights, " ".join(("replay", *candidate.sha256))


def plan(
    scenes: Sequence[BenchmarkScene],
    methods: Sequence[Method],
    out: Path,
    *,
    replayed: Sequence[str] = (),
    followers: Sequence[Candidate | None] = (),
) -> list[Job]:
    """Plan what is not done yet.

    Args:
        scenes: seasons.
        methods: to score on each.
        out: folder that holds what an earlier run did.
        replayed: names of the seasons that are replayed in near real time.
        followers: candidates to follow there.

    Raises:
        InputError: if there is no method or no season.
    """
    if not methods or not scenes:
        raise InputError("a benchmark needs at least one method and one season")
    jobs = []
    for scene in scenes:
        key = scene_key(scene)
        missing = [m for m in methods if not place_of(out, key, m.slug, m.identity).is_file()]
        if missing:
            jobs.append(Job(scene, tuple(missing)))
    for scene in (s for s in scenes if s.name in replayed):
        jobs += [
            Job(scene, replays=(one,))
            for one in map(replay_identity, followers)
            if not place_of(out, scene_key(scene), "replay", one[2]).is_file()
        ]
    return jobs


def run_jobs(
    jobs: Sequence[Job], out: Path, cache: Path, *, workers: int = 0, progress: Progress | None = None
) -> None:
    """Do the work; each map's sums are kept as soon as they are there.

    Args:
        jobs: from `plan`.
        out: folder of sums.
        cache: folder of simulated seasons.
        workers: processes; 0 and 1 work in this one.
        progress: called with (done, all, message).
    """
    for folder in (out, cache):
        output_folder(folder)
    steps, done = sum(job.steps for job in jobs), 0
    processes = min(workers, len(jobs)) if min(workers, len(jobs)) > 1 else None
    threads = None if processes is None else threads_for(processes)
    work = functools.partial(_work, out=out.absolute(), cache=cache.absolute(), threads=threads)
    order = jobs if processes is None else _seasons_first(jobs)
    with closing(spread(work, order, workers=processes, ordered=False)) as finished:
        for job, _ in finished:
            done += job.steps
            if progress is not None:
                what = f"replay of {job.replays[0][0]}" if job.replays else f"{len(job.methods)} maps"
                progress(done, steps, f"{job.scene.name}, {what}")


def _seasons_first(jobs: Sequence[Job]) -> list[Job]:
    """Long work first, so that no worker is left with it alone at the end; replays open simulated seasons."""
    return sorted(jobs, key=lambda job: (bool(job.replays), -job.scene.days))


def _work(job: Job, *, out: Path, cache: Path, threads: int | None) -> None:
    """Do a job and keep what it gives; `threads` are those of torch, of a worker process."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    stage = open_stage(job.scene, cache)
    if job.methods:
        _score(stage, job.methods, out)
    for name, weights, identity in job.replays:
        followed = _follow(stage, weights)
        save_replay(followed, place_of(out, scene_key(job.scene), "replay", identity), name)


def _score(stage: Stage, methods: Sequence[Method], out: Path) -> None:
    first, last = stage.cube.days[0], stage.cube.days[-1]
    gap = None
    for method in methods:
        burnmap = method.mapper(stage.cube, first, last)
        pair = compare(burnmap, stage.truth, unobserved="unburned")
        if gap is None:
            gap = gap_classes(pair, stage.cube)
        path = place_of(out, scene_key(stage.scene), method.slug, method.identity)
        # The sketch first: where the sums are, everything is.
        save_sketch(pair, path, burnmap.water)
        measure(pair, cover=stage.cover, covers=_covers(), gap=gap).save(path)


def _covers() -> int:
    from banet.simulation.spectra import Cover

    return len(Cover)


def _follow(stage: Stage, weights: tuple[str, ...]) -> Convergence:
    """Replay the days of a season that have the whole sequence behind them."""
    cube, days = stage.cube, stage.cube.days
    if weights:
        final = map_with(cube, days[0], days[-1], weights=weights)
        map_at = functools.partial(map_day_with, cube, weights=weights)
    else:
        from banet.evaluation.baselines import active_fires

        final = active_fires(cube, days[0], days[-1])
        map_at = functools.partial(active_fires_until, cube)
    first = days[0] + np.timedelta64(_SEQUENCE - 1, "D")
    return replay(map_at, days[days >= first], final, stage.truth)
