"""Precision by age: of the cells that mornings showed, the share that was still shown much later."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import ONE_DAY
from banet.errors import InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file, write_json
from banet.mapping.windows import SEQUENCE_LENGTH
from banet.operations.identity import NEAR_DAYS

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.days import Day

__all__ = ["AFTER", "Precision", "measure"]

AFTER = 30
"""Days after which a cell counts as settled: what is burned then, of the same burning, has stayed."""

_AGES = SEQUENCE_LENGTH - AFTER
_NEAR = np.timedelta64(NEAR_DAYS, "D")
_FEW = 100

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Precision:
    """Cells that mornings showed, by the days on which they had been seen since their burn date.

    Attributes:
        shown: cells with 0, 1, 2, ... such days, (34,) int64.
        stayed: of these, still burned `AFTER` days later and dated within 8 days, as the same burning.
        same: of these, dated within a day.
        weights: SHA-256 of the weights that mapped, joined by blanks.
        source: what was replayed, in words.
    """

    shown: Counts
    stayed: Counts
    same: Counts
    weights: str
    source: str

    @classmethod
    def of(
        cls, early: BurnedArea, since: npt.NDArray[np.uint8], late: BurnedArea, source: str = ""
    ) -> Precision:
        """Count the cells of a morning, except those of days that the later window begins with or lacks.

        What burned on its first days the later map tells badly itself: it saw nothing of before.

        Args:
            early: map of the morning.
            since: days on which each cell was seen since, (rows, columns), 255 where not burned.
            late: map of the morning `AFTER` days later.
            source: of what.
        """
        shown = early.burned & (since != NO_UNCERTAINTY) & (early.burn_date >= late.start + _NEAR)
        age = np.minimum(since[shown], _AGES - 1)
        moved = np.abs(late.burn_date[shown] - early.burn_date[shown])

        def counted(which: npt.NDArray[np.bool_]) -> Counts:
            return np.bincount(age[which], minlength=_AGES).astype(np.int64)

        every = np.ones(age.shape, bool)
        return cls(counted(every), counted(moved <= _NEAR), counted(moved <= ONE_DAY), named(early), source)

    @classmethod
    def join(cls, parts: Iterable[Precision], source: str) -> Precision:
        """Add up counts of maps by the same weights.

        Raises:
            InputError: if there are none, or weights differ.
        """
        each = list(parts)
        if len({one.weights for one in each}) != 1:
            raise InputError(f"{len(each)} counts of maps; they must be some, and by the same weights")
        shown, stayed, same = (
            sum(getattr(one, name) for one in each) for name in ("shown", "stayed", "same")
        )
        return cls(np.asarray(shown), np.asarray(stayed), np.asarray(same), each[0].weights, source)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Share that stayed by days seen since, 0-1, (34,) float64; NaN if no age has 100 cells.

        An age of fewer has that of the one before it, the first ones that of the first with as many.
        """
        enough = np.flatnonzero(self.shown >= _FEW)
        if not enough.size:
            return np.full(_AGES, np.nan)
        age = enough[np.maximum(np.searchsorted(enough, np.arange(_AGES), side="right") - 1, 0)]
        return np.asarray(self.stayed[age] / self.shown[age])

    def percent(self, since: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the share of each burned cell in percent, (rows, columns); 255 where not burned."""
        share = np.round(100 * self.shares)[np.minimum(since, _AGES - 1)].astype(np.uint8)
        return np.where(since == NO_UNCERTAINTY, np.uint8(NO_UNCERTAINTY), share)

    def fits(self, burned: BurnedArea) -> bool:
        """Return whether the weights that mapped are those that were measured."""
        return self.weights == named(burned)

    def save(self, path: PathLike) -> Path:
        """Write it as JSON."""
        fields: dict[str, Any] = {"source": self.source, "weights": self.weights, "after_days": AFTER}
        fields |= {name: getattr(self, name).tolist() for name in ("shown", "stayed", "same")}
        return write_json(path, fields)

    @classmethod
    def load(cls, path: PathLike) -> Precision:
        """Read what `save` wrote.

        Raises:
            NotFoundError: if there is no such file.
            UnreadableFileError: if it holds something else.
        """
        text = existing_file(path, "file of precision by age").read_text(encoding="utf-8")
        return cls._of(text, str(path))

    @classmethod
    def shipped(cls) -> Precision:
        """Return what was measured with the weights that ship, on simulated seasons."""
        file = importlib.resources.files("banet") / "data" / "precision.json"
        return cls._of(file.read_text(encoding="utf-8"), "the table of precision that ships")

    @classmethod
    def _of(cls, text: str, name: str) -> Precision:
        try:
            held = json.loads(text)
            shown, stayed, same = (np.array(held[field], np.int64) for field in ("shown", "stayed", "same"))
            if {one.shape for one in (shown, stayed, same)} != {(_AGES,)} or held["after_days"] != AFTER:
                raise ValueError("the ages are others")
            if shown.max() < _FEW:
                raise ValueError(f"no age of it has {_FEW} cells")
            return cls(shown, stayed, same, str(held["weights"]), str(held["source"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableFileError(f"{name} is no table of precision by age: {error}") from error


def named(burned: BurnedArea) -> str:
    """Return the SHA-256 of the weights that made a map, joined by blanks."""
    found = burned.attrs.get("weights", ())
    return " ".join(str(one["sha256"]) for one in found if isinstance(one, Mapping))


def measure(mornings: Mapping[Day, Path], source: str) -> Precision | None:
    """Return the precision that mornings of a replay show.

    It is None where no two lie `AFTER` days apart, or where they show under 100 cells of every age.

    Args:
        mornings: folder of each.
        source: what was replayed.
    """
    import rasterio

    from banet.burned_area.netcdf import read_map

    parts = []
    for day, folder in mornings.items():
        later = mornings.get(day + AFTER)
        if later is None:
            continue
        early, late = (read_map(next(place.glob("*[0-9].nc"))) for place in (folder, later))
        with rasterio.open(next(folder.glob("*_days_since.tif"))) as raster:
            parts.append(Precision.of(early, raster.read(1), late))
    found = Precision.join(parts, source) if parts else None
    return None if found is None or found.shown.max() < _FEW else found
