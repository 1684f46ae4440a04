"""Chips from the simulator: exact truth, as many as wanted, each known by its climate and seed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.chips.store import ChipEntry, Chips
from banet.errors import InputError
from banet.io.files import PathLike
from banet.io.progress import Progress
from banet.parallel import spread

__all__ = ["Progress", "Sampler", "SimulatedChip", "plan_simulated", "simulator", "write_simulated_chips"]

Floats = npt.NDArray[np.float32]
Sampler = Callable[..., tuple[Floats, Floats]]


def simulator(seed: int, *, days: int, size: int, climate: str | None) -> tuple[Floats, Floats]:
    """Call `banet.simulation.sample.sample`, imported only when needed."""
    from banet.simulation.sample import sample

    return sample(seed, days=days, size=size, climate=climate)


@dataclass(frozen=True)
class SimulatedChip:
    """One chip to simulate."""

    climate: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the chip, the same whenever it is made."""
        return f"{self.climate or 'any'}-{self.seed:08d}"


def plan_simulated(count: int, climates: Sequence[str], first_seed: int) -> tuple[SimulatedChip, ...]:
    """Plan `count` chips, the climates in turn, seeds counting up from `first_seed`.

    Raises:
        InputError: if the count is not positive or there is no climate.
    """
    if count < 1 or not climates:
        raise InputError(
            f"simulated chips need a count of at least 1 and a climate, found {count}, {climates}"
        )
    return tuple(SimulatedChip(climates[i % len(climates)], first_seed + i) for i in range(count))


def write_simulated_chips(
    folder: PathLike,
    plan: Sequence[SimulatedChip],
    *,
    days: int = 64,
    size: int = 128,
    workers: int = 0,
    sampler: Sampler = simulator,
    progress: Progress | None = None,
) -> Chips:
    """Simulate the chips of `plan` that the folder does not hold yet.

    Args:
        folder: of chips, made if it is not there.
        plan: which climates and seeds.
        days: of every chip.
        size: of every chip, in cells.
        workers: processes to simulate in; 0 simulates in this one.
        sampler: what makes a chip; must be importable by name where `workers` is not 0.
        progress: called with (done, total, message).

    Returns:
        The chips of the plan, in its order, whatever else the folder holds.

    Raises:
        BusyError: if chips are missing and another run adds to the folder.
    """
    chips = Chips.create(folder, days, size)
    if any(item.name not in chips.names for item in plan):
        with chips.adding():
            _simulate_missing(chips, plan, workers, sampler, progress)
    return chips.only(item.name for item in plan)


def _simulate_missing(
    chips: Chips, plan: Sequence[SimulatedChip], workers: int, sampler: Sampler, progress: Progress | None
) -> None:
    missing = [item for item in plan if item.name not in chips.names]
    done = len(plan) - len(missing)
    simulate = functools.partial(_simulate, chips, sampler)
    processes = min(workers, len(missing)) if len(missing) > 1 else 0
    with closing(spread(simulate, missing, workers=processes or None, ordered=False)) as made:
        for _, entry in made:
            chips.enter(entry)
            done += 1
            if progress is not None:
                progress(done, len(plan), f"simulated {entry.name}")


def _simulate(chips: Chips, sampler: Sampler, item: SimulatedChip) -> ChipEntry:
    planes, target = sampler(item.seed, days=chips.days, size=chips.size, climate=item.climate or None)
    entry = ChipEntry(item.name, climate=item.climate, seed=item.seed)
    return chips.write_arrays(entry, planes, target)
