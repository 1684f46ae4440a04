"""The real Greek scene of August 2021 as part of the benchmark, where its files are at hand."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from banet.evaluation.baselines import grown_fires, index_drop
from banet.evaluation.benchmark.methods import Mapper, Method
from banet.evaluation.benchmark.run import missing, score_stage
from banet.evaluation.benchmark.stage import Stage
from banet.evaluation.greek import (
    GREEK_DAYS,
    GREEK_PROTOCOL,
    greek_cube,
    greek_reference,
    has_greek_scene,
)
from banet.io.progress import Progress

__all__ = ["GREEK", "find_real", "greek_methods", "run_greek"]

GREEK = "greece-2021-08"
_BLOCK = 20


def find_real(asked: Path | None = None) -> Path | None:
    """Return the folder of real files: the one asked for, that of BANET_REAL_DATA, or ../shared/real.

    Returns:
        None where none of them holds the Greek scene.
    """
    named = os.environ.get("BANET_REAL_DATA")
    places = [asked] if asked is not None else [Path(named)] if named else [Path("../shared/real")]
    return next((place for place in places if place is not None and has_greek_scene(place)), None)


def greek_methods(methods: Sequence[Method]) -> tuple[Method, ...]:
    """Return the methods as they are set for this scene.

    Baselines that compare days before and after take fewer of them: the scene has images on twelve days.
    """
    shorter: dict[str, Mapper] = {
        "grown active fires": functools.partial(grown_fires, days=5),
        "grown and confirmed active fires": functools.partial(grown_fires, days=5, confirm=True),
        "index drop": functools.partial(index_drop, days=4),
    }
    return tuple(
        replace(method, mapper=shorter[method.name]) if method.name in shorter else method
        for method in methods
    )


def run_greek(methods: Sequence[Method], real: Path, out: Path, *, progress: Progress | None = None) -> None:
    """Map the scene with every method, and keep the sums as for a simulated season.

    Args:
        methods: of the benchmark.
        real: folder of the real files.
        out: folder of sums.
        progress: called with (done, all, message).

    Raises:
        NotFoundError: if a file is missing.
    """
    left = missing(out, GREEK, greek_methods(methods))
    if not left:
        return
    reference = greek_reference(real)
    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder, "cube.zarr"))
        days = GREEK_DAYS[0], GREEK_DAYS[1] - 1
        stage = Stage(cube, reference, days, settings=GREEK_PROTOCOL, block=_BLOCK)
        score_stage(stage, GREEK, left, out, progress)
