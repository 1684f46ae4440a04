"""Calibration of a trained network: what its numbers mean, measured on held-out chips.

Training on daily fractions leaves a network cautious: its sums stay low where the day is in doubt. One shift
of all logits puts the threshold of 0.5 where Dice is largest; then the share that burned is read off by what
was mapped, dates are put where they are neither early nor late in the mean, and their intervals are made to
hold `COVERAGE` of the true days.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import isotonic_regression
from scipy.special import expit

from banet.burned_area.confidence import with_neighbours
from banet.burned_area.dating import date_at, date_uncertainty
from banet.burned_area.evidence import CLASSES, classes_of
from banet.chips import Chips
from banet.errors import BanetWarning
from banet.evaluation.measures.agreement import counts_of, dice
from banet.model.config import Calibration, EvidenceTable, InputSpec
from banet.model.means import Mean
from banet.model.network import BANet
from banet.training.augment import withhold_hotspots, withhold_outside
from banet.training.config import ValidationConfig
from banet.training.validation import held_out_logits, kept_days

__all__ = [
    "COVERAGE",
    "HeldOut",
    "best_shift",
    "by_evidence",
    "calibrate",
    "calibrate_mean",
    "calibrate_model",
]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Pair = tuple[Floats, Floats]
"""Logits or probabilities and true fractions of each day, (T, rows, columns)."""

COVERAGE = 0.85
"""Share of true days that the stated interval shall hold.

A little more than four in five: a product dates a cell when it is first seen burned, up to a day after.
"""

_NOTHING = -30.0
"""Logit of a day that is not of a record."""
_PRIOR = 30.0
"""Cells that the shares of all inputs count for in a class of evidence."""
_SHIFTS = np.round(np.arange(-1.0, 2.51, 0.1), 2) + 0.0  # which has no -0.0
_KNOTS = np.linspace(0, 1, 21)
_QUANTILES = np.round(np.arange(0.30, 0.701, 0.01), 2)
_MASSES = np.round(np.arange(0.30, 0.991, 0.01), 2)
_HALF = 0.5 - 1e-6
_TENTH = 0.1
_NEIGHBOURS = 0.25
"""Weight of the mean of the eight neighbours in what tells whether more than a tenth of a cell burned."""
_MUCH = 0.1
"""Share of cells left out that is worth telling."""
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
        model: on `device`; its last bias and its `calibration` are changed, this to None where nothing is
            known to have burned.
        sources: folders of held-out chips.
        spec: scaling of the input.
        config: how many chips and which days.
        device: where to compute.

    Returns:
        The shift.

    Warns:
        BanetWarning: if more than a tenth of the cells are left out, as the labels lack some of their days.
    """
    scenes = _met(model, sources, spec, config, device)
    _tell_lost(scenes["all"])
    shift = 0.0
    if _burned(scenes["all"]):
        # One threshold for all: with hot spots it weighs as much as everything without them.
        pairs = [[(one.logits, one.truth) for one in scenes[name]] for name in ("all", *_POOR)]
        shift = best_shift(pairs, [float(len(_POOR)), *(1.0 for _ in _POOR)])
    if model.logits.bias is not None:
        with torch.no_grad():
            model.logits.bias += shift
    model.calibration = _calibration(scenes, shift)
    return shift


def calibrate_mean(
    models: Sequence[BANet], sources: Sequence[Chips], config: ValidationConfig, device: torch.device
) -> Calibration | None:
    """Measure what the mean of several networks' probabilities means; they are not changed.

    Args:
        models: on `device`; each calibrated by itself; they want the same input.
        sources: folders of held-out chips.
        config: how many chips and which days.
        device: where to compute.

    Returns:
        The calibration; None where nothing is known to have burned.
    """
    return _calibration(_met(Mean(models), sources, models[0].spec, config, device), 0.0)


def _met(
    model: BANet | Mean,
    sources: Sequence[Chips],
    spec: InputSpec,
    config: ValidationConfig,
    device: torch.device,
) -> dict[str, list[HeldOut]]:
    return {name: list(_scenes(model, sources, spec, config, device, case)) for name, case in _CASES.items()}


def _calibration(scenes: Mapping[str, Sequence[HeldOut]], shift: float) -> Calibration | None:
    if not _burned(scenes["all"]):
        return None
    known = _calibrate(one.mapped(shift) for one in scenes["all"])
    if known is None:
        return None
    tables = by_evidence(itertools.chain(*scenes.values()), shift, known)
    return known.model_copy(update={"by_evidence": tables})


def _burned(scenes: Iterable[HeldOut]) -> bool:
    return any(one.truth.any() for one in scenes)


def _tell_lost(scenes: Sequence[HeldOut]) -> None:
    """Warn where the labels lack days of many cells."""
    lost, cells = sum(one.lost for one in scenes), sum(one.told for one in scenes)
    if lost > _MUCH * cells:
        told = (
            f"of {lost:,} of {cells:,} cells of the held-out tiles the labels tell some days and others not"
        )
        warnings.warn(f"{told}: they are left out of the calibration", BanetWarning, stacklevel=3)


@dataclass(frozen=True)
class _Case:
    """Held-out chips as they are met: whether anybody looked for hot spots, and images of some days alone."""

    looked: bool = True
    days: int | None = None


_CASES = {
    "all": _Case(),
    "nobody looked": _Case(looked=False),
    "12 days": _Case(days=12),
    "12 days, nobody looked": _Case(looked=False, days=12),
    "6 days": _Case(days=6),
    "6 days, nobody looked": _Case(looked=False, days=6),
}
_POOR = ("nobody looked", "12 days, nobody looked")
"""Cases that decide on the shift beside all inputs."""


class _Mapped(NamedTuple):
    """Daily probabilities and truth, (T, rows, columns); (rows, columns) that tell whether a tenth burned."""

    daily: Floats
    truth: Floats
    blended: Floats


class HeldOut(NamedTuple):
    """Values of the cells of a chip that tell something.

    Attributes:
        logits, truth: of each day, (T, cells, 1) float32.
        evidence: class of each cell, (cells,) uint8.
        kept: where they lie in the chip, (rows, columns); all others are taken as unburned.
        told: number of cells of which a day that is scored is known.
        lost: those of them that are left out, as another such day is not.
    """

    logits: Floats
    truth: Floats
    evidence: npt.NDArray[np.uint8]
    kept: Bools
    told: int = 0
    lost: int = 0

    def mapped(self, shift: float) -> _Mapped:
        """Return what is mapped after a shift of the logits."""
        ((daily, truth),) = _mapped([(self.logits, self.truth)], shift)
        sums = np.zeros(self.kept.shape, np.float32)
        sums[self.kept] = np.minimum(daily.sum(0), 1)[:, 0]
        return _Mapped(daily, truth, with_neighbours(sums, _NEIGHBOURS)[self.kept][:, None])


def _scenes(
    model: BANet | Mean,
    sources: Sequence[Chips],
    spec: InputSpec,
    config: ValidationConfig,
    device: torch.device,
    case: _Case,
) -> Iterator[HeldOut]:
    met: list[tuple[slice, Bools, Bools]] = []

    def change(planes: Floats, target: Floats) -> None:
        days = kept_days(len(target), config)
        if not case.looked:
            withhold_hotspots(planes)
        if case.days is not None:
            days = _worst_days(target, case.days)
            withhold_outside(planes, days)
        met.append((days, np.asarray(np.isfinite(planes[:3]).all(0)), np.isfinite(planes[3])))

    for logits, truth in held_out_logits(model, sources, spec, config, device, change, whole=True):
        days, observed, looked = met.pop()
        said, burned = short_record(logits, truth, days)
        known = np.isfinite(burned[days])
        told, whole = int(known.any(0).sum()), int(known.all(0).sum())
        found = _telling(said, burned, classes_of(observed, looked, said.argmax(0)))
        yield found._replace(told=told, lost=told - whole)


def _worst_days(target: Floats, count: int) -> slice:
    """Return a run of days of which the day on which most burned is the middle, as far as the ends allow."""
    day = int(np.nansum(target, (1, 2)).argmax())
    first = int(np.clip(day - count // 2, 0, max(len(target) - count, 0)))
    return slice(first, first + count)


def short_record(logits: Floats, truth: Floats, days: slice) -> tuple[Floats, Floats]:
    """Return logits and truth of which nothing burns outside some days, whether it is known there or not."""
    outside = np.ones(len(truth), bool)
    outside[days] = False
    logits, truth = logits.copy(), truth.copy()
    logits[outside] = _NOTHING
    truth[outside] = 0
    return logits, truth


def _telling(logits: Floats, truth: Floats, evidence: npt.NDArray[np.uint8]) -> HeldOut:
    """Keep the cells that say something: not those below `_FAINT` however shifted."""
    known = np.isfinite(truth).all(0)
    most = np.minimum(expit(logits + _SHIFTS[-1]).sum(0), 1)
    kept = known & ((with_neighbours(most, _NEIGHBOURS) > _FAINT) | (np.nan_to_num(truth).sum(0) > 0))
    return HeldOut(logits[:, kept][..., None], truth[:, kept][..., None], evidence[kept], kept)


def _mapped(scenes: Iterable[Pair], shift: float) -> Iterator[Pair]:
    for logits, truth in scenes:
        yield expit(logits + np.float32(shift)).astype(np.float32), truth


def best_shift(variants: Sequence[Sequence[Pair]], weights: Sequence[float] | None = None) -> float:
    """Return the shift of all logits by which Dice at the threshold of 0.5 is largest, the least of equals.

    Args:
        variants: of the input; of each, (logits, true daily fraction), (T, rows, columns), scene by scene.
            Dice is over all scenes of a variant, its mean over the variants decides.
        weights: of the variants in that mean; equal where not given.
    """
    scores = [np.average([_dice(scenes, shift) for scenes in variants], weights=weights) for shift in _SHIFTS]
    best = _SHIFTS[np.equal(scores, np.max(scores))]
    return float(best[np.abs(best).argmin()])


def _dice(scenes: Iterable[Pair], shift: float) -> float:
    matrix = np.zeros(3)
    for daily, truth in _mapped(scenes, shift):
        matrix += counts_of(daily.sum(0) >= _HALF, truth.sum(0) >= _HALF)
    return float(np.nan_to_num(dice(matrix)))


@dataclass
class _Gathered:
    """Mapped and true values of held-out scenes, gathered scene by scene."""

    mapped: list[Floats] = field(default_factory=list)
    blended: list[Floats] = field(default_factory=list)
    burned: list[Bools] = field(default_factory=list)
    tenth: list[Bools] = field(default_factory=list)
    daily: list[Floats] = field(default_factory=list)
    true_day: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def add(self, daily: Floats, truth: Floats, blended: Floats) -> None:
        known = np.isfinite(truth).all(0)
        daily, truth, blended = daily[:, known], truth[:, known], blended[known]
        sums, fraction = np.minimum(daily.sum(0), 1.0), truth.sum(0)
        kept = (sums > _FAINT) | (fraction > 0)
        self.mapped.append(sums[kept].astype(np.float32))
        self.burned.append(fraction[kept] >= _HALF)
        beside = (blended > _FAINT) | (fraction > 0)
        self.blended.append(blended[beside].astype(np.float32))
        self.tenth.append(fraction[beside] > _TENTH)
        both = (sums >= _HALF) & (fraction > 0)
        self.daily.append(daily[:, both])
        self.true_day.append(truth[:, both].argmax(0))


def calibrate(scenes: Iterable[tuple[Floats, Floats]]) -> Calibration | None:
    """Measure how often cells burned by what was mapped, and which interval holds `COVERAGE` of true days.

    Args:
        scenes: (daily probability, true daily burned fraction), both (T, rows, columns), of each scene; cells
            of which a true day is NaN are left out.

    Returns:
        The calibration; None where no scene has a mapped or burned cell.
    """

    def mapped() -> Iterator[_Mapped]:
        for daily, truth in scenes:
            yield _Mapped(daily, truth, with_neighbours(np.minimum(daily.sum(0), 1), _NEIGHBOURS))

    return _calibrate(mapped())


def _calibrate(scenes: Iterable[_Mapped]) -> Calibration | None:
    gathered = _Gathered()
    for scene in scenes:
        gathered.add(*scene)
    mapped = np.concatenate(gathered.mapped) if gathered.mapped else np.empty(0, np.float32)
    if not mapped.size:
        return None
    return Calibration(
        mapped=tuple(round(float(knot), 4) for knot in _KNOTS),
        burned=_shares(mapped, np.concatenate(gathered.burned)),
        tenth=_shares(np.concatenate(gathered.blended), np.concatenate(gathered.tenth)),
        neighbour_share=_NEIGHBOURS,
        **_dating(gathered),
    )


def by_evidence(scenes: Iterable[HeldOut], shift: float, known: Calibration) -> tuple[EvidenceTable, ...]:
    """Measure the same shares by class of evidence; where a class has few cells, they stay near those of all.

    Args:
        scenes: in all cases in which maps are met.
        shift: of their logits.
        known: calibration of all inputs.
    """
    gathered = [_Gathered() for _ in CLASSES]
    for scene in scenes:
        daily, truth, blended = scene.mapped(shift)
        for number, one in enumerate(gathered):
            here = scene.evidence == number
            one.add(daily[:, here], truth[:, here], blended[here])

    def table(one: _Gathered, name: str) -> EvidenceTable:
        mapped = np.concatenate(one.mapped)
        half = _shares(mapped, np.concatenate(one.burned), known.burned, _PRIOR)
        tenth = _shares(np.concatenate(one.blended), np.concatenate(one.tenth), known.tenth, _PRIOR)
        # Most cells of which nothing is mapped were left out: at 0 all inputs know better.
        half = (min(known.burned[0], half[0]), *half[1:])
        tenth = (min(known.tenth[0], tenth[0]), *tenth[1:])
        return EvidenceTable(evidence=name, cells=mapped.size, burned=half, tenth=tenth)

    return tuple(table(one, name) for one, name in zip(gathered, CLASSES, strict=True))


def _shares(
    mapped: Floats, burned: Bools, prior: Sequence[float] | None = None, weight: float = 1.0
) -> tuple[float, ...]:
    """Fit a curve that never falls through the share burned in bins about the knots.

    `weight` cells at the prior share, by default the knot itself, keep empty bins where that says they are.
    """
    edges = (_KNOTS[:-1] + _KNOTS[1:]) / 2
    bins = np.searchsorted(edges, mapped)
    count = np.bincount(bins, minlength=len(_KNOTS)).astype(float)
    assumed = _KNOTS if prior is None else np.asarray(prior)
    share = (np.bincount(bins, burned, len(_KNOTS)) + weight * assumed) / (count + weight)
    fitted = isotonic_regression(share, weights=count + weight).x
    return tuple(round(float(share), 4) for share in np.clip(fitted, 0, 1))


def _dating(gathered: _Gathered) -> dict[str, Any]:
    """Return the quantile with the least mean error, and the mass whose intervals then hold `COVERAGE`."""
    if not any(days.size for days in gathered.true_day):
        return {}
    pairs = list(zip(gathered.daily, gathered.true_day, strict=True))
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
    coverage = held / sum(days.size for days in gathered.true_day)
    return {
        "date_quantile": quantile,
        "date_mass": float(_MASSES[np.abs(coverage - COVERAGE).argmin()]),
        "date_coverage": COVERAGE,
    }
