"""A simulated season that the agencies on 127.0.0.1 serve as far as it had happened on each morning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from banet.days import as_day, from_day_of_year
from banet.grid.region import Region
from fake_agencies import Agencies

REGION = Region("M", (-8.0, 39.7, -7.76, 39.94), 0.01)
START, DAYS = "2020-06-18", 20
SOURCES = {"N": "VIIRS_SNPP", "N20": "VIIRS_NOAA20"}
NAMES = {"VJ1": "NOAA-20", "VNP": "S-NPP"}
COLLECTIONS = {"VNP": "VNP09GA", "VJ1": "VJ109GA"}


@dataclass(frozen=True)
class Morning:
    """What the agencies had on a morning.

    Attributes:
        day: the last day that is asked for.
        standard: days before the last from which back the files are standard ones.
        lacking: (satellite, day) of files that are not there, satellite as in their names.
    """

    day: str
    standard: int = 3
    lacking: tuple[tuple[str, str], ...] = ()


class Season:
    """Surface reflectance and hot spots of two satellites.

    Args:
        folder: for the files that are served.
        seed: of the scene.
        quiet: nothing burns.
    """

    def __init__(self, folder: Path, seed: int = 2, *, quiet: bool = False) -> None:
        from dataclasses import replace

        from banet.simulation import simulate, write_scene
        from banet.simulation.climates import climate_named

        climate = replace(climate_named("mediterranean"), clouds=0.15, fires=0 if quiet else 400)
        self.scene = simulate(REGION, START, 13 if quiet else DAYS, seed, climate, satellites=("N", "N20"))
        self.files = write_scene(self.scene, folder, formats=("surface",))["surface"]

    def newest(self, day: str) -> dict[str, str]:
        """Return the newest day with a file of each satellite up to a day."""
        seen = [(file.name[:3], _day(file)) for file in self.files if _day(file) <= as_day(day)]
        return {name: str(max(when for who, when in seen if who == prefix)) for prefix, name in NAMES.items()}

    def serve(self, agencies: Agencies, morning: Morning) -> None:
        """Let the agencies have what there was on a morning."""
        catalogue, data = agencies.catalogue, agencies.data
        catalogue.granules.clear()
        data.files.clear()
        last = as_day(morning.day)
        for file in self.files:
            day, satellite = _day(file), file.name[:3]
            if day > last or (satellite, str(day)) in morning.lacking:
                continue
            collection, name, body = COLLECTIONS[satellite], file.name, file.read_bytes()
            if (last - day).astype(int) < morning.standard:
                collection = f"{collection}_NRT"
                name = name.replace("09GA.", "09GA_NRT.")
                body = _early(file)
            url = data.add(f"/archive/{name}", body)
            catalogue.add(f"{collection}/002", url, size=len(body), start=f"{day}T12:00:00Z")
        self._fires(agencies, last, morning.standard)

    def _fires(self, agencies: Agencies, last: np.datetime64, standard: int) -> None:
        firms, table = agencies.firms, self.scene.hotspots
        days = table["acq_date"].astype(str)
        border = str(last - standard)
        for satellite, source in SOURCES.items():
            own = table["satellite"] == satellite
            firms.days[f"{source}_SP"] = ("2012-01-20", border)
            firms.days[f"{source}_NRT"] = (str(last - standard + 1), str(last + 1))
            firms.tables[f"{source}_SP"] = table[own & (days <= border)]
            early = table[own & (days <= str(last))].drop(columns="type", errors="ignore")
            firms.tables[f"{source}_NRT"] = early.assign(version="2.0NRT")


def _day(file: Path) -> np.datetime64:
    return from_day_of_year(int(file.name[9:13]), int(file.name[13:16]))


def _early(file: Path) -> bytes:
    """Return a near-real-time version of a tile: the near infrared a little darker."""
    import io

    stream = io.BytesIO(file.read_bytes())
    with h5py.File(stream, "r+") as content:
        plane = content["HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/SurfReflect_M7_1"]
        values = plane[...]
        plane[...] = np.where(values > 100, values - 20, values)
    return stream.getvalue()
