"""Variations of an episode before it is normalised: physical units, NaN where not observed.

Each takes the planes (4, T, H, W) float32 (red, NIR, MIR reflectance, FRP in MW), changes them in place and
leaves the truth alone, but for `turn` and `add_scars`, which change both. Hot spots that are
removed become 0, or NaN where nobody is to have looked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from banet.simulation import spectra
from banet.training.config import AugmentConfig
from banet.training.large_changes import add_decoys, add_hotspots, add_scars, draw_colour

__all__ = [
    "add_discs",
    "add_false_hotspots",
    "add_fields",
    "add_noise",
    "augment",
    "change_contrast",
    "change_gains",
    "change_powers",
    "constant_square",
    "drop_days",
    "forget_hotspots_outside",
    "keep_span",
    "keep_span_around",
    "lose_band",
    "lose_weeks",
    "remove_hotspot_cells",
    "remove_hotspot_days",
    "remove_hotspot_squares",
    "spill_hotspots",
    "thin_hotspots",
    "turn",
    "withhold_hotspots",
    "withhold_images",
    "withhold_outside",
]

Floats = npt.NDArray[np.float32]
Generator = np.random.Generator

_FRP, _MIR = 3, 2
_SQUARES = (1, 5)
_SQUARE_CELLS = (5, 50)
_MOST_CELLS = 0.12
_LEAST_POWER, _POWER_SPREAD = 0.05, 0.8
_SHORTEST = 4
_FEWEST = 0.01
_COLOURS = (spectra.PLOUGHED, spectra.STUBBLE, spectra.LITTER, spectra.FLOOD)
_OFTEN = (0.5, 0.25, 0.15, 0.1)
_BAND_LOST = (0.2, 0.2, 0.6)


def augment(planes: Floats, target: Floats, config: AugmentConfig, rng: Generator) -> tuple[Floats, Floats]:
    """Vary an episode by `config`; the same `rng` state gives the same variation.

    Args:
        planes: (4, T, H, W) float32, changed in place.
        target: (T, H, W) float32 burned fraction of each day.
        config: probabilities and amounts.
        rng: source of chance.

    Returns:
        Planes and target, turned alike.
    """
    # Every draw is made whether or not it is used, so that one setting does not shift the others'.
    withheld = rng.random()
    steps = _steps(planes, target, config, told=withheld >= config.frp_all)
    chances = rng.random(len(steps))
    *streams, last = rng.spawn(len(steps) + 1)
    turns = int(rng.integers(8))
    for (share, change), chance, stream in zip(steps, chances, streams, strict=True):
        if chance < share:
            change(stream)
    _remove_hotspots(planes, config, withheld, last)
    # Drawn last: recipes without them draw what they drew before these were there.
    if last.random() < config.band_lost:
        lose_band(planes, last)
    if last.random() < config.frp_cells:
        remove_hotspot_cells(planes, last.uniform(0, _MOST_CELLS), last)
    if last.random() < config.frp_power:
        change_powers(planes, last)
    if last.random() < config.frp_span:
        forget_hotspots_outside(planes)
    return (turn(planes, turns), turn(target, turns)) if config.flips else (planes, target)


def _steps(
    planes: Floats, target: Floats, config: AugmentConfig, *, told: bool
) -> tuple[tuple[float, Callable[[Generator], None]], ...]:
    """Return the probability of each change and the change, in their order; `told` where hot spots stay."""

    def gain(rng: Generator) -> None:
        change_contrast(planes, config.most_contrast, rng)
        change_gains(planes, config, rng)

    return (
        (config.scars, lambda rng: add_scars(planes, target, rng)),
        (config.decoys, lambda rng: add_decoys(planes, target, rng, told=told)),
        (config.fields, lambda rng: add_fields(planes, target, rng)),
        (config.discs, lambda rng: add_discs(planes, rng)),
        (config.gain, gain),
        (config.noise, lambda rng: add_noise(planes, rng.uniform(0, config.most_noise), rng)),
        (config.days_dropped, lambda rng: drop_days(planes, rng.uniform(0, config.most_days_dropped), rng)),
        (config.constant_square, lambda rng: constant_square(planes, rng)),
        (config.images_span, lambda rng: keep_span(planes, rng)),
        (config.images_fire, lambda rng: keep_span_around(planes, target, config.most_late, rng)),
        (config.weeks_lost, lambda rng: lose_weeks(planes, rng)),
        (config.images_all, lambda rng: withhold_images(planes)),
        (config.frp_false, lambda rng: add_false_hotspots(planes, rng)),
        (config.frp_spill, lambda rng: spill_hotspots(planes, rng)),
    )


def _remove_hotspots(planes: Floats, config: AugmentConfig, chance: float, rng: Generator) -> None:
    gone = np.nan if rng.random() < config.frp_unknown else 0.0
    if chance < config.frp_all:
        withhold_hotspots(planes, gone)
        return
    if rng.random() < config.frp_days:
        remove_hotspot_days(planes, rng, gone)
    if rng.random() < config.frp_squares:
        remove_hotspot_squares(planes, rng, gone)
    if rng.random() < config.frp_thin:
        # Even in the logarithm of what is kept: a hundredth is met as often as half.
        least = max(1 - config.most_thinned, _FEWEST)
        thin_hotspots(planes, 1 - least ** rng.random(), rng)


def turn(array: Floats, turns: int) -> Floats:
    """Return one of the eight images (0-7) under flips and turns of the last two axes, of one length."""
    turned = np.rot90(array, turns % 4, (-2, -1))
    return turned[..., ::-1] if turns >= 4 else turned


def withhold_hotspots(planes: Floats, gone: float = np.nan) -> None:
    """Make hot spots not known, as maps take them where a whole region shows none; 0 says none was seen."""
    planes[_FRP] = gone


def withhold_images(planes: Floats) -> None:
    """Make every reflectance not observed."""
    planes[:_FRP] = np.nan


def remove_hotspot_days(planes: Floats, rng: Generator, gone: float = 0.0) -> None:
    """Remove the hot spots of a run of days, a quarter to the whole of the episode long."""
    days = planes.shape[1]
    length = int(rng.integers(max(1, days // 4), days + 1))
    first = int(rng.integers(0, days - length + 1))
    planes[_FRP, first : first + length] = gone


def remove_hotspot_squares(planes: Floats, rng: Generator, gone: float = 0.0) -> None:
    """Remove the hot spots of all days in 1 to 5 squares of 5 to 50 cells (the original's variation)."""
    for _ in range(rng.integers(_SQUARES[0], _SQUARES[1] + 1)):
        rows, cols = _square(planes.shape[2:], rng)
        planes[_FRP, :, rows, cols] = gone


def thin_hotspots(planes: Floats, rate: float, rng: Generator) -> None:
    """Remove each hot spot with probability `rate`."""
    fires = np.nonzero(planes[_FRP] > 0)
    gone = rng.random(len(fires[0])) < rate
    planes[_FRP][tuple(axis[gone] for axis in fires)] = 0


def remove_hotspot_cells(planes: Floats, share: float, rng: Generator) -> None:
    """Remove the hot spots of all days from a share of the cells: of those that burn some never show one."""
    gone = rng.random(planes.shape[2:]) < share
    planes[_FRP][:, gone] = np.minimum(planes[_FRP][:, gone], 0)


def change_powers(planes: Floats, rng: Generator) -> None:
    """Multiply the power of all hot spots by a factor of 0.05 to 1, and that of each cell by another.

    Burned cells of real fires have half the power of simulated ones, and vary more.
    """
    common = np.exp(rng.uniform(np.log(_LEAST_POWER), 0))
    each = np.exp(rng.normal(0, _POWER_SPREAD, planes.shape[2:]))
    planes[_FRP] *= (common * each).astype(np.float32)


def forget_hotspots_outside(planes: Floats) -> None:
    """Make hot spots not known on the days before the first image and after the last, as in a short cube."""
    days = np.flatnonzero(np.isfinite(planes[:_FRP]).any((0, 2, 3)))
    if days.size:
        planes[_FRP, : days[0]] = np.nan
        planes[_FRP, days[-1] + 1 :] = np.nan


def add_false_hotspots(planes: Floats, rng: Generator) -> None:
    """Add 1 to 6 cells that are hot again and again without burning, as industry and flares are (1-30 MW)."""
    _, days, rows, cols = planes.shape
    for _ in range(rng.integers(1, 7)):
        hot = rng.random(days) < rng.uniform(0.02, 0.5)
        power = np.exp(rng.uniform(0, np.log(30), days)).astype(np.float32)
        planes[_FRP, :, rng.integers(rows), rng.integers(cols)] += np.where(hot, power, 0)


def spill_hotspots(planes: Floats, rng: Generator) -> None:
    """Light a cell up to two away beside up to half of the hot spots: pixels are wide and misplaced."""
    frp = planes[_FRP]
    day, row, col = np.nonzero(frp > 0)
    which = np.flatnonzero(rng.random(day.size) < rng.uniform(0, 0.5))
    power = frp[day[which], row[which], col[which]] * rng.uniform(0.1, 0.8, which.size)
    away = rng.choice([-2, -1, 0, 1, 2], (2, which.size), p=[0.1, 0.25, 0.3, 0.25, 0.1])
    add_hotspots(frp, day[which], row[which] + away[0], col[which] + away[1], power)


def drop_days(planes: Floats, share: float, rng: Generator) -> None:
    """Make the reflectances of each day not observed with probability `share`."""
    planes[:_FRP, rng.random(planes.shape[1]) < share] = np.nan


def keep_span(planes: Floats, rng: Generator) -> None:
    """Withhold the reflectances but for a run of days, an eighth to the whole of the episode long."""
    days = planes.shape[1]
    length = int(rng.integers(max(1, days // 8), days + 1))
    first = int(rng.integers(0, days - length + 1))
    withhold_outside(planes, slice(first, first + length))


def keep_span_around(planes: Floats, target: Floats, most_late: int, rng: Generator) -> None:
    """Withhold the reflectances but for a run of days, 4 to all, about a day of fire if there is one.

    It holds that day, or begins up to `most_late` days after it, when burned ground is all that can be
    seen. The length is even in its logarithm: short records are met as often as long ones.
    """
    days = planes.shape[1]
    burned = np.flatnonzero(np.nansum(target, (1, 2)) > 0)
    day = int(rng.choice(burned)) if burned.size else int(rng.integers(days))
    length = round(float(np.exp(rng.uniform(np.log(min(_SHORTEST, days)), np.log(days)))))
    first = int(np.clip(day - rng.integers(-most_late, length), 0, days - length))
    withhold_outside(planes, slice(first, first + length))


def withhold_outside(planes: Floats, days: slice) -> None:
    """Make every reflectance not observed but those of a run of days."""
    planes[:_FRP, : days.start] = np.nan
    planes[:_FRP, days.stop :] = np.nan


def lose_weeks(planes: Floats, rng: Generator) -> None:
    """Withhold the reflectances of 1 to 3 runs of 4 to 14 days."""
    for _ in range(rng.integers(1, 4)):
        length, first = int(rng.integers(4, 15)), int(rng.integers(planes.shape[1]))
        planes[:_FRP, first : first + length] = np.nan


def lose_band(planes: Floats, rng: Generator) -> None:
    """Withhold one band, the MIR band most often, on a run of days: everywhere, or in one square.

    So do saturated detectors, and a 3.7 um reflectance where the sun is too low to tell it from emission.
    """
    band, days = int(rng.choice(_FRP, p=_BAND_LOST)), planes.shape[1]
    length = round(float(np.exp(rng.uniform(0, np.log(days)))))
    first = int(rng.integers(0, days - length + 1))
    rows, cols = _square(planes.shape[2:], rng)
    where = (slice(None), slice(None)) if rng.random() < 0.5 else (rows, cols)
    planes[(band, slice(first, first + length), *where)] = np.nan


def constant_square(planes: Floats, rng: Generator) -> None:
    """Set the reflectances of one square of 5 to 50 cells to random constants, as the original does."""
    rows, cols = _square(planes.shape[2:], rng)
    block = planes[:_FRP, :, rows, cols]
    values = rng.random(3, np.float32).reshape(3, 1, 1, 1)
    np.copyto(block, np.broadcast_to(values, block.shape), where=np.isfinite(block))


def change_gains(planes: Floats, config: AugmentConfig, rng: Generator) -> None:
    """Multiply each band and each day by random factors; shift the MIR band."""
    spread = np.array([config.gain_spread, config.gain_spread, config.mir_gain_spread])
    gains = np.exp(rng.normal(0, 1, 3) * spread).astype(np.float32)
    days = np.exp(rng.normal(0, config.day_gain_spread, planes.shape[1])).astype(np.float32)
    planes[:_FRP] *= gains.reshape(3, 1, 1, 1) * days.reshape(1, -1, 1, 1)
    planes[_MIR] += np.float32(rng.uniform(-config.mir_offset, config.mir_offset))
    wide = config.most_gain ** rng.uniform(-1, 1, 3)
    offsets = rng.uniform(-config.most_offset, config.most_offset, 3)
    planes[:_FRP] *= wide.astype(np.float32).reshape(3, 1, 1, 1)
    planes[:_FRP] += offsets.astype(np.float32).reshape(3, 1, 1, 1)
    np.maximum(planes[:_FRP], np.float32(0.001), out=planes[:_FRP])


def change_contrast(planes: Floats, most: float, rng: Generator) -> None:
    """Raise each band over its mean to a power from 1/most to most: contrasts grow or shrink."""
    for band in planes[:_FRP]:
        power = np.float32(most ** rng.uniform(-1, 1))
        if most > 1 and np.isfinite(band).any():
            mean = np.float32(np.nanmean(band))
            np.copyto(band, mean * (np.maximum(band, np.float32(0.001)) / mean) ** power)


def add_fields(planes: Floats, target: Floats, rng: Generator) -> None:
    """Turn what did not burn in 1 to 6 places into soil, stubble, litter or water, from a day on.

    Ploughing, harvest, clearing and floods do so, field by field, in a day or in weeks; half of the places
    turn back.
    """
    days = planes.shape[1]
    for _ in range(rng.integers(1, 7)):
        rows, cols = _square(planes.shape[2:], rng, (3, 16))
        unburned = 1 - np.nan_to_num(target[:, rows, cols]).sum(0).clip(0, 1)
        fields = rng.random((unburned.shape[0] // 2 + 1, unburned.shape[1] // 2 + 1)) < rng.uniform(0.3, 1)
        fields = np.repeat(np.repeat(fields, 2, 0), 2, 1)[: unburned.shape[0], : unburned.shape[1]]
        age = np.arange(days) - rng.uniform(-5, days)
        strength = np.clip(age / rng.choice([1.0, rng.uniform(2, 20)]), 0, 1) * rng.uniform(0.3, 1)
        if rng.random() < 0.5:
            strength *= np.exp(-np.maximum(age - rng.uniform(3, 40), 0) / rng.uniform(3, 15))
        weight = (strength[:, None, None] * (fields * unburned)).astype(np.float32)
        block = planes[:_FRP, :, rows, cols]
        colour = draw_colour(_COLOURS[int(rng.choice(len(_COLOURS), p=_OFTEN))], rng)
        block += weight * (colour[:, None] - block)


def add_discs(planes: Floats, rng: Generator) -> None:
    """Lose, brighten or darken 1 to 3 discs on some days: clouds, clouds that were not found, and shadows."""
    _, days, rows, cols = planes.shape
    for day in np.flatnonzero(rng.random(days) < rng.uniform(0, 0.6)):
        for _ in range(rng.integers(1, 4)):
            row, col, radius = rng.uniform(0, rows), rng.uniform(0, cols), np.exp(rng.uniform(0.7, 3.2))
            away = np.hypot(np.arange(rows)[:, None] - row, np.arange(cols)[None, :] - col) / radius
            inside = np.clip(3 * (1 - away), 0, 1).astype(np.float32)
            kind, bands = rng.random(), planes[:_FRP, day]
            if kind < 0.5:
                bands[:, inside > 0] = np.nan
            elif kind < 0.75:
                bands += np.float32(rng.uniform(0, 0.4)) * inside * (_cloud(rng) - bands)
            else:
                bands *= 1 - np.float32(rng.uniform(0, 0.6)) * inside


def _cloud(rng: Generator) -> Floats:
    return rng.uniform((0.4, 0.4, 0.05), (0.8, 0.8, 0.4)).astype(np.float32).reshape(3, 1, 1)


def add_noise(planes: Floats, deviation: float, rng: Generator) -> None:
    """Add normal noise of a standard deviation in reflectance to every observed value."""
    planes[:_FRP] += np.float32(deviation) * rng.standard_normal(planes[:_FRP].shape, np.float32)


def _square(
    shape: tuple[int, ...], rng: Generator, cells: tuple[int, int] = _SQUARE_CELLS
) -> tuple[slice, slice]:
    rows, cols = shape
    edge = int(rng.integers(cells[0], cells[1] + 1))
    row, col = int(rng.integers(0, max(1, rows - edge + 1))), int(rng.integers(0, max(1, cols - edge + 1)))
    return slice(row, row + edge), slice(col, col + edge)
