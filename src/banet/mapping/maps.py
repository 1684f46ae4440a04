"""Maps of burned area from a cube and a network."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.evidence import NO_EVIDENCE
from banet.cube import open_cube
from banet.days import Day, parse_period, period_label
from banet.errors import BanetWarning, InputError, OutputError
from banet.io.files import PathLike
from banet.io.settings import did_you_mean
from banet.mapping.cores import Core
from banet.mapping.ensemble import Ensemble, as_ensemble
from banet.mapping.options import Block, MapOptions, Progress
from banet.mapping.run import Run, check_days
from banet.mapping.store import Planes, Store
from banet.mapping.task import Task
from banet.mapping.water import water_of
from banet.mapping.windows import SEQUENCE_LENGTH, Window, nrt_window, period_windows, split_months
from banet.parallel import connected, spread

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["map_burned", "map_months", "map_nrt", "period_scratch", "predict"]

_UNSEEN = " in any image; what burned follows from hot spots or from the days around"

RETRIES = 2
"""Times that a worker tries a core again after an error, before it counts as failed."""


def map_burned(
    cube: Cube | PathLike,
    start: Any,
    end: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    **options: Any,
) -> BurnedArea:
    """Map where and when a cube's region burned from `start` to `end`, both included, as one.

    Args:
        cube: what was observed, or its folder CUBE.zarr.
        start: first month or day, `YYYY-MM` or `YYYY-MM-DD`.
        end: last month or day.
        weights: a name or path, a network, several of either (their mean is taken), or an engine.
        length: number of days that the network sees at a time.
        options: fields of `MapOptions`: tiling, tile, step, margin, threshold, water, progress, on_block,
            scratch, workers, scheduler, keep_going.

    Raises:
        TypeError: if there is no such option.
        InputError: if an option does not fit, or the cube holds no day of the period.
        BusyError: if another run is at work in the scratch folder.

    Warns:
        BanetWarning: for each note on the result, which `attrs["notes"]` keeps.
    """
    chosen = MapOptions.of_keywords("map_burned", options, ("length", "weights"))
    cube = open_cube(cube)
    windows = period_windows(*parse_period(start, end), cube.days, length)
    return _checked(cube, windows, weights, chosen)


def map_nrt(
    cube: Cube | PathLike,
    day: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    **options: Any,
) -> BurnedArea:
    """Map the last `length` days up to and including `day`, all of them kept.

    Args:
        cube: what was observed, or its folder CUBE.zarr.
        day: the last day.
        weights: as in `map_burned`, which also says what is raised and warned of.
        length: as in `map_burned`.
        options: as in `map_burned`.
    """
    chosen = MapOptions.of_keywords("map_nrt", options, ("length", "weights"))
    return _checked(cube, (nrt_window(day, length),), weights, chosen)


def map_months(
    cube: Cube | PathLike,
    start: Any,
    end: Any,
    weights: Any = "default",
    *,
    length: int = SEQUENCE_LENGTH,
    known: Callable[[Run], BurnedArea | None] | None = None,
    **options: Any,
) -> Iterator[BurnedArea]:
    """Map each month from `start` to `end` by itself, as the maps are asked for.

    Days that are no whole months are mapped as one. A month of which the cube holds no day gives a map of
    cells that were not observed. `progress` counts the cores of all maps.

    Args:
        cube: what was observed, or its folder CUBE.zarr.
        start: first month or day, `YYYY-MM` or `YYYY-MM-DD`.
        end: last month or day.
        weights: as in `map_burned`, which also says what is raised and warned of.
        length: as in `map_burned`.
        known: called with the run of each map before it is made; a map that it returns is taken instead.
        options: as in `map_burned`; each map has a folder of its own in `scratch`.
    """
    chosen = MapOptions.of_keywords("map_months", options, ("known", "length", "weights"))
    cube = open_cube(cube)
    periods = split_months(*parse_period(start, end))
    windows = [period_windows(*period, cube.days, length) for period in periods]
    check_days(cube, list(itertools.chain(*windows)))
    return _map_each(cube, windows, as_ensemble(weights, chosen.workers), chosen, known)


def predict(
    cube: Cube | PathLike,
    window: Window,
    weights: Any = "default",
    *,
    progress: Progress | None = None,
    **tiling: Any,
) -> Iterator[Block]:
    """Predict the probability of burning on each kept day, core by core, as the cores are asked for.

    Cells that the window never saw or that it shows to be water have probability 0 (not with `original`).

    Args:
        cube: what was observed, or its folder CUBE.zarr.
        window: the days that the network sees and those that are kept.
        weights: as in `map_burned`.
        progress: called after each core.
        tiling: tiling, tile, step, margin; see `MapOptions`.

    Raises:
        TypeError: if there is no such option.
        InputError: if an option does not fit, or the cube holds no day that is kept.
    """
    for name in tiling.keys() - {"tiling", "tile", "step", "margin"}:
        known = did_you_mean(name, ("tiling", "tile", "step", "margin", "progress", "weights"))
        raise TypeError(f"predict() got an unexpected keyword argument {name!r}; {known}")
    cube = open_cube(cube)
    check_days(cube, (window,))
    run = Run.plan(cube, (window,), as_ensemble(weights), MapOptions.of_keywords("predict", tiling))
    return _predict(run, progress)


def period_scratch(folder: PathLike, start: Day, stop: Day) -> Path:
    """Return the folder inside a scratch folder in which `map_months` keeps the work on a period."""
    return Path(folder) / period_label(start, stop).replace(" ", "_")


def _predict(run: Run, progress: Progress | None) -> Iterator[Block]:
    cores = run.tiling.cores
    with contextlib.closing(Task(run, cores)) as task:
        for done, core in enumerate(cores, 1):
            yield Block(core.rows, core.cols, task.predict(core).probability[run.mapped])
            if progress is not None:
                progress(done, len(cores), run.title)


def _checked(
    cube: Cube | PathLike, windows: Sequence[Window], weights: Any, options: MapOptions
) -> BurnedArea:
    cube = open_cube(cube)
    check_days(cube, windows)
    run = Run.plan(cube, windows, as_ensemble(weights, options.workers), options)
    for note in run.notes():
        warnings.warn(note, BanetWarning, stacklevel=3)
    return _map(run, options, level=4)


def _map_each(
    cube: Cube,
    periods: Sequence[Sequence[Window]],
    ensemble: Ensemble,
    options: MapOptions,
    known: Callable[[Run], BurnedArea | None] | None,
) -> Iterator[BurnedArea]:
    water = water_of(cube, options.water)  # once for all maps
    with connected(options.scheduler, options.workers) as client:
        for index, windows in enumerate(periods):
            changes: dict[str, Any] = {"scheduler": client, "workers": None, "water": water}
            if options.scratch is not None:
                period = windows[0].keep_start, windows[-1].keep_stop
                changes["scratch"] = period_scratch(options.scratch, *period)
            if options.progress is not None:
                changes["progress"] = _part(options.progress, index, len(periods))
            each = options.model_copy(update=changes)
            run = Run.plan(cube, windows, ensemble, each)
            for note in run.notes() if index == 0 else ():
                warnings.warn(note, BanetWarning, stacklevel=2)
            there = None if known is None else known(run)
            yield there or _map(run, each, level=3)


def _part(progress: Progress, index: int, count: int) -> Progress:
    """Report the cores of a map as part of those of all maps."""
    return lambda done, total, message: progress(index * total + done, count * total, message)


def _map(run: Run, options: MapOptions, level: int) -> BurnedArea:
    """Make a map, and warn of the notes on its period at a level of the stack."""
    if options.scratch is None:
        planes, gaps = _made(run, None, options)
    else:
        store = Store(options.scratch, run.key())
        with store.held():
            planes, gaps = _made(run, store, options)
    notes = list(run.period_notes)
    whole, partial = int(planes["observed_days"].sum()), int(planes.pop("partial_days").sum())
    if (lacking := run.looks_note(whole, partial)) is not None:
        notes.append(lacking)
    land = (planes["observed_days"] > 0) & (planes["water"] <= 0)
    overcast = int(planes.pop("overcast")[land].sum()) / max(int(land.sum()), 1)
    if (unclear := run.overcast_note(overcast)) is not None:
        notes.append(unclear)
    if not planes["observed_days"].any():
        notes.append("not observed" + (_UNSEEN if (planes["day"] >= 0).any() else ""))
    for note in notes:
        warnings.warn(f"{run.label}: {note}", BanetWarning, stacklevel=level)
    looks = {"whole": whole, "partial": partial}
    attrs = run.attrs() | {"gaps": gaps, "looks": looks, "notes": [*run.notes(), *notes]}
    planes["water"] = planes["water"] > 0
    return BurnedArea.from_summary(run.cube.region, run.days, **planes, threshold=run.threshold, attrs=attrs)


def _made(
    run: Run, store: Store | None, options: MapOptions
) -> tuple[dict[str, npt.NDArray[Any]], list[dict[str, Any]]]:
    """Return the planes of a map, and what could not be made of it."""
    planes, cores = _blank(run.tiling.shape), run.tiling.cores
    todo = [core for core in cores if store is None or not _put(planes, core, store.read(core))]
    failed: list[tuple[Core, Exception]] = []
    known = len(cores) - len(todo)
    if known and options.progress is not None:
        options.progress(known, len(cores), run.title)
    for done, (core, found) in enumerate(_results(run, store, todo, options), known + 1):
        if isinstance(found, Exception):
            failed.append((core, found))
        else:
            _put(planes, core, found)
        if options.progress is not None:
            options.progress(done, len(cores), run.title)
    if failed and len(failed) == len(cores):
        raise failed[0][1]
    return planes, sorted((_gap(*one) for one in failed), key=lambda gap: (gap["rows"], gap["cols"]))


def _results(
    run: Run, store: Store | None, cores: Sequence[Core], options: MapOptions
) -> Iterator[tuple[Core, Planes | Exception]]:
    """Do cores here or on workers; yield each with its planes, or with its error where that is a gap.

    A wrong option or an output that cannot be written is no fault of a core: those errors are raised.
    """
    if not cores:
        return
    needs = [run.cube.path, store.marker] if store is not None and options.spread else []
    with (
        contextlib.closing(Task(run, cores, store, options.on_block)) as task,
        contextlib.closing(
            spread(
                task,
                cores,
                workers=options.workers,
                scheduler=options.scheduler,
                needs=needs,
                ordered=False,
                retries=RETRIES,
                keep_going=options.keep_going,
            )
        ) as results,
    ):
        for core, found in results:
            if isinstance(found, (InputError, OutputError)):
                raise found
            yield core, found


def _gap(core: Core, error: Exception) -> dict[str, Any]:
    """Describe a core that could not be made as values that JSON can hold; rows and columns half-open."""
    rows, cols = ([part.start, part.stop] for part in (core.rows, core.cols))
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return {"tile": list(core.index), "rows": rows, "cols": cols, "reason": reason}


def _blank(shape: tuple[int, int]) -> dict[str, npt.NDArray[Any]]:
    """Return the planes of a map of which nothing was observed."""
    return {
        "burned_fraction": np.zeros(shape, np.float32),
        "day": np.full(shape, -1, np.int32),
        "uncertainty": np.full(shape, NO_UNCERTAINTY, np.uint8),
        "observed_days": np.zeros(shape, np.int16),
        "water": np.zeros(shape, np.int8),
        "evidence": np.full(shape, NO_EVIDENCE, np.uint8),
        "first_look": np.full(shape, NO_UNCERTAINTY, np.uint8),
        "partial_days": np.zeros(shape, np.int16),
        "overcast": np.zeros(shape, bool),
    }


def _put(planes: dict[str, npt.NDArray[Any]], core: Core, found: Planes | None) -> bool:
    """Write the planes of a core in their place; return whether there were any."""
    if found is None:
        return False
    for name, plane in planes.items():
        plane[core.rows, core.cols] = found[name]
    return True
