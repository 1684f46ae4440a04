"""From a cube and a network to daily probabilities and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import check_threshold
from banet.days import as_month
from banet.errors import InputError
from banet.io.files import PathLike
from banet.mapping.canvas import Canvas, Planes
from banet.mapping.ensemble import Ensemble, as_ensemble
from banet.mapping.gaps import Gaps
from banet.mapping.job import Job
from banet.mapping.joiner import Block
from banet.mapping.layout import Tile
from banet.mapping.run import Progress, Run, Settings, TilingSettings, check_days
from banet.mapping.scratch import Scratch
from banet.mapping.windows import SEQUENCE_LENGTH, Window, month_windows, nrt_window

if TYPE_CHECKING:
    from distributed import Client

    from banet.cube import Cube

__all__ = ["map_burned", "map_months", "map_nrt", "map_windows", "month_scratch", "predict"]

TilePart = tuple[Tile, npt.NDArray[np.float32], npt.NDArray[np.bool_]]


def predict(
    cube: Cube,
    window: Window,
    weights: Any = "default",
    *,
    progress: Progress | None = None,
    **tiling: Unpack[TilingSettings],
) -> Iterator[TilePart]:
    """Predict the probability of burning on each kept day, tile by tile, as the tiles are asked for.

    A `Joiner` of the same tiling joins the tiles. With tiling `blend`, cells that the window never saw or
    that it shows to be water have probability 0, and tiles of nothing else are not computed. So have the
    cells of a tile's margin, in which it has no weight.

    Args:
        cube: what was observed.
        window: the days that the network sees and those that are kept.
        weights: a name or path, a network, several of either (their mean is taken), or an engine.
        progress: called after each tile.
        tiling: tiling, tile, step, margin; see `TilingSettings`.

    Returns:
        Iterator of the tile, its probability (kept days, rows, columns) float32, and whether each cell was
        observed on each day (kept days, rows, columns) bool.

    Raises:
        InputError: if a setting does not fit, or the cube holds no day that is kept.
    """
    check_days(cube, (window,))
    run = Run.plan(cube, (window,), as_ensemble(weights), tiling)
    return _predict(run, progress)


def map_windows(
    cube: Cube, windows: Sequence[Window], weights: Any = "default", **settings: Unpack[Settings]
) -> BurnedArea:
    """Map the kept days of windows that follow one another.

    The kept days of all windows are joined before they are summed and dated. Each block is summed and dated
    as soon as it is final: beside the planes of the map no more than a few tiles are in memory.

    Args:
        cube: what was observed.
        windows: the days that the network sees and those that are kept.
        weights: a name or path, a network, several of either (their mean is taken), or an engine.
        settings: tiling, tile, step, margin, threshold, water, progress, on_block, scratch, client,
            keep_going; see `Settings`.

    Raises:
        InputError: if a setting does not fit, the cube holds no day that is kept, or another run is at work
            in the scratch folder.
    """
    check_days(cube, windows)
    return _map(cube, windows, as_ensemble(weights), **settings)


def map_burned(
    cube: Cube,
    start: Any,
    end: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    **settings: Unpack[Settings],
) -> BurnedArea:
    """Map where and when a cube's region burned in the months from `start` to `end`, both included, as one.

    Args:
        cube: what was observed.
        start: first month, `YYYY-MM`.
        end: last month.
        weights: a name or path, a network, several of either (their mean is taken), or an engine.
        length: number of days that the network sees at a time.
        settings: as in `map_windows`.

    Raises:
        InputError: as `map_windows`.
    """
    return map_windows(cube, month_windows(start, end, length), weights, **settings)


def map_nrt(
    cube: Cube,
    day: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    **settings: Unpack[Settings],
) -> BurnedArea:
    """Map the last `length` days up to and including `day`, all of them kept.

    Args:
        cube: what was observed.
        day: the last day.
        weights: as in `map_burned`.
        length: as in `map_burned`.
        settings: as in `map_windows`.

    Raises:
        InputError: as `map_windows`.
    """
    return map_windows(cube, (nrt_window(day, length),), weights, **settings)


def map_months(
    cube: Cube,
    start: Any,
    end: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    **settings: Unpack[Settings],
) -> Iterator[BurnedArea]:
    """Map each month from `start` to `end` by itself, as the maps are asked for.

    A month of which the cube holds no day gives a map of cells that were not observed. `progress` counts the
    tiles of all months.

    Args:
        cube: what was observed.
        start: first month, `YYYY-MM`.
        end: last month.
        weights: as in `map_burned`.
        length: as in `map_burned`.
        settings: as in `map_windows`.

    Raises:
        InputError: as `map_windows`.
    """
    windows = month_windows(start, end, length)
    check_days(cube, windows)
    check_threshold(settings.get("threshold", 0.5))
    return _map_each(cube, windows, as_ensemble(weights), settings)


def _predict(run: Run, progress: Progress | None) -> Iterator[TilePart]:
    for done, found in enumerate(run.predictions(run.tiling), 1):
        if progress is not None:
            progress(done, len(run.tiling), run.title)
        yield found.tile, found.probability, found.observed


def _map(
    cube: Cube, windows: Sequence[Window], ensemble: Ensemble, **settings: Unpack[Settings]
) -> BurnedArea:
    threshold, client = settings.get("threshold", 0.5), settings.get("client")
    check_threshold(threshold)
    run = Run.plan(cube, windows, ensemble, settings, settings.get("water", "auto"))
    canvas, gaps = Canvas(cube.region, run.days), Gaps(run.tiling, settings.get("keep_going", False))
    folder, progress = settings.get("scratch"), settings.get("progress")
    with Scratch(folder, {} if folder is None else run.key(threshold)) as store:
        if client is None:
            blocks = _blocks(run, store, threshold, settings.get("on_block"), gaps)
        else:
            blocks = _distributed(client, Job(run, store, threshold), settings, gaps)
        for done, (index, planes) in enumerate(blocks, 1):
            if planes is not None:
                canvas.put(*run.tiling.block(index), planes)
            if progress is not None:
                progress(done, len(run.tiling), run.title)
    gaps.check()
    return canvas.finish(threshold, {**run.attrs(), "gaps": gaps.describe()})


def _blocks(
    run: Run, store: Scratch, threshold: float, on_block: Callable[[Block], None] | None, gaps: Gaps
) -> Iterator[tuple[tuple[int, int], Planes | None]]:
    for block, planes in run.blocks(store, threshold, on_block, gaps):
        yield block.index, planes


def _distributed(
    client: Client, job: Job, settings: Settings, gaps: Gaps
) -> Iterator[tuple[tuple[int, int], Planes | None]]:
    from banet.mapping.distributed import distributed_blocks

    if settings.get("scratch") is None:
        raise InputError("a run on a cluster needs a scratch folder that all its workers see")
    if settings.get("on_block") is not None:
        raise InputError("daily probabilities stay with the workers of a cluster: map without on_block")
    return distributed_blocks(client, job, gaps)


def _map_each(
    cube: Cube, windows: Sequence[Window], ensemble: Ensemble, settings: Settings
) -> Iterator[BurnedArea]:
    progress = settings.get("progress")
    for index, window in enumerate(windows):
        each: Settings = {**settings}
        folder = settings.get("scratch")
        if folder is not None:
            each["scratch"] = month_scratch(folder, window)
        if progress is not None:
            each["progress"] = _part(progress, index, len(windows))
        yield _map(cube, (window,), ensemble, **each)


def month_scratch(folder: PathLike, window: Window) -> Path:
    """Return the folder inside a scratch folder in which `map_months` keeps the work on a month."""
    return Path(folder) / str(as_month(window.keep_start))


def _part(progress: Progress, index: int, count: int) -> Progress:
    """Report a month's tiles as part of those of all months."""
    return lambda done, total, message: progress(index * total + done, count * total, message)
