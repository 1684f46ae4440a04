"""`banet benchmark`: weights and baselines on the fixed simulated seasons."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from banet.cli.progress import caution, progress, say, say_json, table

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the command to the application."""
    root.command(benchmark)


def benchmark(
    *,
    out: Path,
    weights: list[str] | None = None,
    subset: Literal["full", "small"] = "full",
    workers: int | None = None,
    cache: Path | None = None,
    real: Path | None = None,
    convergence: bool | None = None,
    stress: bool = False,
    original: str | None = None,
    draws: int = 1000,
    pictures: bool = True,
    json: bool = False,
) -> None:
    """Score weights and baselines on a fixed set of simulated seasons that no training has seen.

    Every method is scored the same way; weights with all inputs, with hot spots withheld and with images
    withheld. A run that was ended at any moment goes on where it stopped when it is started again, and
    simulated seasons are kept for other weights.

    Args:
        out: folder for JSON, CSV, Markdown, pictures and one web page, and for unfinished work.
        weights: names or paths, separated by commas or given several times; NAME=PATH names them in the
            tables, A+B is an ensemble. The shipped weights if left out; 'none' for baselines alone.
        subset: 'full' for 24 seasons, 'small' for 6 of them.
        workers: processes; as many as there are processors, at most 8, if left out.
        cache: folder of simulated seasons; OUT/seasons if left out.
        real: folder of the real files, for the Greek scene of August 2021; BANET_REAL_DATA or
            ../shared/real if left out, and no such scene where there is none.
        convergence: replay six seasons in near real time; by default with 'full'.
        stress: score every season again under stress (gains, short records, fewer hot spots, one satellite);
            takes as long as all the rest five times, so begin with --subset small.
        original: weights to map with by the original's rules; the published ones if they were downloaded.
        draws: of the bootstrap that gives the intervals.
        pictures: also draw pictures and write the page.
        json: print the result and the files as JSON.
    """
    from banet.errors import NotFoundError
    from banet.evaluation.benchmark import baselines, candidates
    from banet.evaluation.benchmark import benchmark as run
    from banet.evaluation.benchmark.greek import find_real
    from banet.evaluation.benchmark.methods import ORIGINAL, original_network
    from banet.evaluation.result_files import write_result
    from banet.evaluation.tables import markdown

    asked = weights or ["default"]
    chosen = () if asked == ["none"] else candidates(asked)
    folder = find_real(real)
    if real is not None and folder is None:
        raise NotFoundError(f"{real} does not hold the real Greek scene (scenes/, labels/, firms/)")
    first = original_network(original)
    if first is None:
        (caution if json else say)(
            f"the original network is left out: fetch it with `banet download weights {ORIGINAL}`"
        )
    with progress("benchmark") as report:
        result = run(
            chosen,
            out,
            subset=subset,
            methods=(*baselines(), *([first] if first else [])),
            replays=convergence,
            stress=stress,
            real=folder,
            cache=cache,
            workers=min(os.cpu_count() or 1, 8) if workers is None else workers,
            draws=draws,
            progress=report,
        )
    paths = write_result(result, out, name="benchmark", pictures=pictures)
    if json:
        say_json({**result.to_dict(), "files": paths})
        return
    say(markdown(result.to_dict(), ("overall", "calibration", "stress", "greece"), form=table))
    for name in ("json", "markdown", "page"):
        if name in paths:
            say(str(paths[name]))
