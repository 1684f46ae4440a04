"""Scores of a network on held-out chips, whole, in three variants, beside the active-fire baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

from banet.burned_area.dating import DatingRule
from banet.chips import Chips
from banet.evaluation.sums import Sums
from banet.model.config import InputSpec
from banet.model.means import Mean
from banet.model.network import BANet, pad_to_multiple
from banet.training.augment import withhold_hotspots, withhold_images
from banet.training.config import ValidationConfig
from banet.training.data import network_input
from banet.training.metrics import active_fire_map, measured, scores_of

__all__ = ["VARIANTS", "held_out_logits", "kept_days", "overall", "select_chips", "validate"]

Floats = npt.NDArray[np.float32]
Change = Callable[[Floats, Floats], None]
"""Changes planes (4, T, H, W) in place, given the truth (T, H, W)."""
Scores = dict[str, dict[str, dict[str, Any]]]


def _as_it_is(planes: Floats) -> None:
    """Leave all inputs."""


VARIANTS: dict[str, Callable[[Floats], None]] = {
    "all": _as_it_is,
    "no_hotspots": withhold_hotspots,
    "no_images": withhold_images,
}
"""What is done to the planes in each variant; the hot-spot baseline is scored beside them."""


def validate(
    model: BANet,
    sources: Sequence[Chips],
    spec: InputSpec,
    config: ValidationConfig,
    device: torch.device,
) -> Scores:
    """Score a network on chips, dated as its maps are.

    Args:
        model: on `device`; is in evaluation mode afterwards.
        sources: folders of held-out chips.
        spec: scaling of the input.
        config: how many chips and which days.
        device: where to compute.

    Returns:
        Scores by variant (`all`, `no_hotspots`, `no_images`, `active_fires`), climate and name; the climate
        `overall` is over all chips.
    """
    sums: dict[str, dict[str, list[Sums]]] = defaultdict(lambda: defaultdict(list))
    model.eval()
    known = model.calibration
    own = DatingRule.of(None if known is None else known.model_dump())
    for chips, number in select_chips(sources, config.chips):
        chip = chips.read(number)
        kept = kept_days(chips.days, config)
        maps = {"active_fires": active_fire_map(chip.planes[3, kept])}
        for variant, withhold in VARIANTS.items():
            planes = chip.planes.copy()
            withhold(planes)
            maps[variant] = expit(_logits(model, network_input(planes, spec), spec, device)[kept])
        for variant, daily in maps.items():
            dating = own if variant in VARIANTS else DatingRule()
            sums[variant][chip.entry.climate].append(measured(daily, chip.target[kept], dating=dating))
    return {variant: _with_overall(sums[variant]) for variant in (*VARIANTS, "active_fires")}


def _with_overall(by_climate: dict[str, list[Sums]]) -> dict[str, dict[str, Any]]:
    parts = {climate: Sums.join(each) for climate, each in sorted(by_climate.items())}
    every = {"overall": Sums.join(list(parts.values()))} | parts
    return {name: scores_of(one) for name, one in every.items()}


def held_out_logits(
    model: BANet | Mean,
    sources: Sequence[Chips],
    spec: InputSpec,
    config: ValidationConfig,
    device: torch.device,
    variant: str | Change = "all",
    *,
    whole: bool = False,
) -> Iterator[tuple[Floats, Floats]]:
    """Yield daily logits and truth, (T, rows, columns), of held-out chips.

    Args:
        model: on `device`; is in evaluation mode afterwards.
        sources: folders of held-out chips.
        spec: scaling of the input.
        config: how many chips and which days.
        device: where to compute.
        variant: of `VARIANTS`, or what else is done to the planes, given the truth.
        whole: with the margin days.
    """
    change = variant if callable(variant) else _of_planes(VARIANTS[variant])
    model.eval()
    for chips, number in select_chips(sources, config.chips):
        chip, kept = chips.read(number), slice(None) if whole else kept_days(chips.days, config)
        change(chip.planes, chip.target)
        yield _logits(model, network_input(chip.planes, spec), spec, device)[kept], chip.target[kept]


def _of_planes(change: Callable[[Floats], None]) -> Change:
    return lambda planes, target: change(planes)


def kept_days(days: int, config: ValidationConfig) -> slice:
    """Return those of a chip's days that are scored: all but the margin at both ends."""
    margin = min(config.margin_days, days // 4)
    return slice(margin, days - margin)


@torch.inference_mode()
def _logits(model: BANet | Mean, x: Floats, spec: InputSpec, device: torch.device) -> Floats:
    padded = pad_to_multiple(torch.from_numpy(x).unsqueeze(0), model.config.multiple, spec.missing)
    logits = model(padded.to(device)).float()[0, 0]
    _, days, rows, cols = x.shape
    inside: Floats = logits[:days, :rows, :cols].cpu().numpy()
    return inside


def select_chips(sources: Sequence[Chips], limit: int) -> list[tuple[Chips, int]]:
    """Choose at most `limit` chips (0 for all), the climates of each folder in turn."""
    ranked: list[tuple[int, int, Chips, int]] = []
    for chips in sources:
        met: dict[str, int] = defaultdict(int)
        for number, entry in enumerate(chips.entries):
            ranked.append((met[entry.climate], len(ranked), chips, number))
            met[entry.climate] += 1
    ranked.sort(key=lambda item: item[:2])
    return [(chips, number) for _, _, chips, number in (ranked[:limit] if limit else ranked)]


def overall(scores: Scores) -> float:
    """Return the one number runs are compared by: Dice of all inputs and of hot spots withheld, averaged.

    Dice without images is left out: it rewards what the active-fire baseline does too.
    """
    dice = [scores[variant]["overall"]["dice"] or 0.0 for variant in ("all", "no_hotspots")]
    return float(np.mean(dice))
