"""Episodes: crops of chips, varied and normalised, each known by its number alone.

Episode number n of a seed is the same whoever draws it and when, so that a run which goes on after a stop
sees what it would have seen, with any number of worker processes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from banet.chips import Chip, Chips, SimulatedStream, Source
from banet.errors import BanetWarning, InputError
from banet.model.config import InputSpec
from banet.model.inputs import normalise
from banet.parallel.starting import without_script
from banet.training.augment import augment
from banet.training.config import AugmentConfig, DataConfig

__all__ = ["Batch", "Episodes", "PlaneStack", "batches", "network_input"]

Floats = npt.NDArray[np.float32]
Generator = np.random.Generator


class Batch(NamedTuple):
    """Batch of a pass: inputs (batch, C, T, H, W), normalised; target (batch, T, H, W), NaN = not known."""

    inputs: Tensor
    target: Tensor


@dataclass(frozen=True, eq=False)
class PlaneStack:
    """Planes (4, T, H, W) float32 as `normalise` wants them."""

    planes: Floats

    @property
    def red(self) -> Floats:
        """Red reflectance (1)."""
        return np.asarray(self.planes[0])

    @property
    def nir(self) -> Floats:
        """Near-infrared reflectance (1)."""
        return np.asarray(self.planes[1])

    @property
    def mir(self) -> Floats:
        """Middle-infrared reflectance (1)."""
        return np.asarray(self.planes[2])

    @property
    def frp(self) -> Floats:
        """Fire radiative power (MW)."""
        return np.asarray(self.planes[3])

    @property
    def view_zenith(self) -> Floats:
        """Chips do not hold it.

        Raises:
            InputError: always.
        """
        raise InputError("chips hold no view zenith; leave it out of inputs.channels")

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Mask of red, NIR and MIR all observed."""
        return np.asarray(np.isfinite(self.planes[:3]).all(0))


def network_input(planes: Floats, spec: InputSpec) -> Floats:
    """Return normalised (C, T, H, W) float32 from physical (4, T, H, W)."""
    return normalise(PlaneStack(planes), spec)


class Episodes(Dataset[Batch]):
    """Batches of episodes by number.

    Args:
        sources: folders of chips or the simulator itself, each drawn from equally often.
        data: how to cut.
        variations: how to vary; None leaves the crops as they are.
        spec: how to normalise.
        batch: episodes in a batch.
        seed: of the run.

    Raises:
        InputError: if there are no chips, or crops do not fit into them.

    Warns:
        BanetWarning: if episodes around fires are asked for, and no chip of a folder burns enough.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        data: DataConfig,
        variations: AugmentConfig | None,
        spec: InputSpec,
        *,
        batch: int = 1,
        seed: int = 0,
    ):
        if not sources or not all(len(chips) for chips in sources):
            empty = [chips.label for chips in sources if not len(chips)]
            raise InputError(
                f"there are no chips to train on{': empty ' + ', '.join(empty) if empty else ''}"
            )
        for chips in sources:
            if chips.days < data.crop_days or chips.size < data.crop_size:
                raise InputError(
                    f"crops of {data.crop_days} days x {data.crop_size} cells do not fit into the chips of "
                    f"{chips.label} ({chips.days} x {chips.size})"
                )
        self.sources = tuple(sources)
        self.data, self.variations, self.spec = data, variations, spec
        self.batch, self.seed = batch, seed
        self._all = tuple(_chances(chips, data, fires=False) for chips in sources)
        self._fires = tuple(_chances(chips, data, fires=True) for chips in sources)
        for chips, fires in zip(sources, self._fires, strict=True) if data.around_fire else ():
            if fires is None and not isinstance(chips, SimulatedStream):
                told = (
                    f"no tile of {chips.label} has more than {data.min_burned_cells} burned cells on a day "
                    "(data.min_burned_cells): none of its episodes is drawn around a fire"
                )
                warnings.warn(told, BanetWarning, stacklevel=2)

    def __getitem__(self, number: int) -> Batch:
        episodes = [self.episode(number * self.batch + i) for i in range(self.batch)]
        inputs, targets = zip(*episodes, strict=True)
        return Batch(torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets)))

    def episode(self, number: int) -> tuple[Floats, Floats]:
        """Return episode `number`: normalised (C, T, H, W) and burned fraction (T, H, W)."""
        rng = np.random.default_rng([self.seed, number])
        chip = self.crop(rng)
        planes, target = chip.planes, chip.target
        if self.variations is not None:
            planes, target = augment(planes, target, self.variations, rng)
        return network_input(planes, self.spec), np.ascontiguousarray(target)

    def crop(self, rng: Generator) -> Chip:
        """Draw a chip and a crop of it."""
        source = int(rng.integers(len(self.sources)))
        chips, fires = self.sources[source], self._fires[source]
        if isinstance(chips, SimulatedStream):
            return chips.draw(rng, fire=bool(rng.random() < self.data.around_fire))
        if rng.random() < self.data.around_fire and fires is not None:
            number = int(rng.choice(len(chips), p=fires))
            day, row, col = self._burned_cell(chips, number, rng)
        else:
            number = int(rng.choice(len(chips), p=self._all[source]))
            day, row, col = (int(rng.integers(n)) for n in (chips.days, chips.size, chips.size))
        days = _around(day, self.data.crop_days, chips.days, rng)
        rows = _around(row, self.data.crop_size, chips.size, rng)
        return chips.read(number, days, rows, _around(col, self.data.crop_size, chips.size, rng))

    def _burned_cell(self, chips: Chips, number: int, rng: Generator) -> tuple[int, int, int]:
        # First the day, as the original does, so that a day of few cells is met as often as one of many.
        counts = np.array(chips.entries[number].burned_cells)
        day = int(rng.choice(np.flatnonzero(counts > self.data.min_burned_cells)))
        cells = np.argwhere(chips.burned(number)[day])
        row, col = cells[rng.integers(len(cells))]
        return day, int(row), int(col)


def _chances(chips: Source, data: DataConfig, *, fires: bool) -> npt.NDArray[np.float64] | None:
    """Probability of drawing each chip; with `fires` only of those that have a day of enough burned cells."""
    if isinstance(chips, SimulatedStream):
        return None
    weight = np.ones(len(chips))
    if fires:
        weight = np.array(
            [max(e.burned_cells, default=0) > data.min_burned_cells for e in chips.entries], float
        )
        if not weight.any():
            return None
    if data.balance == "climate":
        climates = np.array([entry.climate for entry in chips.entries])
        if fires:
            weight = weight * np.sqrt([max(entry.burned_area, 1.0) for entry in chips.entries])
        for climate in np.unique(climates):
            here = climates == climate
            weight[here] /= max(weight[here].sum(), 1e-12)
    chances: npt.NDArray[np.float64] = weight / weight.sum()
    return chances


def _around(centre: int, length: int, whole: int, rng: Generator) -> slice:
    """Return a run of `length` that holds `centre` at any place with equal chance, as the edges allow."""
    first = int(np.clip(centre - rng.integers(length), 0, whole - length))
    return slice(first, first + length)


def batches(episodes: Episodes, numbers: Sequence[int], workers: int) -> Iterator[Batch]:
    """Give the batches of some numbers, in order, prepared by `workers` processes."""
    loader: DataLoader[Batch] = DataLoader(
        episodes,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        multiprocessing_context="spawn" if workers else None,
        # Its own chance: the loader would draw a seed from that which dropout draws from.
        generator=torch.Generator(),
    )
    with without_script():
        return iter(loader)
