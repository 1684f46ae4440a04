"""Stress: seasons that show less or otherwise than the network was trained on, and scores under each.

A stress is a name and a change, a function from a scene to another scene. A stressed scene is written as a
cube of its own, so that nothing but its planes tells it from any other. To add one, yield it in `_stresses`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.days import Day
from banet.io.tables import Number, Row

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube, CubeWindow

__all__ = ["STRESSES", "Change", "Seen", "apply", "stress_rows"]

_AWAY = 2
"""Cells around what burned outside the days of a short record, which do not count."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A scene as it was seen: planes, truth, and how a map of it is compared.

    Attributes:
        planes: all days and cells of the cube.
        truth: what burned.
        settings: of `banet.evaluation.compare.compare`.
    """

    planes: CubeWindow
    truth: BurnedArea
    settings: Mapping[str, Any] = field(default_factory=lambda: {"unobserved": "unburned"})


Change = Callable[[Seen], Seen]


def gain(seen: Seen, band: str, factor: float) -> Seen:
    """Multiply a band by a factor: sensors, atmospheres and products differ by as much."""
    changed: dict[str, Any] = {band: getattr(seen.planes, band) * np.float32(factor)}
    return replace(seen, planes=replace(seen.planes, **changed))


def record(seen: Seen, days: int) -> Seen:
    """Keep the days of a short record around the fires, and score what burned well inside it.

    A quarter of the record lies before and after the days that are scored, so that they are bracketed by
    looks; of all such records that with most burned cells is taken.
    """
    first, margin = scored_from(seen, days), max(days // 4, 1)
    begin = int((first - margin - seen.planes.days[0]).astype(np.int64))
    part = slice(begin, begin + days)
    names = ("days", "red", "nir", "mir", "frp", "view_zenith", "count")
    planes = replace(seen.planes, **{name: getattr(seen.planes, name)[part] for name in names}, flags={})
    scored = first, first + days - 2 * margin
    return replace(seen, planes=planes, settings={**seen.settings, "days": scored, "exclude_within": _AWAY})


def scored_from(seen: Seen, days: int) -> Day:
    """Return the first day of the period in the middle of a record in which most cells burned."""
    margin = max(days // 4, 1)
    length, whole = days - 2 * margin, seen.planes.days
    dates = seen.truth.burn_date[np.nan_to_num(seen.truth.burned_fraction) >= 0.5 - 1e-6]
    starts = whole[margin : max(len(whole) - margin - length + 1, margin + 1)]
    burned = [np.count_nonzero((dates >= day) & (dates < day + length)) for day in starts]
    best: Day = starts[int(np.argmax(burned))]
    return best


def thin(seen: Seen, kept: float) -> Seen:
    """Keep each hot spot with a chance, drawn from a fixed seed; days that were read stay known."""
    rng = np.random.default_rng(20_000 + round(1000 * kept))
    frp = seen.planes.frp
    gone = (frp > 0) & (rng.random(frp.shape, np.float32) >= kept)
    return replace(seen, planes=replace(seen.planes, frp=np.where(gone, np.float32(0), frp)))


def one_satellite(seen: Seen) -> Seen:
    """Keep every second day of images and half of the hot spots, as one orbit of two would leave them."""
    planes = seen.planes
    odd = (np.arange(len(planes.days)) % 2 == 1)[:, None, None]
    names = ("red", "nir", "mir", "view_zenith")
    bands: dict[str, Any] = {band: np.where(odd, np.float32(np.nan), getattr(planes, band)) for band in names}
    fewer = replace(planes, **bands, count=np.where(odd, np.uint8(0), planes.count))
    return thin(replace(seen, planes=fewer), 0.5)


def other_land(seen: Seen) -> Seen:
    """Show what burned on another author's land, under other clouds: see `banet.simulation.other_land`."""
    from banet.simulation.other_land import images_of

    planes, truth = seen.planes, seen.truth
    seed = int(np.nansum(truth.burned_fraction) * 1000) % 2**31
    bands = images_of(truth.burn_date, truth.burned_fraction, planes.days, seed)
    as_seen = (planes.red, planes.nir, planes.mir)
    red, nir, mir = (np.where(truth.water, a, b) for a, b in zip(as_seen, bands, strict=True))
    count = np.isfinite(red + nir + mir).astype(np.uint8)
    return replace(seen, planes=replace(planes, red=red, nir=nir, mir=mir, count=count))


def _other_record(seen: Seen, days: int) -> Seen:
    return record(other_land(seen), days)


def _stresses() -> Iterator[tuple[str, Change]]:
    gains = {"mir": (0.5, 0.7, 1.5, 2.0), "nir": (0.7, 1.4), "red": (0.7, 1.4)}
    for band, factors in gains.items():
        for factor in factors:
            name = f"{band if band == 'red' else band.upper()} x{factor:g}"
            yield name, functools.partial(gain, band=band, factor=factor)
    for days in (6, 12, 20):
        yield f"{days} days", functools.partial(record, days=days)
    for days in (6, 12):
        yield f"MIR x0.7, {days} days", functools.partial(_faint_record, days=days)
    for kept in (0.5, 0.1, 0.02, 0):
        yield f"hot spots {100 * kept:g} %", functools.partial(thin, kept=kept)
    yield "one satellite", one_satellite
    yield "other land", other_land
    yield "other land, 12 days", functools.partial(_other_record, days=12)


def _faint_record(seen: Seen, days: int) -> Seen:
    return record(gain(seen, "mir", 0.7), days)


STRESSES: dict[str, Change] = dict(_stresses())


def apply(change: Change, cube: Cube, truth: BurnedArea, path: Path) -> tuple[Cube, Mapping[str, Any]]:
    """Write a changed scene as a cube and return it with the settings of `compare`."""
    from banet.evaluation.benchmark.stage import write_planes

    seen = change(Seen(cube.read(cube.days[0], cube.days[-1] + 1), truth))
    got, labels = seen.planes, {"sensor": "stressed", "mir_band": cube.mir_band}
    return write_planes(path, cube.region, got, got.count, water=cube.water, **labels), seen.settings


def stress_rows(tree: Mapping[str, Any]) -> Sequence[Row]:
    """Return one row a map: Dice as it is, mean and worst over the stresses, then each."""
    rows = []
    for name, of in tree.get("stress", {}).items():
        dice = {stress: scores["dice"] for stress, scores in of.items()}
        known = {stress: value for stress, value in dice.items() if value is not None}
        if known:
            least, mean = min(known, key=lambda stress: known[stress]), sum(known.values()) / len(known)
            head = {"map": name, "mean": Number(mean, 2), "worst": Number(known[least], 2), "which": least}
            rows.append(head | {stress: Number(value, 2) for stress, value in dice.items()})
    return rows
