"""The benchmark from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from banet.evaluation.benchmark.methods import Candidate, Method, baselines, networks
from banet.evaluation.benchmark.real import run_greek
from banet.evaluation.benchmark.result import BenchmarkResult, collect
from banet.evaluation.benchmark.run import Progress, plan, run_jobs
from banet.evaluation.benchmark.scenes import REPLAYED, BenchmarkScene, Subset, subset_named

__all__ = ["benchmark"]


def benchmark(
    candidates: Sequence[Candidate],
    out: Path,
    *,
    subset: Subset = "full",
    scenes: Sequence[BenchmarkScene] | None = None,
    methods: Sequence[Method] | None = None,
    replays: bool | None = None,
    real: Path | None = None,
    cache: Path | None = None,
    workers: int = 1,
    draws: int = 1000,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Score weights and baselines on the fixed seasons; what an earlier run finished is not done again.

    Args:
        candidates: weights, each scored with all inputs, without hot spots and without images.
        out: folder that keeps the sums of finished work.
        subset: `full` for all seasons, `small` for the first of each climate.
        scenes: other seasons in place of a subset.
        methods: further methods, or other baselines; None for the baselines of the benchmark.
        replays: whether to replay the longest season of each climate in near real time; None does where the
            seasons hold them.
        real: folder of real files, for the Greek scene; None leaves it out.
        cache: folder of simulated seasons; `seasons` in `out` if None.
        workers: processes.
        draws: of the bootstrap.
        progress: called with (done, all, message).

    Raises:
        InputError: if there is nothing to score.
        NotFoundError: if a real file is missing.
    """
    chosen = tuple(scenes) if scenes is not None else subset_named(subset)
    every = (*(baselines() if methods is None else methods), *(m for c in candidates for m in networks(c)))
    replayed = [s.name for s in chosen if s.name in REPLAYED] if replays is not False else []
    followers: tuple[Candidate | None, ...] = (*candidates, None) if candidates else ()
    jobs = plan(chosen, every, out, replayed=replayed, followers=followers)
    run_jobs(jobs, out, cache or out / "seasons", workers=workers, progress=progress)
    if real is not None:
        run_greek(every, real, out, progress=progress)
    return collect(
        out,
        chosen,
        every,
        candidates=candidates,
        replayed=replayed,
        followers=followers,
        real=real is not None,
        draws=draws,
        subset=subset if scenes is None else "own",
    )
