"""Small files beside the sums of a map: what its picture needs, and replays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.errors import UnreadableFileError
from banet.evaluation.compare import Comparison
from banet.evaluation.convergence import Convergence
from banet.grid.region import Region
from banet.io.files import writing

__all__ = ["Sides", "load_arrays", "load_replay", "load_sides"]
__all__ += ["save_arrays", "save_replay", "save_sides", "shown_sides"]

_DAMAGED = (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)

Sides = tuple[BurnedArea, BurnedArea]
"""A reference and a map as a picture shows them: only what is scored."""


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole or not at all."""
    with writing(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of an .npz file; an UnreadableFileError says that it is not there or damaged."""
    try:
        # Checksums first: numpy reads a damaged header before it meets them.
        with zipfile.ZipFile(path) as packed:
            if (bad := packed.testzip()) is not None:
                raise zipfile.BadZipFile(f"the checksum of {bad} does not fit")
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except _DAMAGED as error:
        raise UnreadableFileError(f"{path.name} cannot be read: {error}") from error


def shown_sides(pair: Comparison, water: npt.NDArray[np.bool_]) -> Sides:
    """Return what is scored of a comparison; water is left out where it is of another grid."""
    wet = water if water.shape == pair.valid.shape else np.zeros(pair.valid.shape, bool)
    planes = ((pair.reference_burned, pair.reference_date), (pair.map_burned, pair.map_date))
    never = np.datetime64("NaT", "D")
    dates = [np.where(burned & pair.valid, date, never) for burned, date in planes]
    return _sides(pair.region, (pair.start, pair.stop), pair.valid, wet, dates)


def _sides(region: Region, days: Any, valid: Any, water: Any, dates: Any) -> Sides:
    seen = {"observed_days": valid.astype(np.int16), "water": water}
    reference, mapped = (BurnedArea.from_dates(region, days[0], days[1], date, **seen) for date in dates)
    return reference, mapped


def save_sides(path: Path, sides: Sides) -> None:
    """Write what a picture shows beside the sums of `path`."""
    one, region = sides[0], sides[0].region
    arrays = {"region": np.array([*region.bbox, region.pixel_size]), "name": np.array(region.name)}
    arrays |= {"days": np.array([one.start, one.stop]), "valid": one.observed_days > 0, "water": one.water}
    save_arrays(_beside(path), arrays | {"dates": np.stack([side.burn_date for side in sides])})


def load_sides(path: Path) -> Sides:
    """Read what `save_sides` wrote beside the sums of `path`; errors as `load_arrays`."""
    held = load_arrays(_beside(path))
    west, south, east, north, size = map(float, held["region"])
    region = Region(str(held["name"]), (west, south, east, north), size)
    return _sides(region, held["days"], held["valid"], held["water"], held["dates"])


def _beside(path: Path) -> Path:
    return path.with_suffix(".sides.npz")


def save_replay(convergence: Convergence, path: Path) -> None:
    """Write a replay."""
    save_arrays(path, {"sums": convergence.sums, "fires": np.asarray(convergence.fires)})


def load_replay(path: Path) -> Convergence:
    """Read a replay; errors as `load_arrays`."""
    held = load_arrays(path)
    return Convergence(held["sums"], held["fires"].view(np.recarray))
