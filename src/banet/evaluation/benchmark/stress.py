"""Stress: seasons that show less or otherwise than the network was trained on, and scores under each.

A stress is a name and a change, a function from a scene to another scene. A stressed scene is written as a
cube of its own, so that nothing but its planes tells it from any other. A new one is a line of `STRESSES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.evaluation.benchmark.stage import write_planes

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube, CubeWindow
    from banet.days import Days

__all__ = ["STRESSES", "Change", "Seen", "apply"]

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
    changed: dict[str, Any] = {band.lower(): getattr(seen.planes, band.lower()) * np.float32(factor)}
    return replace(seen, planes=replace(seen.planes, **changed))


def record(seen: Seen, days: int, gained: float = 1) -> Seen:
    """Keep the days of a short record around the fires, and score what burned well inside it.

    `gained` multiplies MIR. A quarter of the record lies before and after the days that are scored, so that
    they are bracketed by looks; of all such records that with most burned cells is taken.
    """
    margin, whole = max(days // 4, 1), seen.planes.days
    length = days - 2 * margin
    starts = whole[margin : max(len(whole) - margin - length + 1, margin + 1)]
    begin = _begin_of_most(seen.truth, starts, length)
    names = ("days", "red", "nir", "mir", "frp", "view_zenith", "count")
    part: dict[str, Any] = {name: getattr(seen.planes, name)[begin : begin + days] for name in names}
    scored = {"days": (starts[begin], starts[begin] + length), "exclude_within": _AWAY}
    planes = replace(seen.planes, **part, flags={})
    return gain(replace(seen, planes=planes, settings={**seen.settings, **scored}), "MIR", gained)


def without(seen: Seen, band: str, days: int) -> Seen:
    """Lose a band on the run of days on which most burned, as where the sun is too low for 3.7 um."""
    whole, plane = seen.planes.days, getattr(seen.planes, band.lower()).copy()
    begin = _begin_of_most(seen.truth, whole[: max(len(whole) - days + 1, 1)], days)
    plane[begin : begin + days] = np.nan
    lost: dict[str, Any] = {band.lower(): plane}
    return replace(seen, planes=replace(seen.planes, **lost))


def _begin_of_most(truth: BurnedArea, starts: Days, length: int) -> int:
    """Return the index of the first of some days from which on most cells burned within a length of days."""
    dates = truth.burn_date[np.nan_to_num(truth.burned_fraction) >= 0.5 - 1e-6]
    return int(np.argmax([np.count_nonzero((dates >= day) & (dates < day + length)) for day in starts]))


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


_GAINS = {"MIR": (0.5, 0.7, 1.5, 2.0), "NIR": (0.7, 1.4), "red": (0.7, 1.4)}
STRESSES: dict[str, Change] = {
    **{f"{band} x{f:g}": partial(gain, band=band, factor=f) for band, of in _GAINS.items() for f in of},
    **{f"{days} days": partial(record, days=days) for days in (6, 12, 20)},
    **{f"MIR x0.7, {days} days": partial(record, days=days, gained=0.7) for days in (6, 12)},
    **{f"hot spots {100 * kept:g} %": partial(thin, kept=kept) for kept in (0.5, 0.1, 0.02, 0)},
    "no MIR for 21 days": partial(without, band="MIR", days=21),
    "one satellite": one_satellite,
    "other land": other_land,
    "other land, 12 days": lambda seen: record(other_land(seen), 12),
}


def apply(change: Change, cube: Cube, truth: BurnedArea, path: Path) -> tuple[Cube, Mapping[str, Any]]:
    """Write a changed scene as a cube and return it with the settings of `compare`."""
    seen = change(Seen(cube.read(cube.days[0], cube.days[-1] + 1), truth))
    got, labels = seen.planes, {"sensor": "stressed", "mir_band": cube.mir_band}
    return write_planes(path, cube.region, got, got.count, water=cube.water, **labels), seen.settings
