"""State that a morning hands to the next: names of fires, their cells, and the observations of its map."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import Day, as_day
from banet.errors import InputError, UnreadableFileError, one_line
from banet.grid.region import Region
from banet.io.arrays import load_arrays, save_arrays
from banet.io.files import PathLike
from banet.operations.identity import Cells, KnownFire, Register, Status
from banet.operations.revisions import Looks

__all__ = [
    "RUN_OPTIONS",
    "MorningState",
    "check_owner",
    "dated_folders",
    "holds_mornings",
    "holds_run",
    "newest_before",
]

RUN_OPTIONS = "run.yaml"
"""File that an archive run leaves in its folder before anything else."""
_FORMAT = "banet-morning/2"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, eq=False)
class MorningState:
    """State of a morning when it was done.

    Attributes:
        region: the grid.
        map_name: file name of the NetCDF map beside the state.
        register: the fires by name.
        fraction: last known burned fraction of each cell of a fire, (rows, columns) float32; NaN elsewhere.
        uncertainty: of the date of each such cell in days, (rows, columns) uint8; 255 elsewhere.
        looks: observations that the map was made from.
    """

    region: Region
    map_name: str
    register: Register
    fraction: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.uint8]
    looks: Looks

    def save(self, path: PathLike) -> Path:
        """Write it; an equal state gives equal bytes.

        Raises:
            OutputError: if it cannot be written.
        """
        fires = list(self.register.fires.values())
        cells = [fire.cells for fire in fires]
        place = np.flatnonzero(np.isfinite(self.fraction))
        about = {
            "format": _FORMAT,
            "region": self.region.to_dict(),
            "map": self.map_name,
            "morning": str(self.register.morning),
            "weights": self.looks.weights,
            "contents": list(self.looks.contents),
            "settings": dict(self.looks.settings),
            "fires": [_about(fire) for fire in fires],
        }
        target = Path(path)
        arrays = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "place": np.concatenate([one.place for one in cells] or [np.zeros(0, np.int64)]),
            "day": np.concatenate([one.day for one in cells] or [np.zeros(0, np.int64)]),
            "known": place,
            "fraction": self.fraction.ravel()[place],
            "uncertainty": self.uncertainty.ravel()[place],
            "days": self.looks.days.astype(np.int64),
            "observed": self.looks.observed,
            "hotspot": self.looks.hotspot,
        }
        save_arrays(target, arrays)
        return target

    @classmethod
    def load(cls, path: PathLike) -> MorningState:
        """Read what `save` wrote.

        Raises:
            UnreadableFileError: if the file is damaged or of another format.
        """
        try:
            arrays = load_arrays(Path(path))
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != _FORMAT:
                raise UnreadableFileError(f"its format is {about['format']}, not {_FORMAT}")
            return cls._of(about, arrays)
        except Exception as error:
            raise UnreadableFileError(
                f"{path} is damaged ({one_line(error)}); remove its folder and run its day again"
            ) from error

    @classmethod
    def _of(cls, about: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> MorningState:
        region = Region.from_dict(about["region"])
        fraction = np.full(region.shape, np.nan, np.float32)
        uncertainty = np.full(region.shape, NO_UNCERTAINTY, np.uint8)
        fraction.flat[arrays["known"]] = arrays["fraction"]
        uncertainty.flat[arrays["known"]] = arrays["uncertainty"]
        fires, first = {}, 0
        for one in about["fires"]:
            part = slice(first, first + one["cells"])
            fires[one["id"]] = _fire(one, Cells(arrays["place"][part], arrays["day"][part]))
            first = part.stop
        register = Register(fires, as_day(about["morning"]))
        days = arrays["days"].astype("datetime64[D]")
        told = about["weights"], tuple(about["contents"]), about.get("settings", {})
        looks = Looks(days, arrays["observed"], arrays["hotspot"], *told)
        return cls(region, about["map"], register, fraction, uncertainty, looks)


def _about(fire: KnownFire) -> dict[str, Any]:
    return {
        "id": fire.id,
        "cells": int(fire.cells.place.size),
        "first_seen": str(fire.first_seen),
        "last_grown": str(fire.last_grown),
        "status": str(fire.status),
        "merged": list(fire.merged),
        "into": fire.into,
    }


def _fire(about: dict[str, Any], cells: Cells) -> KnownFire:
    return KnownFire(
        about["id"],
        cells,
        as_day(about["first_seen"]),
        as_day(about["last_grown"]),
        Status(about["status"]),
        tuple(about["merged"]),
        about["into"],
    )


def dated_folders(out: PathLike) -> dict[Day, Path]:
    """Return the folders of mornings by day, the earliest first."""
    place = Path(out)
    found = place.iterdir() if place.is_dir() else ()
    dated = {as_day(one.name): one for one in found if _DAY.fullmatch(one.name) and one.is_dir()}
    return {day: dated[day] for day in sorted(dated)}


def holds_run(out: PathLike) -> bool:
    """Tell whether a folder is that of an archive run (`banet run`)."""
    return (Path(out) / RUN_OPTIONS).is_file()


def holds_mornings(out: PathLike) -> bool:
    """Tell whether a folder holds mornings (`banet nrt`), or the status of one that failed."""
    if any(any(folder.glob("*_state.npz")) for folder in dated_folders(out).values()):
        return True
    return said(Path(out) / "status.json", "day") is not None


def check_owner(out: PathLike, region: Region) -> None:
    """Make sure that a folder holds mornings of one region alone.

    Raises:
        InputError: if it is the folder of an archive run, or a morning in it is of another name.
    """
    if holds_run(out):
        raise InputError(
            f"{out} holds a run of banet run ({RUN_OPTIONS}); give the mornings their own folder"
        )
    for folder in dated_folders(out).values():
        if not (_state_in(folder, region).is_file() or said(folder / "status.json", "region") == region.name):
            raise InputError(f"{folder} holds no morning of {region.name}; give each region its own folder")


def said(file: Path, name: str) -> Any:
    """Return the value of a name in a JSON file; None where there is none, or no such file."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state_in(folder: Path, region: Region) -> Path:
    return folder / f"{region.name}_state.npz"


def newest_before(out: PathLike, day: Day, region: Region) -> tuple[MorningState, Path] | None:
    """Return the state of the newest morning before a day, and its folder; None if there is none.

    Raises:
        InputError: if it is of another region.
        UnreadableFileError: if it is damaged.
    """
    for earlier, folder in reversed(dated_folders(out).items()):
        if earlier >= day:
            continue
        path = _state_in(folder, region)
        if not path.is_file():  # taken away: the one before it is gone on from
            continue
        state = MorningState.load(path)
        if state.region != region:
            raise InputError(f"{folder} is of another box of {region.name}; choose another folder")
        return state, folder
    return None
