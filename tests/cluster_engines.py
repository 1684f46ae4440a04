"""Engines for tests on clusters: in a module of its own, so that worker processes can import it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from banet.model.config import BANetConfig, InputSpec

POISON = 5000.0
"""FRP in MW that no fire reaches: marks the cell by which an engine knows a tile."""


class LocalEngine:
    """A network of which all is known: it looks 2 cells and 1 day around."""

    spec = InputSpec()
    models = (
        SimpleNamespace(
            name="local", weights_sha256="1" * 64, config=BANetConfig(), calibration=None, card={}
        ),
    )

    def __init__(self, log: Path | None = None):
        self.log = log

    def probabilities(self, x, part=...):
        from scipy import ndimage

        if self.log is not None:
            with self.log.open("a") as stream:  # one short line: appended as a whole
                stream.write(f"{os.getpid()}\n")
        mixed = ndimage.uniform_filter(x[1] - x[0] + np.minimum(x[3], 50), (3, 5, 5), mode="constant")
        return (1 / (1 + np.exp(6 - 2 * mixed))).astype(np.float32)[part]


def is_poisoned(x) -> bool:
    """Tell whether the marked cell is in a tile."""
    return bool(x[3].max() > np.log1p(POISON - 1) / InputSpec().std[3] - 1)


class Poisoned(LocalEngine):
    """Raises on every tile that holds the marked cell."""

    def probabilities(self, x, part=...):
        if is_poisoned(x):
            raise RuntimeError("this tile is poisoned")
        return super().probabilities(x, part)


class Broken(LocalEngine):
    """Raises on every tile."""

    def probabilities(self, x, part=...):
        raise RuntimeError("nothing works")


class Mortal(LocalEngine):
    """Kills its own process at the tile that holds the marked cell, the first time that it sees it."""

    def __init__(self, log: Path, grave: Path):
        super().__init__(log)
        self.grave = grave

    def probabilities(self, x, part=...):
        found = super().probabilities(x, part)
        if is_poisoned(x):
            with contextlib.suppress(FileExistsError), self.grave.open("x"):
                os._exit(9)
        return found


class Deadly(LocalEngine):
    """Kills every process that takes the tile with the marked cell, as one that is too large would."""

    def probabilities(self, x, part=...):
        if is_poisoned(x):
            os._exit(9)
        return super().probabilities(x, part)
