"""Small files beside the sums of a map: what its picture needs, and replays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import UnreadableFileError
from banet.evaluation.compare import Comparison
from banet.evaluation.convergence import Convergence, FirstMapped
from banet.grid.region import Region
from banet.io.files import writing

__all__ = ["Sketch", "load_arrays", "load_replay", "save_arrays", "save_replay"]

_NAT = np.datetime64("NaT", "D")


def save_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole or not at all."""
    with writing(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of an .npz file.

    Raises:
        UnreadableFileError: if it is not there or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UnreadableFileError(f"{path.name} cannot be read: {error}") from error


@dataclass(frozen=True, eq=False)
class Sketch:
    """A map and its reference as a picture shows them: only what is scored.

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

    @classmethod
    def of(cls, pair: Comparison, water: npt.NDArray[np.bool_] | None = None) -> Self:
        """Take what is scored of a comparison; without a period, its days are those of its dates."""
        dates = [
            np.where(pair.map_burned, pair.map_date, _NAT),
            np.where(pair.reference_burned, pair.reference_date, _NAT),
        ]
        known = np.concatenate([date[~np.isnat(date)] for date in dates])
        first, last = (known.min(), known.max()) if known.size else (np.datetime64("2000-01-01"),) * 2
        wet = np.zeros(pair.valid.shape, bool) if water is None or water.shape != pair.valid.shape else water
        start = first if pair.start is None else pair.start
        stop = last + 1 if pair.stop is None else pair.stop
        return cls(pair.region, start, stop, pair.valid, wet, *dates)

    def save(self, path: Path) -> None:
        """Write it beside the sums of `path`."""
        days = np.array([self.start, self.stop]).astype("datetime64[D]")
        arrays = {
            "region": np.array([*self.region.bbox, self.region.pixel_size]),
            "name": np.array(self.region.name),
            "days": days.astype(np.int64),
            "valid": self.valid,
            "water": self.water,
            "map": _offsets(self.map_date, self.start),
            "reference": _offsets(self.reference_date, self.start),
        }
        save_arrays(_beside(path), arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote beside the sums of `path`.

        Raises:
            UnreadableFileError: if it is not there or damaged.
        """
        held = load_arrays(_beside(path))
        start, stop = held["days"].astype("datetime64[D]")
        west, south, east, north, size = (float(v) for v in held["region"])
        region = Region(str(held["name"]), (west, south, east, north), size)
        dates = [_dates(held[name], start) for name in ("map", "reference")]
        return cls(region, start, stop, held["valid"], held["water"], *dates)


def save_replay(convergence: Convergence, path: Path) -> None:
    """Write a replay."""
    fires = convergence.fires
    mapped = [_NAT if fire.mapped is None else fire.mapped for fire in fires]
    arrays = {
        "sums": convergence.sums,
        "area": np.array([fire.area_ha for fire in fires], np.float64),
        "started": np.array([fire.started for fire in fires], "datetime64[D]").astype(np.int64),
        # NaT, for a fire that was never mapped, is the smallest whole number.
        "mapped": np.array(mapped, "datetime64[D]").astype(np.int64),
        "followed": np.array([fire.followed for fire in fires], np.int64),
    }
    save_arrays(path, arrays)


def load_replay(path: Path) -> Convergence:
    """Read a replay.

    Raises:
        UnreadableFileError: if it is not there or damaged.
    """
    held = load_arrays(path)
    started, mapped = (held[name].astype("datetime64[D]") for name in ("started", "mapped"))
    fires = tuple(
        FirstMapped(float(area), start, None if np.isnat(day) else day, int(followed))
        for area, start, day, followed in zip(held["area"], started, mapped, held["followed"], strict=True)
    )
    return Convergence(held["sums"], fires)


def _beside(path: Path) -> Path:
    return path.with_suffix(".sketch.npz")


def _offsets(date: Days, start: np.datetime64) -> npt.NDArray[np.int16]:
    return np.where(np.isnat(date), -1, (date - start).astype(np.int64)).astype(np.int16)


def _dates(offset: npt.NDArray[np.int16], start: np.datetime64) -> Days:
    return np.where(offset < 0, _NAT, start + np.maximum(offset, 0).astype("timedelta64[D]"))
