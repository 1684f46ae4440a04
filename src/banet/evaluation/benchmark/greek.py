"""The fires of Attica and the Peloponnese of August 2021: real images, real hot spots, VNP64A1 as reference.

The scene holds twelve days (3 to 14 August) of red, NIR and SWIR (in the MIR slot) at 0.01 degree, from
display imagery with smoke and cloud in it. What burned on 2 to 9 August (days of year 214 to 221) is
bracketed by images.

Protocol. Reference: VNP64A1 of August 2021, tile h19v05, cut to the grid by area; a cell burned where at
least half of it did, on the day on which most of it did. Scored days: 2 to 9 August. Cells within two cells
(between centres) of what VNP64A1 dates outside these days are left out, unless they burned within them; a
cell that a map dates outside these days counts as unburned. Every other cell of the scene counts, sea too.

Under this protocol accumulated active fires (S-NPP and NOAA-20 standard processing, vegetation fires, dated
by the first detection) score Dice 0.760.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.days import day_range
from banet.errors import NotFoundError
from banet.evaluation.baselines import grown_fires, index_drop
from banet.evaluation.benchmark.methods import Mapper, Method
from banet.evaluation.benchmark.stage import Stage
from banet.evaluation.scores import Scores, score
from banet.grid.region import Region
from banet.io.files import existing_file, sha256
from banet.labels.mcd64a1 import read_mcd64a1

if TYPE_CHECKING:
    import pandas as pd

    from banet.cube import Cube

__all__ = [
    "GREEK_DAYS",
    "GREEK_PROTOCOL",
    "GREEK_REGION",
    "GreekScene",
    "find_real",
    "greek_cube",
    "greek_hotspots",
    "greek_methods",
    "greek_reference",
    "greek_scores",
    "greek_stage",
    "need_real",
]

GREEK_REGION = Region("greece_south", (21.8, 37.17, 24.6, 38.5), 0.01)
GREEK_DAYS = (np.datetime64("2021-08-02"), np.datetime64("2021-08-10"))
GREEK_PROTOCOL: dict[str, Any] = {"days": GREEK_DAYS, "exclude_within": 2, "unobserved": "unburned"}
"""Settings of `compare` that make up the protocol."""

_SCENE = "scenes/greece_south_2021-08.nc"
_LABEL = "labels/VNP64A1.A2021213.h19v05.002.2023198172838.hdf"
_FIRES = "VIIRS_*_SP_2021-08-*.csv"
_FIRST_DAY = np.datetime64("2021-08-01")


def find_real(asked: Path | None = None) -> Path | None:
    """Return the folder of real files: the one asked for, that of BANET_REAL_DATA, or ../shared/real.

    Returns:
        None where none of them holds all that the Greek scene needs.
    """
    place = asked or Path(os.environ.get("BANET_REAL_DATA") or "../shared/real")
    whole = (place / _SCENE).is_file() and (place / _LABEL).is_file() and _fire_files(place)
    return place if whole else None


def need_real(asked: Path | None = None) -> Path:
    """Return the folder of real files as `find_real` does.

    Raises:
        NotFoundError: if there is none.
    """
    found = find_real(asked)
    if found is None:
        where = f"{asked} does not hold" if asked else "set BANET_REAL_DATA to the folder that holds"
        raise NotFoundError(f"{where} the real Greek scene (scenes/, labels/, firms/)")
    return found


def _fire_files(real: Path) -> list[Path]:
    return sorted((real / "firms").glob(_FIRES))


def greek_reference(real: Path, region: Region = GREEK_REGION) -> BurnedArea:
    """Return VNP64A1 of August 2021 on the scene's grid, or that of another region of its tile.

    Raises:
        NotFoundError: if the file is not in the folder of real files.
    """
    file = existing_file(real / _LABEL, "reference of the Greek scene")
    return read_mcd64a1(file, region, "2021-08", "2021-08")


def greek_hotspots(real: Path) -> pd.DataFrame:
    """Return the VIIRS hot spots of S-NPP and NOAA-20 of 1 to 24 August 2021, standard processing.

    Raises:
        NotFoundError: if there are none.
    """
    from banet.observations.hotspots import read_hotspots

    if not (files := _fire_files(real)):
        raise NotFoundError(f"no VIIRS hot spots of August 2021 in {real / 'firms'}")
    return read_hotspots(files)


def greek_cube(real: Path, path: Path) -> Cube:
    """Make a cube of the scene: days from 1 August to the last image; those without one hold hot spots alone.

    Raises:
        NotFoundError: if the scene or the hot spots are not there.
    """
    import xarray as xr

    from banet.ingest import from_dataset

    with xr.open_dataset(existing_file(real / _SCENE, "Greek scene")) as scene:
        days = day_range(_FIRST_DAY, scene["time"].values[-1].astype("datetime64[D]") + 1)
        bands = scene[["red", "nir", "swir"]].load().reindex(time=days.astype("datetime64[ns]"))
    table = greek_hotspots(real)
    return from_dataset(bands, path, name=GREEK_REGION.name, sensor="VIIRS S-NPP (display)", hotspots=table)


def greek_scores(burnmap: BurnedArea, reference: BurnedArea, *, name: str = "map", **settings: Any) -> Scores:
    """Score a map of the scene under the protocol above; settings of `score` depart from it."""
    return score(burnmap, reference, name=name, **({"draws": 1000} | GREEK_PROTOCOL | settings))


def greek_methods(methods: Sequence[Method]) -> tuple[Method, ...]:
    """Return the methods as they are set for this scene.

    Baselines that compare days before and after take fewer of them: the scene has images on twelve days.
    """
    shorter: dict[str, Mapper] = {
        "grown active fires": functools.partial(grown_fires, days=5),
        "grown and confirmed active fires": functools.partial(grown_fires, days=5, confirm=True),
        "index drop": functools.partial(index_drop, days=4),
    }
    return tuple(replace(method, mapper=shorter.get(method.name, method.mapper)) for method in methods)


@dataclass(frozen=True)
class GreekScene:
    """The scene as one of the benchmark, from a folder of real files."""

    real: Path
    name: ClassVar[str] = "greece-2021-08"
    days: ClassVar[int] = 14

    @functools.cached_property
    def key(self) -> str:
        """Text of all that scores of the scene depend on beside code and method: its files, as they are."""
        files = [self.real / _SCENE, self.real / _LABEL, *_fire_files(self.real)]
        stats = [f"{path.name} {sha256(path)}" for path in files if path.is_file()]
        return f"{self.name} {' '.join(stats)}"


def greek_stage(scene: GreekScene, folder: Path) -> Stage:
    """Make the scene ready to be mapped and scored, its cube in a folder.

    Raises:
        NotFoundError: if a file is missing.
    """
    cube, mapped = greek_cube(scene.real, folder / "cube.zarr"), (GREEK_DAYS[0], GREEK_DAYS[1] - 1)
    return Stage(cube, greek_reference(scene.real), mapped, settings=GREEK_PROTOCOL, block=20)
