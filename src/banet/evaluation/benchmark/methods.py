"""Methods that the benchmark scores: baselines, and networks with all inputs or some withheld."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from banet.days import Day
from banet.errors import BanetWarning, InputError, NotFoundError
from banet.evaluation.baselines import active_fires, grown_fires, index_drop
from banet.labels.reading import labelled

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.cube.withheld import Input
    from banet.model import BANet

__all__ = [
    "ORIGINAL",
    "WITHHELD",
    "Candidate",
    "Inputs",
    "Mapper",
    "Method",
    "baselines",
    "candidates",
    "map_with",
    "networks",
    "original_network",
]

Mapper = Callable[["Cube", Day, Day], "BurnedArea"]
"""Maps a cube from the first to the last day, both included; must be importable by name to run in workers."""

Inputs = Literal["all", "no hot spots", "no images"]
WITHHELD: dict[Inputs, tuple[Input, ...]] = {
    "all": (),
    "no hot spots": ("hotspots",),
    "no images": ("images",),
}
"""What `Cube.without` takes away for each choice of inputs."""

ORIGINAL = "banetv0.20-val2017"
"""The published weights that the original takes by default."""


@dataclass(frozen=True)
class Method:
    """Something that maps.

    Attributes:
        name: in tables.
        mapper: what maps a cube.
        identity: tells it from every other method and from the same with other weights.
        candidate: name of the weights, empty for baselines.
        inputs: which inputs the network was given.
        daily: maps the last 64 days up to and including a day; None for what is not replayed day by day.
    """

    name: str
    mapper: Mapper
    identity: str
    candidate: str = ""
    inputs: Inputs = "all"
    daily: Callable[[Cube, Day], BurnedArea] | None = None


def active_fires_until(cube: Cube, day: Day) -> BurnedArea:
    """Map the active fires of the last 64 days up to and including a day."""
    return active_fires(cube, day - np.timedelta64(63, "D"), day)


def baselines() -> tuple[Method, ...]:
    """Return what needs no network."""
    mappers: dict[str, Mapper] = {
        "active fires": active_fires,
        "grown active fires": grown_fires,
        "grown and confirmed active fires": functools.partial(grown_fires, confirm=True),
        "index drop": index_drop,
    }
    daily = {"active fires": active_fires_until}
    return tuple(Method(name, mapper, name, daily=daily.get(name)) for name, mapper in mappers.items())


@dataclass(frozen=True)
class Candidate:
    """Weights to score: one network, or several whose probabilities are averaged.

    Attributes:
        name: in tables.
        weights: names or paths.
        sha256: of each file.
        parameters: of all networks.
    """

    name: str
    weights: tuple[str, ...]
    sha256: tuple[str, ...]
    parameters: int

    @classmethod
    def of(cls, name: str, weights: Sequence[str]) -> Candidate:
        """Read the weights once, so that a wrong name or a damaged file shows before hours of work.

        Raises:
            NotFoundError, UnreadableFileError, InputError: as `banet.model.load_model`.
        """
        from banet.model import load_models

        models = load_models(list(weights))
        parameters = sum(sum(p.numel() for p in model.parameters()) for model in models)
        return cls(name, tuple(weights), tuple(model.weights_sha256 for model in models), parameters)

    def to_dict(self) -> dict[str, Any]:
        """Return what identifies it, without folders."""
        names = [Path(one).name for one in self.weights]
        return {"weights": names, "sha256": list(self.sha256), "parameters": self.parameters}


def candidates(asked: Sequence[str]) -> tuple[Candidate, ...]:
    """Read candidates, each a name or path, `A+B` for an ensemble, LABEL=WEIGHTS to name it; commas separate.

    Raises:
        InputError: if two have the same name.
        NotFoundError, UnreadableFileError, InputError: as `banet.model.load_model`.
    """
    split = [labelled(text) for one in asked for text in one.split(",") if text.strip()]
    files = [[Path(part.strip()) for part in weights.split("+")] for _, weights in split]
    plain = ["+".join(map(_stem, weights)) for weights in files]
    found: dict[str, Candidate] = {}
    for (label, _), weights, name in zip(split, files, plain, strict=True):
        # Runs all call their file weights.safetensors: their folders tell them apart.
        folders = "+".join(f"{one.parent.name}/{_stem(one)}".lstrip("/") for one in weights)
        candidate = Candidate.of(
            label or (name if plain.count(name) == 1 else folders), list(map(str, weights))
        )
        if candidate.name in found:
            raise InputError(f"two candidates are called {candidate.name}; name them with LABEL=PATH")
        found[candidate.name] = candidate
    return tuple(found.values())


def _stem(weights: Path) -> str:
    return weights.name.removesuffix(".safetensors").removesuffix(".pth")


def networks(candidate: Candidate, inputs: Sequence[Inputs] = tuple(WITHHELD)) -> tuple[Method, ...]:
    """Return the methods that map with a candidate, one for each choice of inputs."""
    return tuple(
        Method(
            candidate.name if each == "all" else f"{candidate.name}, {each}",
            functools.partial(map_with, weights=candidate.weights, inputs=each),
            " ".join((*candidate.sha256, each)),
            candidate.name,
            each,
            functools.partial(map_day_with, weights=candidate.weights) if each == "all" else None,
        )
        for each in inputs
    )


def map_with(
    cube: Cube, first: Day, last: Day, *, weights: tuple[str, ...], inputs: Inputs = "all", **options: Any
) -> BurnedArea:
    """Map with a network as `banet map` does with the same options.

    With the images withheld the original's tiling is taken: the seamless one maps only cells that
    were observed, and without images those would be the cells of the hot spots alone.
    """
    from banet.mapping import map_burned

    months = first.astype("datetime64[M]"), last.astype("datetime64[M]")
    if inputs == "no images":
        edge = -(-max(cube.region.shape) // 32) * 32
        # One tile with a rim where that does, else those of the original.
        tile, step = (edge + 32, edge) if edge <= 128 else (128, 100)
        options = {"tiling": "original", "tile": tile, "step": step} | options
    return _quiet(map_burned, cube.without(*WITHHELD[inputs]), *months, _loaded(weights), **options)


def map_day_with(cube: Cube, day: Day, *, weights: tuple[str, ...]) -> BurnedArea:
    """Map in near real time: the last 64 days up to and including a day."""
    from banet.mapping import map_nrt

    return _quiet(map_nrt, cube, day, _loaded(weights))


def _quiet(mapper: Callable[..., BurnedArea], *given: Any, **options: Any) -> BurnedArea:
    """Map without warnings: seasons hold a part of their months, and `attrs` keeps the notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BanetWarning)
        return mapper(*given, **options)


@functools.lru_cache(maxsize=4)
def _loaded(weights: tuple[str, ...]) -> tuple[BANet, ...]:
    """Keep networks in memory from one season to the next."""
    from banet.model import load_models

    return load_models(list(weights))


def original_network(weights: str | None = None) -> Method | None:
    """Return the original network with the rules of Pinto et al. (2020), None where its weights are not here.

    The rules are tiles of 128 every 100 cells, their plain mean, and a sum over the month of at least 0.5.

    Args:
        weights: name or path; None looks for the published ones that `banet download weights` fetches.

    Raises:
        NotFoundError: if a name or path was given and there is nothing.
    """
    names = tuple((weights or ORIGINAL).split("+"))
    try:
        candidate = Candidate.of("original network, original rules", names)
    except NotFoundError:
        if weights is not None:
            raise
        return None
    mapper = functools.partial(map_with, weights=names, tiling="original", threshold=0.5)
    return Method(candidate.name, mapper, " ".join((*candidate.sha256, "original")))
