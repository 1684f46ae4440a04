"""Chips: blocks of daily planes with their truth, stored so that training can read random crops cheaply."""

from __future__ import annotations

from banet.chips.real import burned_in_no_chip, days_in_no_chip, write_cube_chips
from banet.chips.simulated import write_simulated_chips
from banet.chips.store import BANDS, Chip, ChipEntry, Chips
from banet.chips.stream import SimulatedStream, Source

__all__ = [
    "BANDS",
    "Chip",
    "ChipEntry",
    "Chips",
    "SimulatedStream",
    "Source",
    "burned_in_no_chip",
    "days_in_no_chip",
    "write_cube_chips",
    "write_simulated_chips",
]
