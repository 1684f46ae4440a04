"""Burned-area products, perimeters and truth: burned fraction by cell and day on a region's grid."""

from __future__ import annotations

from banet.labels.auscover import read_auscover
from banet.labels.firecci import read_firecci
from banet.labels.mcd64a1 import read_mcd64a1
from banet.labels.perimeters import read_perimeters

__all__ = [
    "read_auscover",
    "read_firecci",
    "read_mcd64a1",
    "read_perimeters",
]
