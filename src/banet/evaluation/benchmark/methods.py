"""Methods that the benchmark scores: baselines, and networks with all inputs or some withheld."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from banet.days import Day
from banet.errors import BanetWarning, InputError, NotFoundError
from banet.evaluation.baselines import active_fires, grown_fires, index_drop

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.cube.withheld import Input
    from banet.model import BANet

__all__ = [
    "INPUTS",
    "ORIGINAL",
    "WITHHELD",
    "Candidate",
    "Inputs",
    "Mapper",
    "Method",
    "active_fires_until",
    "baselines",
    "candidates",
    "map_as_original",
    "map_day_with",
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
INPUTS = tuple(WITHHELD)

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

    @property
    def slug(self) -> str:
        """A name for files: no two methods share one."""
        clean = "".join(c if c.isalnum() else "-" for c in self.name)
        return f"{clean[:60]}-{hashlib.sha256(f'{self.name} {self.identity}'.encode()).hexdigest()[:10]}"


def baselines() -> tuple[Method, ...]:
    """Return what needs no network."""
    return (
        Method("active fires", active_fires, "active fires", daily=active_fires_until),
        Method("grown active fires", grown_fires, "grown active fires"),
        Method(
            "grown and confirmed active fires",
            functools.partial(grown_fires, confirm=True),
            "grown and confirmed active fires",
        ),
        Method("index drop", index_drop, "index drop"),
    )


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
    """Read candidates from text.

    Args:
        asked: each a name or path, or several joined by `+` for an ensemble; `LABEL=` before it names it in
            tables. Commas separate candidates.

    Raises:
        InputError: if two have the same name.
        NotFoundError, UnreadableFileError, InputError: as `banet.model.load_model`.
    """
    texts = [text.strip() for one in asked for text in one.split(",") if text.strip()]
    split = [_label(text) for text in texts]
    plain = [label or _stem(weights) for label, weights in split]
    found = []
    for (label, weights), name in zip(split, plain, strict=True):
        # Runs all call their file weights.safetensors: their folders tell them apart.
        unique = label or (name if plain.count(name) == 1 else "+".join(_with_folder(w) for w in weights))
        found.append(Candidate.of(unique, weights))
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two candidates are called {twice[0]}; name them with LABEL=PATH")
    return tuple(found)


def _label(text: str) -> tuple[str, tuple[str, ...]]:
    label, found, rest = text.partition("=")
    weights = rest if found else text
    return (label.strip() if found else ""), tuple(part.strip() for part in weights.split("+"))


def _stem(weights: Sequence[str]) -> str:
    return "+".join(Path(w).name.removesuffix(".safetensors").removesuffix(".pth") for w in weights)


def _with_folder(weights: str) -> str:
    return f"{Path(weights).parent.name}/{_stem((weights,))}".lstrip("/")


def networks(candidate: Candidate, inputs: Sequence[Inputs] = INPUTS) -> tuple[Method, ...]:
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
    cube: Cube, first: Day, last: Day, *, weights: tuple[str, ...], inputs: Inputs = "all"
) -> BurnedArea:
    """Map with a network as `banet map` does.

    With the images withheld the original's tiling is taken: the seamless one maps only cells that
    were observed, and without images those would be the cells of the hot spots alone.
    """
    from banet.mapping import map_burned

    months = first.astype("datetime64[M]"), last.astype("datetime64[M]")
    seen = cube.without(*WITHHELD[inputs])
    if inputs == "no images":
        edge = -(-max(cube.region.shape) // 32) * 32
        # One tile with a rim where that does, else those of the original.
        tile, step = (edge + 32, edge) if edge <= 128 else (128, 100)
        return _quiet(map_burned, seen, *months, _loaded(weights), tiling="original", tile=tile, step=step)
    return _quiet(map_burned, seen, *months, _loaded(weights))


def map_day_with(cube: Cube, day: Day, *, weights: tuple[str, ...]) -> BurnedArea:
    """Map in near real time: the last 64 days up to and including a day."""
    from banet.mapping import map_nrt

    return _quiet(map_nrt, cube, day, _loaded(weights))


def _quiet(mapper: Callable[..., BurnedArea], *given: Any, **options: Any) -> BurnedArea:
    """Map without warnings: seasons hold a part of their months, and `attrs` keeps the notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BanetWarning)
        return mapper(*given, **options)


def active_fires_until(cube: Cube, day: Day) -> BurnedArea:
    """Map the active fires of the last 64 days up to and including a day."""
    return active_fires(cube, day - np.timedelta64(63, "D"), day)


@functools.lru_cache(maxsize=4)
def _loaded(weights: tuple[str, ...]) -> tuple[BANet, ...]:
    """Keep networks in memory from one season to the next."""
    from banet.model import load_models

    return load_models(list(weights))


def map_as_original(cube: Cube, first: Day, last: Day, *, weights: tuple[str, ...]) -> BurnedArea:
    """Map by the rules of Pinto et al. (2020): tiles of 128 every 100 cells, plain mean, sum over 0.5."""
    from banet.mapping import map_burned

    months = first.astype("datetime64[M]"), last.astype("datetime64[M]")
    return _quiet(map_burned, cube, *months, _loaded(weights), tiling="original", threshold=0.5)


def original_network(weights: str | None = None) -> Method | None:
    """Return the original network with the original rules, or None where its weights are not at hand.

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
    return Method(
        candidate.name,
        functools.partial(map_as_original, weights=names),
        " ".join((*candidate.sha256, "original")),
    )
