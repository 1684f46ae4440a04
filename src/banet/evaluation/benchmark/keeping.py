"""Small files beside the sums: a sketch of each map for pictures, and replays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import UnreadableFileError
from banet.evaluation.compare import Comparison
from banet.evaluation.convergence import Convergence, FirstMapped
from banet.grid.region import Region
from banet.io.files import writing

__all__ = ["Sketch", "load_replay", "load_sketch", "save_replay", "save_sketch"]

_NAT = np.datetime64("NaT", "D")


@dataclass(frozen=True, eq=False)
class Sketch:
    """A map and its reference as a picture shows them.

    Attributes:
        region: the grid.
        start, stop: days compared, half-open.
        valid: cells that count, (rows, columns) bool.
        water: (rows, columns) bool.
        map_date, reference_date: (rows, columns) datetime64[D], NaT where not burned.
    """

    region: Region
    start: np.datetime64
    stop: np.datetime64
    valid: npt.NDArray[np.bool_]
    water: npt.NDArray[np.bool_]
    map_date: Days
    reference_date: Days


def save_sketch(pair: Comparison, path: Path, water: npt.NDArray[np.bool_]) -> None:
    """Keep what pictures need of a comparison and the water mask in a file beside `path`."""
    region = pair.region
    if pair.start is None or pair.stop is None:
        raise UnreadableFileError(f"the comparison of {region.name} has no period; it cannot be drawn")
    _save(
        _beside(path, "sketch"),
        {
            "region": np.array([*region.bbox, region.pixel_size]),
            "name": np.array(region.name),
            "days": np.array([pair.start, pair.stop]).astype("datetime64[D]").astype(np.int64),
            "valid": pair.valid,
            "water": water,
            "map": _offsets(np.where(pair.map_burned, pair.map_date, _NAT), pair.start),
            "reference": _offsets(np.where(pair.reference_burned, pair.reference_date, _NAT), pair.start),
        },
    )


def load_sketch(path: Path) -> Sketch:
    """Read what `save_sketch` kept.

    Raises:
        UnreadableFileError: if it is not there or damaged.
    """
    held = _load(_beside(path, "sketch"))
    start, stop = held["days"].astype("datetime64[D]")
    west, south, east, north, size = (float(v) for v in held["region"])
    region = Region(str(held["name"]), (west, south, east, north), size)
    return Sketch(
        region,
        start,
        stop,
        held["valid"],
        held["water"],
        _dates(held["map"], start),
        _dates(held["reference"], start),
    )


def save_replay(convergence: Convergence, path: Path, name: str) -> None:
    """Write a replay."""
    fires = convergence.fires
    _save(
        path,
        {
            "name": np.array(name),
            "sums": convergence.sums,
            "area": np.array([fire.area_ha for fire in fires], np.float64),
            "started": np.array([fire.started for fire in fires], "datetime64[D]").astype(np.int64),
            # NaT, for a fire that was never mapped, is the smallest whole number.
            "mapped": np.array(
                [_NAT if fire.mapped is None else fire.mapped for fire in fires], "datetime64[D]"
            ).astype(np.int64),
            "followed": np.array([fire.followed for fire in fires], np.int64),
        },
    )


def load_replay(path: Path) -> Convergence:
    """Read a replay.

    Raises:
        UnreadableFileError: if it is not there or damaged.
    """
    held = _load(path)
    started = held["started"].astype("datetime64[D]")
    mapped = held["mapped"].astype("datetime64[D]")
    fires = tuple(
        FirstMapped(float(area), start, None if np.isnat(day) else day, int(followed))
        for area, start, day, followed in zip(held["area"], started, mapped, held["followed"], strict=True)
    )
    return Convergence(held["sums"], fires)


def _beside(path: Path, kind: str) -> Path:
    return path.with_suffix(f".{kind}.npz")


def _offsets(date: Days, start: np.datetime64) -> npt.NDArray[np.int16]:
    return np.where(np.isnat(date), -1, (date - start).astype(np.int64)).astype(np.int16)


def _dates(offset: npt.NDArray[np.int16], start: np.datetime64) -> Days:
    return np.where(offset < 0, _NAT, start + np.maximum(offset, 0).astype("timedelta64[D]"))


def _save(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    with writing(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def _load(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UnreadableFileError(f"{path.name} cannot be read: {error}") from error
