"""From whatever names a network to something that gives daily probabilities."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from banet.errors import InputError

if TYPE_CHECKING:
    from banet.model.config import InputSpec
    from banet.model.network import BANet

__all__ = ["Ensemble", "Predictor", "Weights", "as_ensemble"]


class Predictor(Protocol):
    """What gives daily probabilities: an `Engine`, or anything that does the same."""

    @property
    def spec(self) -> InputSpec:
        """How its input is scaled."""
        ...

    def probabilities(self, x: npt.NDArray[np.float32], /) -> npt.NDArray[np.float32]:
        """Map normalised (channels, T, H, W) to the probability of burning on each day, (T, H, W)."""
        ...


Weights = "str | os.PathLike[str] | BANet | Predictor | Sequence[str | os.PathLike[str] | BANet]"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks whose probabilities are averaged, and what is known of them.

    Attributes:
        engine: computes them.
        spec: how their input is scaled.
        members: name and SHA-256 of each one's weights.
        space_kernels: of each stage, from which the margin of a tile follows; None where not known.
    """

    engine: Predictor
    spec: InputSpec
    members: tuple[Mapping[str, str], ...]
    space_kernels: tuple[int, ...] | None = None


def as_ensemble(weights: Any) -> Ensemble:
    """Make an ensemble from names or paths of weights, networks, several of either, or an engine.

    Raises:
        InputError: if there is none, or the networks want their input scaled differently.
        NotFoundError: if there are no weights of that name.
    """
    if hasattr(weights, "probabilities"):
        models: Sequence[Any] = tuple(getattr(weights, "models", ()))
        return Ensemble(weights, weights.spec, _members(models), _kernels(weights))
    from banet.model.engine import Engine

    models = _models(weights)
    first = models[0]
    for model in models[1:]:
        if model.spec != first.spec:
            raise InputError(
                f"weights {model.name!r} and {first.name!r} scale their input differently; map each alone"
            )
    return Ensemble(Engine(models), first.spec, _members(models), _kernels(first))


def _models(weights: Any) -> list[BANet]:
    from banet.model.weights import load_models

    asked = (
        [weights] if isinstance(weights, (str, os.PathLike)) or hasattr(weights, "forward") else list(weights)
    )
    if not asked:
        raise InputError("no weights to map with; give at least one name, path or network")
    models: list[BANet] = []
    for one in asked:
        models += load_models(one) if isinstance(one, (str, os.PathLike)) else [one.eval()]
    return models


def _members(models: Sequence[Any]) -> tuple[Mapping[str, str], ...]:
    return tuple({"name": str(model.name), "sha256": str(model.weights_sha256)} for model in models)


def _kernels(owner: Any) -> tuple[int, ...] | None:
    config = getattr(owner, "config", None)
    return None if config is None else tuple(config.space_kernels)
