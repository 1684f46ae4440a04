"""A season of the benchmark on disk: what the satellite saw, and the truth, simulated once and used again."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.cube import Cube
from banet.errors import BanetError
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.io.files import writing

if TYPE_CHECKING:
    from banet.simulation import Scene

__all__ = ["Stage", "code_hash", "open_stage", "write_cube"]

_DONE = "stage.json"


@dataclass(frozen=True, eq=False)
class Stage:
    """A season ready to be mapped and scored.

    Attributes:
        scene: which one.
        cube: what the satellite saw.
        truth: what burned.
        cover: most frequent land cover of each cell, (rows, columns) uint8, as the simulator numbers them.
    """

    scene: BenchmarkScene
    cube: Cube
    truth: BurnedArea
    cover: npt.NDArray[np.uint8]


def open_stage(scene: BenchmarkScene, cache: Path) -> Stage:
    """Open a season of the cache; simulate it first where it is not there.

    The folder's name holds a hash of the season and of the simulator's code, so that a scene of another
    simulator is never taken for this one.

    Args:
        scene: which one.
        cache: folder of seasons.
    """
    key = hashlib.sha256(f"{scene} {code_hash(('simulation', 'grid', 'cube'))}".encode()).hexdigest()
    folder = cache / f"{scene.name}-{key[:12]}"
    if not (folder / _DONE).is_file():
        with writing(folder) as part:
            part.mkdir()
            _write(scene, part)
    return _read(scene, folder)


@functools.cache
def code_hash(parts: tuple[str, ...]) -> str:
    """Return the SHA-256 of the source of some parts (files or folders) of the package, in hexadecimal."""
    digest = hashlib.sha256()
    root = Path(str(importlib.resources.files("banet")))
    for name in parts:
        place = root / name
        for file in sorted(_sources(place)):
            digest.update(str(file.relative_to(root)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(place: Path) -> Iterable[Path]:
    return [place] if place.is_file() else place.rglob("*.py")


def _write(scene: BenchmarkScene, folder: Path) -> None:
    simulated = scene.simulate()
    write_cube(simulated, folder / "cube.zarr")
    truth = simulated.truth()
    dated = truth.dates()
    planes: dict[str, npt.NDArray[Any]] = {
        "row": dated.row,
        "column": dated.col,
        "day": dated.day.astype(np.int64),
        "fraction": dated.fraction,
        "water": simulated.water,
        "cover": simulated.land_cover,
    }
    np.savez_compressed(folder / "truth.npz", allow_pickle=False, **planes)
    about = {"name": scene.name, "start": str(simulated.days[0]), "stop": str(simulated.days[-1] + 1)}
    (folder / _DONE).write_text(json.dumps(about) + "\n", encoding="utf-8")


def _read(scene: BenchmarkScene, folder: Path) -> Stage:
    try:
        about = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        cube = Cube.open(folder / "cube.zarr")
        with np.load(folder / "truth.npz", allow_pickle=False) as held:
            planes = {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError, BanetError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BanetError(
            f"the season {folder.name} in the cache was damaged and is removed: {error}"
        ) from error
    days = planes["day"].astype("datetime64[D]")
    dated = DatedFractions.from_pieces(
        cube.region, planes["row"], planes["column"], days, planes["fraction"], np.zeros(days.size)
    )
    water = planes["water"].astype(bool)
    truth = BurnedArea.from_dated(
        dated,
        name="simulated truth",
        known=~water,
        start=np.datetime64(about["start"], "D"),
        stop=np.datetime64(about["stop"], "D"),
        water=water,
    )
    return Stage(scene, cube, truth, planes["cover"])


def write_cube(scene: Scene, path: Path) -> Cube:
    """Write what the satellite saw of a simulated scene as a cube.

    Args:
        scene: simulated.
        path: of the cube.
    """
    from banet.observations.planes import DayPlanes

    with writing(path) as part:
        cube = Cube.create(part, scene.region, sensor="simulated VIIRS", mir_band="M12")
        with cube.writing():
            for k, day in enumerate(scene.days):
                seen = np.isfinite(scene.red[k]) & np.isfinite(scene.nir[k]) & np.isfinite(scene.mir[k])
                planes = DayPlanes(
                    scene.red[k], scene.nir[k], scene.mir[k], scene.view_zenith[k], seen.astype(np.uint8)
                )
                cube.write_day(day, planes, scene.frp[k])
        cube.set_water(scene.water)
    return Cube.open(path)
