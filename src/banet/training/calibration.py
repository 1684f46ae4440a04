"""Calibration of a trained network: what its numbers mean, measured on held-out chips.

Training on daily fractions leaves a network cautious: its sums stay low where the day is in doubt. One shift
of all logits puts the threshold of 0.5 where Dice is largest; then the share that burned is read off by what
was mapped, dates are put where they are neither early nor late in the mean, and their intervals are made to
hold four true days in five.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import isotonic_regression
from scipy.special import expit

from banet.burned_area.dating import date_at, date_uncertainty
from banet.chips import Chips
from banet.evaluation.measures.agreement import dice
from banet.model.config import Calibration, InputSpec
from banet.model.network import BANet
from banet.training.augment import withhold_hotspots, withhold_outside
from banet.training.config import ValidationConfig
from banet.training.validation import Change, held_out_logits

__all__ = ["COVERAGE", "best_shift", "calibrate", "calibrate_model"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

COVERAGE = 0.8
"""Share of true days that the stated interval shall hold."""

_SHORT, _NOTHING = 12, -30.0
"""Days of a short record, and the logit of a day that is not of it."""
_SHIFTS = np.round(np.arange(-1.0, 2.51, 0.1), 2)
_KNOTS = np.linspace(0, 1, 21)
_QUANTILES = np.round(np.arange(0.30, 0.701, 0.01), 2)
_MASSES = np.round(np.arange(0.30, 0.991, 0.01), 2)
_HALF = 0.5 - 1e-6
_TENTH = 0.1
_FAINT = 1e-3
"""Cells mapped below this and not burned are left out: there are many, and nothing changes for them."""


def calibrate_model(
    model: BANet,
    sources: Sequence[Chips],
    spec: InputSpec,
    config: ValidationConfig,
    device: torch.device,
) -> float:
    """Shift the logits of a network and set its calibration, both measured on held-out chips.

    Args:
        model: on `device`; its last bias and its `calibration` are changed.
        sources: folders of held-out chips.
        spec: scaling of the input.
        config: how many chips and which days.
        device: where to compute.

    Returns:
        The shift.
    """
    scenes = {
        name: [_telling(*maps) for maps in held_out_logits(model, sources, spec, config, device, change)]
        for name, change in _CHANGES.items()
    }
    scenes["short"] = [
        _telling(*short_record(*maps)) for maps in _short(model, sources, spec, config, device)
    ]
    # One threshold for all: with hot spots it weighs as much as everything without them.
    poor = len(scenes) - 1
    shift = best_shift(list(scenes.values()), [float(poor)] + poor * [1.0])
    if model.logits.bias is not None:
        with torch.no_grad():
            model.logits.bias += shift
    model.calibration = calibrate(_mapped(scenes["all"], shift))
    return shift


def _nobody_looked(planes: Floats, target: Floats) -> None:
    withhold_hotspots(planes, np.nan)


_CHANGES: dict[str, str | Change] = {
    "all": "all",
    "no_hotspots": "no_hotspots",
    "nobody looked": _nobody_looked,
}


def _short(
    model: BANet, sources: Sequence[Chips], spec: InputSpec, config: ValidationConfig, device: torch.device
) -> Iterator[tuple[Floats, Floats, slice]]:
    """Yield logits, truth and days of records of 12 days about the worst day of fire, without hot spots."""
    short: list[slice] = []

    def cut(planes: Floats, target: Floats) -> None:
        short.append(_worst_days(target, _SHORT))
        withhold_hotspots(planes)
        withhold_outside(planes, short[-1])

    for logits, truth in held_out_logits(model, sources, spec, config, device, cut, whole=True):
        yield logits, truth, short[-1]


def _worst_days(target: Floats, count: int) -> slice:
    """Return a run of days of which the day on which most burned is the middle, as far as the ends allow."""
    day = int(np.nansum(target, (1, 2)).argmax())
    first = int(np.clip(day - count // 2, 0, max(len(target) - count, 0)))
    return slice(first, first + count)


def short_record(logits: Floats, truth: Floats, days: slice) -> tuple[Floats, Floats]:
    """Return logits and truth of which nothing burns outside some days."""
    outside = np.ones(len(truth), bool)
    outside[days] = False
    logits, truth = logits.copy(), truth.copy()
    logits[outside] = _NOTHING
    truth[outside] = np.where(np.isnan(truth[outside]), np.nan, 0)
    return logits, truth


def _telling(logits: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Keep the cells that say something, as (T, cells, 1): not those below `_FAINT` however shifted."""
    known = np.isfinite(truth).all(0)
    kept = known & ((expit(logits + _SHIFTS[-1]).sum(0) > _FAINT) | (np.nan_to_num(truth).sum(0) > 0))
    return logits[:, kept][..., None], truth[:, kept][..., None]


def _mapped(scenes: Iterable[tuple[Floats, Floats]], shift: float) -> Iterator[tuple[Floats, Floats]]:
    for logits, truth in scenes:
        yield expit(logits + np.float32(shift)).astype(np.float32), truth


def best_shift(
    variants: Sequence[Sequence[tuple[Floats, Floats]]], weights: Sequence[float] | None = None
) -> float:
    """Return the shift of all logits by which Dice at the threshold of 0.5 is largest, the least of equals.

    Args:
        variants: of the input; of each, (logits, true daily fraction), (T, rows, columns), scene by scene.
            Dice is over all scenes of a variant, its mean over the variants decides.
        weights: of the variants in that mean; equal where not given.
    """
    scores = [np.average([_dice(scenes, shift) for scenes in variants], weights=weights) for shift in _SHIFTS]
    best = _SHIFTS[np.equal(scores, np.max(scores))]
    return float(best[np.abs(best).argmin()])


def _dice(scenes: Iterable[tuple[Floats, Floats]], shift: float) -> float:
    matrix = np.zeros(3)
    for daily, truth in _mapped(scenes, shift):
        mapped, burned = daily.sum(0) >= _HALF, truth.sum(0) >= _HALF
        matrix += [part.sum() for part in (mapped & burned, mapped & ~burned, ~mapped & burned)]
    return float(np.nan_to_num(dice(matrix)))


@dataclass
class _Evidence:
    """Mapped and true values of held-out scenes, gathered scene by scene."""

    mapped: list[Floats] = field(default_factory=list)
    burned: list[Bools] = field(default_factory=list)
    tenth: list[Bools] = field(default_factory=list)
    daily: list[Floats] = field(default_factory=list)
    true_day: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def add(self, daily: Floats, truth: Floats) -> None:
        known = np.isfinite(truth).all(0)
        daily, truth = daily[:, known], truth[:, known]
        sums, fraction = np.minimum(daily.sum(0), 1.0), truth.sum(0)
        kept = (sums > _FAINT) | (fraction > 0)
        self.mapped.append(sums[kept].astype(np.float32))
        self.burned.append(fraction[kept] >= _HALF)
        self.tenth.append(fraction[kept] > _TENTH)
        both = (sums >= _HALF) & (fraction > 0)
        self.daily.append(daily[:, both])
        self.true_day.append(truth[:, both].argmax(0))


def calibrate(scenes: Iterable[tuple[Floats, Floats]]) -> Calibration | None:
    """Measure how often cells burned by what was mapped, and which interval holds four true days in five.

    Args:
        scenes: (daily probability, true daily burned fraction), both (T, rows, columns), of each scene; cells
            of which a true day is NaN are left out.

    Returns:
        The calibration; None where no scene has a mapped or burned cell.
    """
    evidence = _Evidence()
    for daily, truth in scenes:
        evidence.add(daily, truth)
    mapped = np.concatenate(evidence.mapped) if evidence.mapped else np.empty(0, np.float32)
    if not mapped.size:
        return None
    return Calibration(
        mapped=tuple(round(float(knot), 4) for knot in _KNOTS),
        burned=_shares(mapped, np.concatenate(evidence.burned)),
        tenth=_shares(mapped, np.concatenate(evidence.tenth)),
        **_dating(evidence),
    )


def _shares(mapped: Floats, burned: Bools) -> tuple[float, ...]:
    """Fit a curve that never falls through the share burned in bins about the knots."""
    edges = (_KNOTS[:-1] + _KNOTS[1:]) / 2
    bins = np.searchsorted(edges, mapped)
    count = np.bincount(bins, minlength=len(_KNOTS)).astype(float)
    # A cell's worth at the knot itself keeps empty bins where the map says they are.
    share = (np.bincount(bins, burned, len(_KNOTS)) + _KNOTS) / (count + 1)
    fitted = isotonic_regression(share, weights=count + 1).x
    return tuple(round(float(share), 4) for share in np.clip(fitted, 0, 1))


def _dating(evidence: _Evidence) -> dict[str, float]:
    """Return the quantile with the least mean error, and the mass whose intervals then hold `COVERAGE`."""
    if not any(days.size for days in evidence.true_day):
        return {}
    pairs = list(zip(evidence.daily, evidence.true_day, strict=True))
    bias = [
        abs(np.concatenate([date_at(p, float(share)) - days for p, days in pairs]).mean())
        for share in _QUANTILES
    ]
    quantile = float(_QUANTILES[int(np.argmin(bias))])
    held = np.zeros(len(_MASSES))
    for p, days in pairs:
        date = date_at(p, quantile)
        widths = np.stack([date_uncertainty(p, date, float(mass)) for mass in _MASSES])
        held += (np.abs(days - date) <= widths).sum(1)
    coverage = held / sum(days.size for days in evidence.true_day)
    return {
        "date_quantile": quantile,
        "date_mass": float(_MASSES[np.abs(coverage - COVERAGE).argmin()]),
    }
