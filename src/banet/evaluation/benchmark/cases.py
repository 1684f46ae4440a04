"""Cases of the benchmark, on one process or many: a run that was killed goes on where it was."""

from __future__ import annotations

import functools
import hashlib
import itertools
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.days import Day
from banet.errors import InputError
from banet.evaluation.benchmark.greek import GreekScene, greek_stage
from banet.evaluation.benchmark.methods import Method
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.evaluation.benchmark.stage import Stage, code_hash, open_stage
from banet.evaluation.benchmark.stress import STRESSES, apply
from banet.evaluation.compare import compare
from banet.evaluation.convergence import Convergence, replay
from banet.evaluation.measures import MEASURES, Measure, Pair
from banet.evaluation.result import save_sides, shown_sides
from banet.evaluation.sums import Sums
from banet.io.files import output_folder
from banet.io.progress import Progress
from banet.mapping.windows import SEQUENCE_LENGTH
from banet.parallel import spread, threads_for

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = ["REPLAY", "STRESSED", "AnyScene", "Case", "Job", "follow", "plan", "run_jobs"]

AnyScene = BenchmarkScene | GreekScene
REPLAY = "replay"
STRESSED: tuple[Measure, ...] = tuple(m for m in MEASURES if m.name in {"agreement", "dates", "edges"})
"""Measures that are taken under stress."""


@dataclass(frozen=True)
class Case:
    """One method on one scene.

    Attributes:
        scene: what is mapped.
        method: what maps it.
        kind: name of the stress under which it does, `REPLAY` in near real time, empty as the scene is.
        code: hash of the package when the run began, which its workers share.
    """

    scene: AnyScene
    method: Method
    kind: str = ""
    code: str = field(default_factory=code_hash)

    def place(self, out: Path) -> Path:
        """Return the file that holds what it gives under its code."""
        method = f"{self.method.name} {self.method.identity}"
        told = f"{self.scene.key} {method} {self.kind} {self.code}"
        key = hashlib.sha256(told.encode()).hexdigest()[:16]
        clean = "".join(c if c.isalnum() else "-" for c in self.method.name)
        return out / "scores" / self.scene.name / f"{clean[:60]}-{key}.npz"

    def done(self, out: Path) -> Path:
        """Return the same file.

        Raises:
            InputError: if it is not there.
        """
        if not (path := self.place(out)).is_file():
            raise InputError(
                f"{self.method.name} was not scored on {self.scene.name} yet; run the benchmark again"
            )
        return path


Job = tuple[Case, ...]
"""Cases of one scene and kind, which are done in one go."""


def plan(cases: Iterable[Case], out: Path) -> list[Job]:
    """Group what is not done yet, long work first; stress and replays come when seasons are simulated."""
    left = [case for case in cases if not case.place(out).is_file()]
    left.sort(key=lambda case: (case.kind == REPLAY, case.kind != "", -case.scene.days))
    groups = itertools.groupby(
        left, lambda case: (case.scene, case.kind, case.kind == REPLAY and case.method)
    )
    return [tuple(group) for _, group in groups]


def run_jobs(
    jobs: Sequence[Job], out: Path, cache: Path, *, workers: int = 0, progress: Progress | None = None
) -> None:
    """Do what was planned, by so many processes (0 and 1: in this one); each case is kept at once."""
    for folder in (out, cache):
        output_folder(folder)
    done, steps = 0, sum(map(len, jobs))
    processes = min(workers, len(jobs)) if workers > 1 and len(jobs) > 1 else None
    threads = None if processes is None else threads_for(processes)
    work = functools.partial(_work, out=out.absolute(), cache=cache.absolute(), threads=threads)
    with closing(spread(work, jobs, workers=processes, ordered=False)) as finished:
        for job, _ in finished:
            done += len(job)
            if progress is not None:
                what = (
                    f"replay of {job[0].method.name}"
                    if job[0].kind == REPLAY
                    else f"{len(job)} maps {job[0].kind}"
                )
                progress(done, steps, f"{job[0].scene.name}, {what}".rstrip())


def _work(job: Job, *, out: Path, cache: Path, threads: int | None) -> None:
    """Do a job and keep what it gives; `threads` are those of torch, of a worker process."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    scene, kind = job[0].scene, job[0].kind
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(scene, GreekScene):
            stage = greek_stage(scene, Path(scratch))
        else:
            stage = open_stage(scene, cache)
        if kind == REPLAY:
            # Days that have the whole sequence behind them.
            days = stage.cube.days[SEQUENCE_LENGTH - 1 :]
            for case in job:
                found = follow(case.method, stage.cube, stage.truth, stage.mapped, days)
                found.save(case.place(out))
            return
        if kind:
            stage = _under(stage, kind, Path(scratch, "stressed.zarr"))
        _score(stage, job, out)


def _score(stage: Stage, job: Job, out: Path) -> None:
    """Map a scene with every method and keep the sums; under a stress those of a few measures, no picture."""
    known: dict[str, Any] = {}
    for case in job:
        burnmap = case.method.mapper(stage.cube, *stage.mapped)
        pair = compare(burnmap, stage.truth, **stage.settings)
        if not case.kind:
            known = known or stage.known(pair)
            # What pictures show first: where the sums are, everything is.
            save_sides(case.place(out), shown_sides(pair, burnmap.water))
        measures = STRESSED if case.kind else MEASURES
        Sums.of(Pair.of(pair, stage.block, **known), measures).save(case.place(out))


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
