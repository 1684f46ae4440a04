"""Planes of a map packed as bytes that a page's script reads back exactly."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea

__all__ = ["MOST_CELLS", "Coded", "coded_planes"]

MOST_CELLS = 12_000_000
"""Cells that a page holds; a larger region is shown in blocks of 2 x 2, 3 x 3 and so on."""


@dataclass(frozen=True)
class Coded:
    """Planes of a map as text.

    Attributes:
        planes: (rows, cols), zlib in base64, by name: `day` uint16, little-endian, the day of the period from
            1, 0 where not burned; `status` int8 as that of a map; `confidence` uint8; `uncertainty` uint8;
            `observed` uint16, days.
        rows, cols: their size.
        block: edge in cells of what one entry shows.
    """

    planes: Mapping[str, str]
    rows: int
    cols: int
    block: int


def coded_planes(burned: BurnedArea) -> Coded:
    """Return the planes of a map; an entry of a very large map shows the cell that burned most."""
    block = max(1, int(np.ceil(np.sqrt(burned.burn_date.size / MOST_CELLS))))
    pick = _picked(burned, block)
    days = (burned.burn_date - burned.start).astype(np.int64) + 1
    planes = {
        "day": np.where(burned.burned, days, 0).astype("<u2"),
        "status": burned.status,
        "confidence": burned.confidence,
        "uncertainty": burned.uncertainty,
        "observed": burned.observed_days.astype("<u2"),
    }
    packed = {name: _packed(plane.reshape(-1)[pick]) for name, plane in planes.items()}
    rows, cols = pick.shape
    return Coded(packed, rows, cols, block)


def _picked(burned: BurnedArea, block: int) -> npt.NDArray[np.int64]:
    """Return for each entry the number of the cell that it shows."""
    rows, cols = burned.region.shape
    number = np.arange(rows * cols).reshape(rows, cols)
    if block == 1:
        return number
    # Burned cells first, then unburned ones, then what was not seen, then water.
    rank = np.select(
        [burned.status == 1, burned.status == 0, burned.status == -1],
        [2 + np.nan_to_num(burned.burned_fraction), 1.0, 0.5],
        0.0,
    )
    below, right = -rows % block, -cols % block
    rank = np.pad(rank, ((0, below), (0, right)), constant_values=-1)
    number = np.pad(number, ((0, below), (0, right)))
    shape = (rank.shape[0] // block, block, rank.shape[1] // block, block)
    flat = [a.reshape(shape).swapaxes(1, 2).reshape(shape[0], shape[2], -1) for a in (rank, number)]
    best = flat[0].argmax(axis=-1)[..., None]
    return np.take_along_axis(flat[1], best, axis=-1)[..., 0]


def _packed(plane: npt.NDArray[np.generic]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(plane).tobytes(), 6)).decode("ascii")
