"""Large changes put into an episode: thick scars of any contrast, and changes of that size that are no fire.

Simulated chips hold few scars that are deep, and none whose contrast is that of the plainest real ones. A
network that saw few takes the inside of such a scar, far from any ground that did not burn, for something
else. Water, melting snow, drying and shade go the other way, so that not every large change is taken for a
burn. None of this is a physical model: shape, colour and course are drawn at random, in the physical units
of the planes, and the truth follows exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from banet.simulation import spectra
from banet.simulation.fields import correlated
from banet.simulation.spectra import Band

__all__ = ["add_decoys", "add_hotspots", "add_scars", "draw_colour"]

Floats = npt.NDArray[np.float32]
Generator = np.random.Generator

_BANDS, _RED, _NIR, _FRP = 3, 0, 1, 3
_RADIUS = (4.0, 45.0)
_LAND_NIR = 0.1
"""NIR of ground below which it is water, which does not burn."""
_BURNED = 0.02
"""Share of a cell that burned anyway, above which it is left as it is."""
_LOOK_BACK = 24
_LEAST = np.float32(0.003)
_OPAQUE_RED, _LEAST_CONTRAST = np.float32(0.5), np.float32(0.1)
"""Red of cloud that hides the ground, and the least by which it is brighter than that."""
_COOLING = 0.3
"""Days in which the chance of a detection falls to 1/e."""


@dataclass(frozen=True, eq=False)
class _Place:
    """Share of each cell that changes, its arrival in days since the start, and the time of day of images."""

    share: Floats
    arrival: Floats
    overpass: float

    def age(self, days: int) -> Floats:
        """Return the days since the change at the images of each day, (days, H, W); negative before it."""
        return np.arange(days).reshape(-1, 1, 1) + np.float32(self.overpass) - self.arrival


def add_scars(planes: Floats, target: Floats, rng: Generator) -> None:
    """Burn one or two large places of an episode, in images, hot spots and truth.

    Cells that burn anyway stay as they are, and so does water.

    Args:
        planes: (4, T, H, W) float32 red, NIR, MIR reflectance and power in MW, changed in place.
        target: (T, H, W) float32 burned fraction of each day, changed in place.
        rng: source of chance.
    """
    for _ in range(1 + (rng.random() < 0.3)):
        burn, ground = _draw(planes, target, rng)
        if burn.share.any():
            _paint(planes, ground, burn, rng)
            _light(planes, burn, rng)
            _tell(target, burn)


def add_decoys(planes: Floats, target: Floats, rng: Generator, *, told: bool = False) -> None:
    """Change one or two large places of an episode as no fire does; cells that burn stay as they are.

    Turned soil looks like char: hot spots, which are not there, are all that tells it from a burn.

    Args:
        planes: (4, T, H, W) float32, of which the reflectances are changed in place.
        target: (T, H, W) float32 burned fraction of each day.
        rng: source of chance.
        told: whether hot spots tell of burns, so that soil may be turned too, in half of the cases.
    """
    for _ in range(1 + (rng.random() < 0.3)):
        place, ground = _draw(planes, target, rng)
        change = _DECOYS[int(rng.integers(len(_DECOYS)))]
        if told and rng.random() < 0.5:
            change = _ploughing
        images = planes[:_BANDS]
        _add(images, ground, place.share * change(images, ground, place.age(planes.shape[1]), rng))


def add_hotspots(
    frp: Floats,
    day: npt.NDArray[np.integer],
    row: npt.NDArray[np.integer],
    col: npt.NDArray[np.integer],
    power: npt.NDArray[np.floating],
) -> None:
    """Add power (MW) at places, (n,) each, to (T, H, W) in place; what lies beyond the edge lies at it."""
    rows, cols = np.clip(row, 0, frp.shape[1] - 1), np.clip(col, 0, frp.shape[2] - 1)
    np.add.at(frp, (day, rows, cols), power.astype(np.float32))


def draw_colour(spectrum: npt.ArrayLike, rng: Generator, spread: float = 0.2) -> Floats:
    """Draw a colour about a spectrum in red, NIR and 2.25 or 3.7 um or between, (3, 1, 1)."""
    colour = np.asarray(spectrum)
    mir = rng.uniform(*sorted((colour[Band.M11], colour[Band.M12])))
    drawn = np.array([colour[Band.RED], colour[Band.NIR], mir]) * np.exp(rng.normal(0, spread, 3))
    return drawn.reshape(3, 1, 1).astype(np.float32)


def _water(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Flood the place, for good or for some weeks."""
    colour = draw_colour(spectra.FLOOD, rng)
    stays = np.exp(-np.maximum(age, 0) / np.exp(rng.uniform(np.log(8), np.log(300))))
    return _towards(_from_day_on(age, stays), rng.uniform(0.4, 1), colour, ground)


def _melting(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Cover the place with snow that melts within some days."""
    left = np.clip(1 - age / rng.uniform(0.5, 8), 0, 1).astype(np.float32)
    return _towards(left, rng.uniform(0.3, 1), draw_colour(spectra.SNOW, rng), ground)


def _drying(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Dry the place within one to six weeks: NIR falls, red and MIR rise."""
    done = np.clip(age / rng.uniform(7, 45), 0, 1).astype(np.float32)
    factor = np.array([rng.uniform(1.1, 2.2), rng.uniform(0.6, 0.95), rng.uniform(1.1, 2.2)], np.float32)
    change = (factor.reshape(3, 1, 1) - 1) * ground
    return np.asarray(done * change[:, None])


def _bleaching(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Turn the place into bright stubble, as harvest and clearing do."""
    done = np.clip(age / rng.uniform(0.5, 12), 0, 1).astype(np.float32)
    return _towards(done, rng.uniform(0.4, 1), draw_colour(spectra.STUBBLE, rng), ground)


def _ploughing(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Turn soil, within a day to two weeks."""
    done = np.clip(age / np.exp(rng.uniform(np.log(0.3), np.log(14))), 0, 1).astype(np.float32)
    colour = _char(rng) if rng.random() < 0.3 else draw_colour(spectra.PLOUGHED, rng, 0.25)
    return _towards(done, rng.uniform(0.5, 1), colour, ground)


def _shade(images: Floats, ground: Floats, age: Floats, rng: Generator) -> Floats:
    """Darken all bands for one to seven days."""
    there = (age > 0) & (age < rng.uniform(1, 7))
    return there * np.float32(rng.uniform(-0.65, -0.2)) * images


def _towards(done: Floats, share: float, colour: Floats, ground: Floats) -> Floats:
    """Return the change of a ground that turns into a colour to a share, `done` (T, H, W) by then."""
    return np.asarray(done * (np.float32(share) * (colour - ground))[:, None])


_DECOYS = (_water, _melting, _drying, _bleaching, _shade)


def _draw(planes: Floats, target: Floats, rng: Generator) -> tuple[_Place, Floats]:
    """Draw a place on land that does not burn, and its ground."""
    place = _shape(planes.shape[1:], rng)
    ground = _ground(planes, place)
    burned = np.nansum(target, 0)
    free = (burned < _BURNED) & (ground[_NIR] > _LAND_NIR)
    share = np.where(free, np.minimum(place.share, 1 - burned), np.float32(0))
    return replace(place, share=share), ground


def _shape(shape: tuple[int, ...], rng: Generator) -> _Place:
    days, rows, cols = shape
    radius = float(np.exp(rng.uniform(*np.log(_RADIUS))))
    row, col = rng.uniform(0, 1, 2) * (rows, cols)
    down, across = np.arange(rows)[:, None] - row, np.arange(cols)[None, :] - col
    longer, turned = rng.uniform(1, 2.2), rng.uniform(0, np.pi)
    along = (across * np.cos(turned) + down * np.sin(turned)) / np.sqrt(longer)
    beside = (down * np.cos(turned) - across * np.sin(turned)) * np.sqrt(longer)
    rough = correlated(rng, (rows, cols), max(radius / 2, 2.0), 2.0)
    edge = 1 - np.hypot(along, beside) / radius + rng.uniform(0.1, 0.4) * rough
    share = np.clip(0.5 + edge * radius / 1.5, 0, 1).astype(np.float32)
    course = 0.5 + along / (2.5 * radius) + 0.15 * rough
    lasting = rng.uniform(0.3, 1) if rng.random() < 0.5 else rng.uniform(1, 8)
    passed = np.clip(course, 0, 1) * lasting
    # Fires run in the afternoon: from a little before the overpass for half a day.
    overpass = float(rng.uniform(0, 1))
    hour = overpass - 0.1 + 0.5 * (passed % 1)
    arrival = int(rng.integers(0, days)) + np.floor(passed) + hour
    return _Place(share, np.clip(arrival, 0, None).astype(np.float32), overpass)


def _ground(planes: Floats, place: _Place) -> Floats:
    """Return the median reflectance before the change, of all days where there was none, (3, H, W)."""
    first = int(place.arrival.min())
    looks = planes[:_BANDS, max(first - _LOOK_BACK, 0) : first]
    ground = _median(looks) if first else np.full_like(planes[:_BANDS, 0], np.nan)
    if not np.isfinite(ground).all():
        ground = np.where(np.isfinite(ground), ground, _median(planes[:_BANDS]))
    return np.nan_to_num(ground).astype(np.float32)


def _median(looks: Floats) -> Floats:
    """Return the median over days (bands, T, H, W) of what was observed; NaN where nothing was."""
    ranked = np.sort(looks, axis=1)
    middle = np.maximum(np.isfinite(looks).sum(1, keepdims=True) - 1, 0) // 2
    return np.asarray(np.take_along_axis(ranked, middle, 1)[:, 0])


def _paint(planes: Floats, ground: Floats, burn: _Place, rng: Generator) -> None:
    """Exchange ground for char on the days whose overpass came after the fire."""
    shape = burn.share.shape
    severity = rng.uniform(0.55, 1) * np.clip(1 + 0.15 * correlated(rng, shape, 3.0, 2.0), 0.5, 1.1)
    variety = np.exp(0.1 * correlated(rng, shape, 2.0, 1.0))
    change = (severity * burn.share).astype(np.float32) * (_char(rng) * variety - ground)
    age = burn.age(planes.shape[1])
    fading = np.exp(-np.maximum(age, 0) / np.exp(rng.uniform(np.log(15), np.log(300))))
    images = planes[:_BANDS]
    _add(images, ground, _from_day_on(age, fading) * change[:, None])
    for day in np.flatnonzero((np.abs(age) < 1).any((1, 2)) & (rng.random(len(age)) < rng.uniform(0, 1))):
        # Smoke knows nothing of the scar's outline, which it would tell.
        images[:, day, correlated(rng, shape, 12.0) > rng.uniform(-1, 1)] = np.nan


def _add(images: Floats, ground: Floats, change: Floats) -> None:
    """Add a change of the ground in place, as far as cloud lets it through.

    What is brighter than `_LEAST` does not fall below it.
    """
    least = np.minimum(images, _LEAST)
    images += _clear(images[_RED], ground[_RED]) * change
    np.maximum(images, least, out=images)


def _clear(red: Floats, ground: Floats) -> Floats:
    """Return the share of the ground that shows, by how much brighter a look is than it; NaN counts as 1."""
    cover = (red - ground) / np.maximum(_OPAQUE_RED - ground, _LEAST_CONTRAST)
    return np.asarray(1 - np.clip(np.nan_to_num(cover), 0, 1))


def _from_day_on(age: Floats, weight: npt.NDArray[np.floating]) -> Floats:
    """Return a weight on the days whose overpass came after the change, 0 before."""
    return np.where(age > 0, weight, 0).astype(np.float32)


def _char(rng: Generator) -> Floats:
    """Draw the colour of char in red, NIR and what may be in the MIR slot, (3, 1, 1)."""
    fresh, old = np.array(spectra.CHAR_FRESH), np.array(spectra.CHAR_OLD)
    return draw_colour(fresh + rng.uniform(0, 1) * (old - fresh), rng, 0.3)


def _light(planes: Floats, burn: _Place, rng: Generator) -> None:
    """Add hot spots of the overpasses after the fire, half a day apart, some of them a cell away."""
    frp = planes[_FRP]
    rate, first = rng.uniform(0.4, 1.2), np.ceil(2 * (burn.arrival - burn.overpass)) / 2 + burn.overpass
    for later in np.arange(4) / 2:
        time = first + later
        chance = rate * burn.share * np.exp(-(time - burn.arrival) / _COOLING)
        seen = (rng.random(frp.shape[1:]) < chance) & (time < len(frp))
        row, col = np.nonzero(seen)
        day = time[row, col].astype(int)
        away = rng.integers(-1, 2, (2, row.size)) * (rng.random(row.size) < 0.25)
        add_hotspots(frp, day, row + away[0], col + away[1], np.exp(rng.normal(2.3, 1, row.size)))


def _tell(target: Floats, burn: _Place) -> None:
    """Write the share that burned on its day."""
    row, col = np.nonzero(burn.share)
    day = burn.arrival[row, col].astype(int)
    inside = day < len(target)
    target[day[inside], row[inside], col[inside]] += burn.share[row, col][inside]
