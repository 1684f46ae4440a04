"""The fires of Attica and the Peloponnese of August 2021: real images, real hot spots, VNP64A1 as reference.

The scene holds twelve days (3 to 14 August) of red, NIR and SWIR (in the MIR slot) at 0.01 degree, from
display imagery with smoke and cloud in it. What burned on 2 to 9 August (days of year 214 to 221) is
bracketed by images.

Protocol. BurnedArea: VNP64A1 of August 2021, tile h19v05, cut to the grid by area; a cell burned where at
least half of it did, on the day on which most of it did. Scored days: 2 to 9 August. Cells within two cells
(between centres) of what VNP64A1 dates outside these days are left out, unless they burned within them; a
cell that a map dates outside these days counts as unburned. Every other cell of the scene counts, sea too.

Under this protocol accumulated active fires (S-NPP and NOAA-20 standard processing, vegetation fires, dated
by the first detection) score Dice 0.760.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.errors import NotFoundError
from banet.evaluation.scores import Scores, score
from banet.grid.region import Region
from banet.io.files import existing_file
from banet.labels.mcd64a1 import read_mcd64a1

if TYPE_CHECKING:
    import pandas as pd

    from banet.cube import Cube

__all__ = [
    "GREEK_DAYS",
    "GREEK_PROTOCOL",
    "GREEK_REGION",
    "greek_cube",
    "greek_hotspots",
    "greek_reference",
    "greek_scores",
    "has_greek_scene",
]

GREEK_REGION = Region("greece_south", (21.8, 37.17, 24.6, 38.5), 0.01)
GREEK_DAYS = (np.datetime64("2021-08-02"), np.datetime64("2021-08-10"))
NEAR_OTHER_BURNS = 2

GREEK_PROTOCOL: dict[str, Any] = {
    "days": GREEK_DAYS,
    "exclude_within": NEAR_OTHER_BURNS,
    "unobserved": "unburned",
}
"""Settings of `compare` that make up the protocol."""

_SCENE = "scenes/greece_south_2021-08.nc"
_LABEL = "labels/VNP64A1.A2021213.h19v05.002.2023198172838.hdf"
_FIRES = "VIIRS_*_SP_2021-08-*.csv"
_FIRST_DAY = "2021-08-01"


def has_greek_scene(real: Path) -> bool:
    """Tell whether a folder holds all that the scene needs."""
    return (real / _SCENE).is_file() and (real / _LABEL).is_file() and any((real / "firms").glob(_FIRES))


def greek_reference(real: Path) -> BurnedArea:
    """Return VNP64A1 of August 2021 on the scene's grid.

    Args:
        real: folder of the real data.

    Raises:
        NotFoundError: if the file is not there.
    """
    return read_mcd64a1(
        existing_file(real / _LABEL, "reference of the Greek scene"), GREEK_REGION, "2021-08", "2021-08"
    )


def greek_hotspots(real: Path) -> pd.DataFrame:
    """Return the VIIRS hot spots of S-NPP and NOAA-20 of 1 to 24 August 2021, standard processing.

    Raises:
        NotFoundError: if there are none.
    """
    from banet.observations.hotspots import read_hotspots

    files = sorted((real / "firms").glob(_FIRES))
    if not files:
        raise NotFoundError(f"no VIIRS hot spots of August 2021 in {real / 'firms'}")
    return read_hotspots(files)


def greek_cube(real: Path, path: Path) -> Cube:
    """Make a cube of the scene.

    Days from 1 August to the last image are in it; those without an image hold hot spots alone.

    Args:
        real: folder of the real data.
        path: where the cube goes.

    Raises:
        NotFoundError: if the scene or the hot spots are not there.
    """
    import xarray as xr

    from banet.ingest import from_dataset

    with xr.open_dataset(existing_file(real / _SCENE, "Greek scene")) as scene:
        days = np.arange(
            _FIRST_DAY, scene["time"].values[-1].astype("datetime64[D]") + 1, dtype="datetime64[D]"
        )
        bands = scene[["red", "nir", "swir"]].load().reindex(time=days.astype("datetime64[ns]"))
    table = greek_hotspots(real)
    return from_dataset(bands, path, name=GREEK_REGION.name, sensor="VIIRS S-NPP (display)", hotspots=table)


def greek_scores(burnmap: BurnedArea, reference: BurnedArea, *, name: str = "map", **settings: Any) -> Scores:
    """Score a map of the scene under the protocol above.

    Args:
        burnmap: the map.
        reference: from `greek_reference`.
        name: of the map.
        settings: of `score`, to depart from the protocol.
    """
    return score(burnmap, reference, name=name, **({"draws": 1000} | GREEK_PROTOCOL | settings))
