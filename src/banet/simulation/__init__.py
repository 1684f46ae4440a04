"""Simulated VIIRS fire seasons with exact truth."""

from __future__ import annotations

from banet.simulation.climates import CLIMATES, Climate
from banet.simulation.sample import sample
from banet.simulation.scene import Scene, simulate
from banet.simulation.writers import write_scene

__all__ = ["CLIMATES", "Climate", "Scene", "sample", "simulate", "write_scene"]
