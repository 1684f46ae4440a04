"""Planes of a map as PNG pictures whose colours are numbers, which a page's script can read back exactly."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea

__all__ = ["MOST_CELLS", "Coded", "coded_planes"]

MOST_CELLS = 2_000_000
"""Cells that a page shows; a larger region is shown in blocks of 2 x 2, 3 x 3 and so on."""

_STATUS = {-2: 3, -1: 2, 0: 0, 1: 1}


@dataclass(frozen=True)
class Coded:
    """Pictures of a map's planes.

    Attributes:
        dates: address of a PNG: red and green hold the day of the period from 1 (0: not burned), low byte
            first; blue the status: 0 unburned, 1 burned, 2 not observed, 3 water.
        values: address of a PNG: red holds the confidence, green the uncertainty (255: none), blue the days
            observed, at most 255.
        rows, cols: their size.
        block: edge in cells of what one pixel shows.
    """

    dates: str
    values: str
    rows: int
    cols: int
    block: int


def coded_planes(burned: BurnedArea) -> Coded:
    """Return the planes of a map as pictures; a pixel of a large map shows the cell that burned most."""
    block = max(1, int(np.ceil(np.sqrt(burned.burn_date.size / MOST_CELLS))))
    pick = _picked(burned, block)
    day = np.where(burned.burned, (burned.burn_date - burned.start).astype(np.int64) + 1, 0)
    status = np.vectorize(_STATUS.get, otypes=[np.uint8])(burned.status)
    dates = np.stack([day & 255, day >> 8, status], axis=-1).astype(np.uint8)
    observed = np.minimum(burned.observed_days, 255)
    values = np.stack([burned.confidence, burned.uncertainty, observed], axis=-1).astype(np.uint8)
    rows, cols = pick.shape
    pictures = [_address(plane.reshape(-1, 3)[pick]) for plane in (dates, values)]
    return Coded(pictures[0], pictures[1], rows, cols, block)


def _picked(burned: BurnedArea, block: int) -> npt.NDArray[np.int64]:
    """Return for each pixel the number of the cell that it shows."""
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


def _address(picture: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture, "RGB").save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")
