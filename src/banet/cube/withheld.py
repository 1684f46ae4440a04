"""Kinds of input and days that a cube does not show, though its store holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from banet.cube.records import DayRecord, Summary
from banet.days import Day
from banet.errors import InputError

__all__ = ["INPUTS", "NOTHING", "Input", "Withheld"]

Input = Literal["hotspots", "images"]
INPUTS: tuple[Input, ...] = ("hotspots", "images")
# What is shown instead of each variable. No hot spots is zero, not missing: a day without a fire, as most
# days are.
_SHOWN: dict[str, dict[str, float]] = {
    "hotspots": {"frp": 0.0},
    "images": {"red": np.nan, "nir": np.nan, "mir": np.nan, "view_zenith": np.nan, "count": 0},
}


@dataclass(frozen=True)
class Withheld:
    """Inputs and days that are withheld.

    Attributes:
        inputs: `hotspots` shows no fire on any day, `images` no reflectance, angle or overpass; sorted.
        days: shown as if the cube lacked them.
    """

    inputs: tuple[Input, ...] = ()
    days: frozenset[Day] = frozenset()

    def __post_init__(self) -> None:
        unknown = [one for one in self.inputs if one not in INPUTS]
        if unknown:
            raise InputError(f"no input {unknown[0]!r} to withhold; there are {', '.join(INPUTS)}")

    def __bool__(self) -> bool:
        return bool(self.inputs or self.days)

    def __str__(self) -> str:
        days = f"{len(self.days)} {'day' if len(self.days) == 1 else 'days'}" if self.days else ""
        return " and ".join([*self.inputs, *filter(None, [days])])

    def also(self, inputs: tuple[Input, ...], days: frozenset[Day]) -> Withheld:
        """Return this with more withheld."""
        added = Withheld(inputs).inputs
        return Withheld(tuple(sorted({*self.inputs, *added})), self.days | days)

    @property
    def shown(self) -> Mapping[str, float]:
        """The one value of each variable that is withheld."""
        return {name: value for what in self.inputs for name, value in _SHOWN[what].items()}

    def plane(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return what is shown of a withheld variable; it takes no memory."""
        dtype = np.uint8 if name == "count" else np.float32
        return np.broadcast_to(np.asarray(self.shown[name], dtype), shape)

    def record(self, record: DayRecord, cells: int) -> DayRecord:
        """Return what is remembered of a day as far as it is shown; cells are those of a plane."""
        if not self.inputs:
            return record
        content = record.content and hashlib.sha256(f"{record.content} {self.inputs}".encode()).hexdigest()
        summaries = dict(record.summaries)
        for name in self.shown.keys() & summaries.keys():
            summaries[name] = Summary(cells, 0.0, 0.0) if name == "frp" else _nothing(name)
        satellites = () if "images" in self.inputs else record.satellites
        return replace(record, content=content, summaries=summaries, satellites=satellites)


NOTHING = Withheld()


def _nothing(name: str) -> Summary:
    return Summary(0, 0.0, 0.0) if name == "count" else Summary(0, None, None)
