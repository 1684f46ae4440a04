"""The simulator as a source of episodes: each made when it is drawn, none kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from banet.chips.simulated import Sampler, simulator
from banet.chips.store import Chip, ChipEntry, Chips, describe_target

__all__ = ["SimulatedStream", "Source"]

_TRIES = 4


@dataclass(frozen=True)
class SimulatedStream:
    """Endless simulated episodes.

    Attributes:
        climates: drawn from equally often.
        first_seed, stop_seed: range of the seeds.
        days, size: of every episode.
        sampler: what makes it.
    """

    climates: tuple[str, ...]
    first_seed: int
    stop_seed: int
    days: int
    size: int
    sampler: Sampler = simulator

    entries: tuple[ChipEntry, ...] = ()
    """None is kept."""

    def __len__(self) -> int:
        return self.stop_seed - self.first_seed

    @property
    def label(self) -> str:
        """Name in messages and logs."""
        return "the simulator"

    @property
    def index_sha256(self) -> str:
        """SHA-256 of what decides the episodes, which says what a run was trained on."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return what decides the episodes, as values that JSON can hold."""
        return {
            "simulated": "one by one",
            "climates": list(self.climates),
            "seeds": [self.first_seed, self.stop_seed],
            "days": self.days,
            "size": self.size,
        }

    def draw(self, rng: np.random.Generator, *, fire: bool = False) -> Chip:
        """Simulate one episode; with `fire`, look at up to four for one with fire."""
        for _ in range(_TRIES if fire else 1):
            climate = self.climates[int(rng.integers(len(self.climates)))]
            seed = int(rng.integers(self.first_seed, self.stop_seed))
            planes, target = self.sampler(seed, days=self.days, size=self.size, climate=climate or None)
            if target.any():
                break
        entry = describe_target(
            ChipEntry(f"{climate}-{seed:08d}", climate=climate, seed=seed), planes, target
        )
        return Chip(planes, target, entry)


Source = Chips | SimulatedStream
"""What episodes are drawn from."""
