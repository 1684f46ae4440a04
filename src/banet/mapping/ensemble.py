"""Ensemble of networks from their names, files or objects, and the tiles that suit it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.mapping.cores import ALIGN, MARGIN, margin_of

if TYPE_CHECKING:
    from banet.model.config import Calibration, InputSpec
    from banet.model.network import BANet
    from banet.model.part import Part

__all__ = ["Ensemble", "Predictor", "as_ensemble"]

# The larger the tile, the less of it is margin, but the more memory it takes: here at most about 2.5 GB for
# 64 days. A wide temporal context keeps its whole first stage.
TILE = 448
SMALLER_TILE = 352
WIDE_BYTES = 64
"""A memory is wide if the first stage after it gives more than so many bytes a cell and day."""


class Predictor(Protocol):
    """Source of daily probabilities: an `Engine`, or anything that does the same."""

    @property
    def spec(self) -> InputSpec:
        """Scaling of its input."""
        ...

    def probabilities(
        self, x: npt.NDArray[np.float32], part: Part | None = None, /
    ) -> npt.NDArray[np.float32]:
        """Map normalised (channels, T, H, W) to the probability of burning on each day of a part of it."""
        ...


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks whose probabilities are averaged, and what is known of them.

    Attributes:
        engine: computes them.
        members: name of each one's weights, and SHA-256 of their file or, for a network that came from no
            file, of its tensors; empty for an engine that does not tell.
        margin: (lead, trail) cells past which none of them feels the border of a tile.
        align: cells of which the edge of a tile must be a multiple.
        tile: edge of a square with as many cells as a tile may have, if not asked for otherwise.
        calibration: what the numbers mean: of a network by itself, or of a mean that was measured (`best`).
        uncalibrated: names of those that were trained without validation, and not calibrated since.
        unmeasured: names of all where some are calibrated, but nobody measured their mean.
    """

    engine: Predictor
    members: tuple[Mapping[str, str], ...] = ()
    margin: tuple[int, int] = MARGIN
    align: int = ALIGN
    tile: int = 256
    calibration: Calibration | None = None
    uncalibrated: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


def as_ensemble(weights: Any, workers: int | None = None) -> Ensemble:
    """Make an ensemble from names or paths of weights, networks, several of either, or an engine.

    Args:
        weights: names the networks; an engine is taken as it is.
        workers: number of processes of this machine that will share its cores.

    Raises:
        InputError: if there is none, or the networks want their input scaled differently.
        NotFoundError: if there are no weights of that name.
    """
    if hasattr(weights, "probabilities"):
        return _described(weights, getattr(weights, "models", ()))
    from banet.model.engine import Engine
    from banet.parallel import threads_for

    engine = Engine(_models(weights), threads=None if workers is None else threads_for(workers))
    return _described(engine, engine.models)


def _models(weights: Any) -> list[BANet]:
    from banet.model.weights import load_models

    several = (
        isinstance(weights, Iterable) and not isinstance(weights, str) and not hasattr(weights, "forward")
    )
    asked = list(weights) if several else [weights]
    if not asked:
        raise InputError("no weights to map with; give at least one name, path or network")
    models: list[BANet] = []
    for one in asked:
        if not (isinstance(one, (str, os.PathLike)) or hasattr(one, "config")):
            raise InputError(f"weights are a name, a path, a network or several of these, not {one!r}")
        models += load_models(one) if isinstance(one, (str, os.PathLike)) else [one]
    return models


def _described(engine: Predictor, models: Sequence[BANet]) -> Ensemble:
    if not models:
        return Ensemble(engine)
    from banet.model.means import calibration_of_mean

    margins = [margin_of(model.config.space_kernels) for model in models]
    calibration = models[0].calibration
    if len(models) > 1:
        calibration = calibration_of_mean(model.weights_sha256 for model in models)
    lost = calibration is None and any(model.calibration for model in models)
    return Ensemble(
        engine,
        tuple(
            {"name": model.name, "sha256": model.weights_sha256 or _fingerprint(model)} for model in models
        ),
        (max(lead for lead, _ in margins), max(trail for _, trail in margins)),
        max(model.config.multiple[1] for model in models),
        min(_tile(engine, model) for model in models),
        calibration,
        tuple(m.name for m in models if "training_chips" in m.card and m.calibration is None),
        tuple(m.name for m in models) if lost else (),
    )


def _tile(engine: Predictor, model: BANet) -> int:
    """Return the edge of a tile: larger where a cell takes less memory."""
    backend = getattr(engine, "backend", None)
    size = 2 if backend is not None and backend.name == "bfloat16" else 4
    wide = bool(model.config.memory) and model.config.width * size > WIDE_BYTES
    return SMALLER_TILE if wide else TILE


def _fingerprint(model: BANet) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
