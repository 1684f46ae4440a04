"""A toy simulator for tests of chips and training: squares that burn row by row, dark afterwards."""

from __future__ import annotations

import numpy as np


def toy_sample(seed: int, *, days: int, size: int, climate: str | None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, len(climate or "")])
    planes = np.empty((4, days, size, size), np.float32)
    planes[:3] = np.array([0.08, 0.3, 0.1], np.float32).reshape(3, 1, 1, 1)
    planes[:3] += rng.normal(0, 0.01, planes[:3].shape).astype(np.float32)
    planes[3] = 0
    target = np.zeros((days, size, size), np.float32)
    edge = size // 3
    row, col = rng.integers(0, size - edge, 2)
    first = int(rng.integers(2, days // 2))
    for i in range(edge):
        day = min(first + i // 4, days - 1)
        cells = (slice(row + i, row + i + 1), slice(col, col + edge))
        target[(day, *cells)] = 0.8
        planes[(3, day, *cells)] = 20
        planes[(1, slice(day, None), *cells)] *= 0.4
    planes[:3, rng.random(days) < 0.3] = np.nan
    return planes, target
