"""Work of the benchmark, on one process or many: a run that was killed goes on where it was."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.days import Day
from banet.errors import InputError
from banet.evaluation.benchmark.methods import Method
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.evaluation.benchmark.stage import Stage, code_hash, open_stage
from banet.evaluation.compare import compare
from banet.evaluation.convergence import Convergence, replay
from banet.evaluation.keeping import save_replay, save_sides, shown_sides
from banet.evaluation.measures import MEASURES, Measure, Pair
from banet.evaluation.stress import STRESSES, apply
from banet.evaluation.sums import Sums
from banet.io.files import output_folder
from banet.io.progress import Progress
from banet.parallel import spread, threads_for

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = ["REPLAY", "Job", "default_workers", "follow", "place_of", "plan", "run_jobs", "scene_key"]

REPLAY = "replay"
_SEQUENCE = 64


@dataclass(frozen=True)
class Job:
    """Work on one season that is done in one go.

    Attributes:
        scene: the season.
        methods: to map and score.
        kind: name of the stress under which they do, `REPLAY` in near real time, empty as it is.
    """

    scene: BenchmarkScene
    methods: tuple[Method, ...]
    kind: str = ""

    def __str__(self) -> str:
        if self.kind == REPLAY:
            return f"{self.scene.name}, replay of {self.methods[0].name}"
        return f"{self.scene.name}, {len(self.methods)} maps {self.kind}".rstrip()


def default_workers() -> int:
    """Return as many workers as there are processors, and at most 8: each holds a season and a network."""
    return min(os.cpu_count() or 1, 8)


def place_of(out: Path, scene: str, method: Method, kind: str = "") -> Path:
    """Return the file that holds the sums of one method on one scene under the present code."""
    key = hashlib.sha256(f"{scene} {method.identity} {kind} {code_hash()}".encode()).hexdigest()[:10]
    return out / "scores" / scene.partition(" ")[0] / f"{method.slug}-{key}.npz"


def scene_key(scene: BenchmarkScene) -> str:
    """Return what a season's scores depend on beside code and method, its name first."""
    return f"{scene.name} {scene.seed} {scene.start} {scene.days} {scene.size}"


def missing(out: Path, scene: str, methods: Sequence[Method], kind: str = "") -> tuple[Method, ...]:
    """Return the methods that were not scored on a scene yet."""
    return tuple(method for method in methods if not place_of(out, scene, method, kind).is_file())


def plan(
    scenes: Sequence[BenchmarkScene],
    methods: Sequence[Method],
    out: Path,
    *,
    stressed: Sequence[Method] = (),
    replayed: Sequence[str] = (),
    followers: Sequence[Method] = (),
) -> list[Job]:
    """Plan what is not done yet, long work first; what comes later opens seasons that are simulated by then.

    `stressed` are scored under every stress, `followers` replayed on the seasons named in `replayed`.
    """
    long_first = sorted(scenes, key=lambda scene: -scene.days)
    plain = [Job(scene, tuple(methods)) for scene in long_first]
    under = [Job(scene, tuple(stressed), stress) for scene in long_first for stress in STRESSES]
    again = [Job(s, (one,), REPLAY) for s in long_first if s.name in replayed for one in followers]
    jobs = [
        replace(j, methods=missing(out, scene_key(j.scene), j.methods, j.kind)) for j in plain + under + again
    ]
    return [job for job in jobs if job.methods]


def run_jobs(
    jobs: Sequence[Job], out: Path, cache: Path, *, workers: int = 0, progress: Progress | None = None
) -> None:
    """Do what was planned, by so many processes (0 and 1: in this one); each map's sums are kept at once."""
    for folder in (out, cache):
        output_folder(folder)
    steps, done = sum(len(job.methods) for job in jobs), 0
    processes = min(workers, len(jobs)) if workers > 1 and len(jobs) > 1 else None
    threads = None if processes is None else threads_for(processes)
    work = functools.partial(_work, out=out.absolute(), cache=cache.absolute(), threads=threads)
    with closing(spread(work, jobs, workers=processes, ordered=False)) as finished:
        for job, _ in finished:
            done += len(job.methods)
            if progress is not None:
                progress(done, steps, str(job))


def _work(job: Job, *, out: Path, cache: Path, threads: int | None) -> None:
    """Do a job and keep what it gives; `threads` are those of torch, of a worker process."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    stage = open_stage(job.scene, cache)
    key = scene_key(job.scene)
    if job.kind == REPLAY:
        days, whole = stage.cube.days, (stage.cube.days[0], stage.cube.days[-1])
        for method in job.methods:
            # Days that have the whole sequence behind them.
            found = follow(method, stage.cube, stage.truth, whole, days[_SEQUENCE - 1 :])
            save_replay(found, place_of(out, key, method, REPLAY))
    elif job.kind:
        with tempfile.TemporaryDirectory() as folder:
            stressed = _under(stage, job.kind, Path(folder, "cube.zarr"))
            score_stage(stressed, key, job.methods, out, stress=job.kind)
    else:
        score_stage(stage, key, job.methods, out)


def score_stage(
    stage: Stage,
    key: str,
    methods: Sequence[Method],
    out: Path,
    progress: Progress | None = None,
    *,
    stress: str = "",
) -> None:
    """Map a scene with every method and keep the sums; under a stress those of a few measures, no picture.

    Args:
        stage: the scene, under stress already.
        key: what its scores depend on, its name first.
        methods: to score.
        out: folder of sums.
        progress: called with (done, all, message).
        stress: name of the stress.
    """
    known: dict[str, Any] = {}
    for done, method in enumerate(methods, 1):
        burnmap = method.mapper(stage.cube, *stage.mapped)
        pair = compare(burnmap, stage.truth, **stage.settings)
        path = place_of(out, key, method, stress)
        if not stress:
            known = known or stage.known(pair)
            # What pictures show first: where the sums are, everything is.
            save_sides(path, shown_sides(pair, burnmap.water))
        Sums.of(Pair.of(pair, stage.block, **known), STRESSED if stress else MEASURES).save(path)
        if progress is not None:
            progress(done, len(methods), f"{key.partition(' ')[0]}, {method.name}")


STRESSED: tuple[Measure, ...] = tuple(m for m in MEASURES if m.name in {"agreement", "dates", "edges"})
"""Measures that are taken under stress."""


def _under(stage: Stage, name: str, path: Path) -> Stage:
    """Return a scene under a stress, its cube written to `path`."""
    cube, settings = apply(STRESSES[name], stage.cube, stage.truth, path)
    mapped = max(stage.mapped[0], cube.days[0]), min(stage.mapped[1], cube.days[-1])
    return replace(stage, cube=cube, mapped=mapped, settings={**stage.settings, **settings})


def follow(
    method: Method, cube: Cube, truth: BurnedArea, mapped: tuple[Day, Day], days: Iterable[Day]
) -> Convergence:
    """Replay days in near real time by a method that maps single days; `mapped` are those of the final map.

    Raises:
        InputError: if the method has no map of a single day.
    """
    if method.daily is None:
        raise InputError(f"{method.name} has no map of a single day; it cannot be replayed")
    return replay(functools.partial(method.daily, cube), days, method.mapper(cube, *mapped), truth)
