"""Random streams and correlated random fields: the raw material of every part of a simulated scene."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
from scipy import fft

__all__ = ["Field", "Mask", "blocks_mean", "correlated", "interpolator", "parcels", "stream"]

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the random generator of one part of a scene.

    Streams with different keys are independent, so a part can be computed alone, in any order, and the
    scene still follows from its seed.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))


@functools.lru_cache(maxsize=128)
def _filter(shape: tuple[int, int], scale: float, slope: float) -> Field:
    rows, cols = shape
    ky = np.fft.fftfreq(rows)[:, None]
    kx = np.fft.rfftfreq(cols)[None, :]
    amplitude = (ky**2 + kx**2 + (1 / (2 * math.pi * scale)) ** 2) ** (-slope / 2)
    # A real field needs conjugate pairs in the first and the last column; the transform drops the odd
    # part of what it gets there, which halves their variance.
    twice = np.full(kx.shape, 2.0)
    twice[:, 0] = 1.0
    if cols % 2 == 0:
        twice[:, -1] = 1.0
    variance = 2 * float((amplitude**2 * twice).sum()) / (rows * cols) ** 2
    amplitude = amplitude / math.sqrt(variance) / np.where(twice == 1.0, 1 / math.sqrt(2), 1.0)
    return amplitude.astype(np.float32)


def correlated(rng: np.random.Generator, shape: tuple[int, int], scale: float, slope: float = 3.0) -> Field:
    """Draw a Gaussian field of mean 0 and variance 1 with a power-law spectrum.

    Args:
        rng: its random stream.
        shape: (rows, columns).
        scale: length in grid steps beyond which the field is no longer correlated.
        slope: fall of the amplitude with wavenumber below that length; 1 is rough, 3 is smooth.

    Returns:
        (rows, columns) float32.
    """
    rows, cols = (fft.next_fast_len(n, real=True) for n in shape)
    weights = _filter((rows, cols), float(scale), float(slope))
    noise = rng.standard_normal((*weights.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    field: Field = fft.irfft2(noise * weights, s=(rows, cols), workers=1)
    return np.asarray(field[: shape[0], : shape[1]], np.float32)


def blocks_mean(fine: npt.NDArray[np.generic], size: int) -> Field:
    """Average blocks of `size` x `size` sub-cells: (rows * size, columns * size) -> (rows, columns)."""
    rows, cols = fine.shape[0] // size, fine.shape[1] // size
    mean: Field = fine.reshape(rows, size, cols, size).mean((1, 3), dtype=np.float32)
    return mean


def parcels(rng: np.random.Generator, shape: tuple[int, int], size: float) -> npt.NDArray[np.int32]:
    """Number the parcels of a field pattern: rectangles of uneven size, bent a little.

    Returns:
        (rows, columns) int32 parcel numbers from 0, not all in use.
    """
    bend = correlated(rng, shape, 8 * size) * np.float32(size)
    y = np.cumsum(rng.uniform(0.6, 1.4, shape[0])).astype(np.float32)
    x = np.cumsum(rng.uniform(0.6, 1.4, shape[1])).astype(np.float32)
    row = ((y[:, None] + bend) / size).astype(np.int32)
    # Every strip of parcels is cut at its own places.
    shift = rng.uniform(0, size, int(row.max() - row.min()) + 1).astype(np.float32)
    row -= row.min()
    col = ((x[None, :] + shift[row] + bend.min() - bend) / (1.5 * size)).astype(np.int32)
    col -= col.min()
    return np.asarray(row * (int(col.max()) + 1) + col, np.int32)


@functools.lru_cache(maxsize=32)
def interpolator(size: int, nodes: int) -> Field:
    """Return the matrix (size, nodes) of linear interpolation from evenly spaced nodes to cell centres."""
    position = (np.arange(size) + 0.5) / size * (nodes - 1)
    left = np.minimum(position.astype(int), nodes - 2)
    weight = position - left
    matrix = np.zeros((size, nodes), np.float32)
    matrix[np.arange(size), left] = 1 - weight
    matrix[np.arange(size), left + 1] = weight
    return matrix
