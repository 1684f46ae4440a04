"""A season of the benchmark on disk: what the satellite saw, and the truth, simulated once and used again."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.cube import Cube
from banet.days import Day
from banet.errors import BanetError
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.evaluation.compare import Comparison
from banet.evaluation.measures.confounders import PREFIX
from banet.evaluation.measures.gaps import gap_classes
from banet.grid.region import Region
from banet.io.arrays import load_arrays, save_arrays
from banet.io.files import writing

if TYPE_CHECKING:
    from banet.simulation import Scene

__all__ = ["Stage", "code_hash", "open_stage", "simulator_hash", "write_cube", "write_planes"]


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene ready to be mapped and scored.

    Attributes:
        cube: what the satellite saw.
        truth: what burned.
        mapped: first and last day to map, both included.
        classes: of the cells by name, (rows, columns) each: `cover`, the most frequent land cover as the
            simulator numbers them; masks `confounder: NAME` of where something else changed the ground.
        settings: of `compare`.
        block: edge in cells of the blocks for intervals.
    """

    cube: Cube
    truth: BurnedArea
    mapped: tuple[Day, Day]
    classes: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=lambda: {"unobserved": "unburned"})
    block: int = 16

    def known(self, pair: Comparison) -> dict[str, Any]:
        """Return what is known of the cells, as `Pair.of` takes it."""
        if not self.classes:
            return {}
        from banet.simulation.spectra import Cover

        covers = tuple(cover.name.lower() for cover in Cover)
        return {"classes": {"gap": gap_classes(pair, self.cube), **self.classes}, "labels": {"cover": covers}}


def open_stage(scene: BenchmarkScene, cache: Path) -> Stage:
    """Open a season of the cache; simulate it first where it is not there.

    The folder's name holds a hash of the season and of the simulator's code, so that a scene of another
    simulator is never taken for this one.
    """
    key = hashlib.sha256(f"{scene} {simulator_hash()}".encode()).hexdigest()
    folder = cache / f"{scene.name}-{key[:12]}"
    if not folder.is_dir():
        with writing(folder) as part:
            part.mkdir()
            _write(scene, part)
    return _read(folder)


ABOVE = frozenset({"cli", "download", "operations", "training"})
"""Rooms above or beside this one, which nothing here imports: no score can depend on them."""

AFTER = ABOVE | {"chips", "evaluation", "export", "mapping"}
"""Rooms above the simulator and the cube, on which no season can depend, but for this file."""


def code_hash() -> str:
    """Return the SHA-256 of all that scores may depend on, in hexadecimal.

    Every file of the package is walked, so that none can be forgotten: a room that is left out by name is one
    that cannot be imported from here.
    """
    return _hash_of(ABOVE)


def simulator_hash() -> str:
    """Return the SHA-256 of all that a simulated season on disk may depend on, in hexadecimal."""
    mine = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return hashlib.sha256(f"{_hash_of(AFTER)} {mine}".encode()).hexdigest()


@functools.cache
def _hash_of(left_out: frozenset[str], root: Path | None = None) -> str:
    digest = hashlib.sha256()
    top = root or Path(str(importlib.resources.files("banet")))
    for file in sorted(top.rglob("*")):
        name = file.relative_to(top)
        if name.parts[0] not in left_out and "__pycache__" not in name.parts and file.is_file():
            digest.update(f"{name.as_posix()} {file.stat().st_size} ".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _write(scene: BenchmarkScene, folder: Path) -> None:
    simulated = scene.simulate()
    write_cube(simulated, folder / "cube.zarr")
    write_netcdf(simulated.truth(), folder / "truth.nc")
    masks = {PREFIX + name: mask for name, mask in simulated.confounders.items()}
    save_arrays(folder / "planes.npz", {"cover": simulated.land_cover, **masks})


def _read(folder: Path) -> Stage:
    try:
        cube, truth = Cube.open(folder / "cube.zarr"), read_map(folder / "truth.nc")
        days, classes = (cube.days[0], cube.days[-1]), load_arrays(folder / "planes.npz")
        # Water would be unburned in both: it does not count here.
        return Stage(cube, truth, days, classes, {"unobserved": "unburned", "valid": ~truth.water})
    except BanetError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BanetError(
            f"the season {folder.name} in the cache was damaged and is removed: {error}"
        ) from error


def write_cube(scene: Scene, path: Path) -> Cube:
    """Write what the satellite saw of a simulated scene as a cube."""
    seen = np.isfinite(scene.red) & np.isfinite(scene.nir) & np.isfinite(scene.mir)
    labels = {"sensor": "simulated VIIRS", "mir_band": "M12"}
    return write_planes(path, scene.region, scene, seen.astype(np.uint8), water=scene.water, **labels)


def write_planes(
    path: Path, region: Region, planes: Any, count: Any, *, water: Any, sensor: str, mir_band: str
) -> Cube:
    """Write days of planes as a cube; days on which nobody looked for fires have none.

    Args:
        path: of the new cube.
        region: its grid.
        planes: days, and red, nir, mir, view_zenith and frp of them, (T, rows, columns).
        count: looks at each cell, (T, rows, columns).
        water: (rows, columns) bool, None where nobody has said.
        sensor: label of the cube.
        mir_band: the band in the MIR slot.
    """
    from banet.observations.planes import DayPlanes

    with writing(path) as part:
        made = Cube.create(part, region, sensor=sensor, mir_band=mir_band)
        with made.writing():
            for k, day in enumerate(planes.days):
                bands = (planes.red[k], planes.nir[k], planes.mir[k], planes.view_zenith[k], count[k])
                frp = None if np.isnan(planes.frp[k]).all() else planes.frp[k]
                made.write_day(day, DayPlanes(*bands), frp)
        if water is not None:
            made.set_water(water)
    return Cube.open(path)
