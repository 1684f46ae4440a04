"""NOAA's archive of SDR granules, played over HTTP, and which granules see a region."""

from __future__ import annotations

import html

import numpy as np
import pytest

from banet.cli import main
from banet.download import Client, plan_viirs
from banet.download.orbit import Orbit
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from fake_agencies import agencies  # noqa: F401

DAY = np.datetime64("2021-08-05")
EVIA = Region("Evia", (23.0, 38.4, 23.6, 38.8), 0.01)
FIJI = Region("Fiji", (177.0, -18.5, 181.0, -16.0), 0.01)
YUKON = Region("Yukon", (-141.0, 60.0, -124.0, 69.6), 0.05)
CERRADO = Region("Cerrado", (-53.0, -16.0, -46.0, -9.0), 0.05)
PERIOD = 101.498 * 60
STEP = 85.35
PARTS = {
    "GMTCO": "VIIRS-MOD-GEO-TC",
    "SVM05": "VIIRS-M5-SDR",
    "SVM07": "VIIRS-M7-SDR",
    "SVM12": "VIIRS-M12-SDR",
    "SVM15": "VIIRS-M15-SDR",
}


def rotated(vector, axis, angle):
    """Rodrigues' formula; the axis is at right angles to the vectors."""
    return vector * np.cos(angle)[..., None] + np.cross(axis, vector) * np.sin(angle)[..., None]


class Flight:
    """A day of a satellite by vectors in space: the plane turns with the sun, the earth once a day more."""

    def __init__(self, offset_s=700.0, crossing=13.42):
        self.offset, self.crossing = offset_s, crossing
        tilt = np.radians(98.7)
        self.normal = np.array([0.0, -np.sin(tilt), np.cos(tilt)])
        self.starts = np.arange(0, 86_400, STEP)

    def number(self, second):
        return 48_201 + int((second - self.offset) // PERIOD)

    def swaths(self):
        """Longitude and latitude of what each granule sees, a degree apart, (granules, points)."""
        seconds = self.starts[:, None] + np.linspace(0, STEP, 6)
        first = np.broadcast_to([1.0, 0.0, 0.0], (*seconds.shape, 3))
        below = rotated(first, self.normal, 2 * np.pi * (seconds - self.offset) / PERIOD)
        forward = np.cross(self.normal, below)
        angles = np.broadcast_to(np.radians(np.linspace(-13.7, 13.7, 29)), (*seconds.shape, 29))
        x, y, z = np.moveaxis(rotated(below[:, :, None], forward[:, :, None], angles), -1, 0)
        # The node keeps its local time, so the meridian of midnight tells longitudes.
        hours = self.crossing + np.degrees(np.arctan2(y, x)) / 15 - seconds[..., None] / 3600
        lon, lat = (15 * hours + 180) % 360 - 180, np.degrees(np.arcsin(z))
        return lon.reshape(len(lon), -1), lat.reshape(len(lat), -1)

    def sees(self, region):
        """Return which granules see a region by day."""
        lon, lat = self.swaths()
        lon = np.where(lon < region.west - 1, lon + 360, lon)
        seen = (lon > region.west) & (lon < region.east) & (lat > region.south) & (lat < region.north)
        middle = ((region.west + region.east) / 2, (region.south + region.north) / 2)
        seen |= np.hypot((lon - middle[0]) * np.cos(np.radians(middle[1])), lat - middle[1]) < 0.4
        hour = (self.starts / 3600 + middle[0] / 15) % 24
        return seen.any(axis=1) & (hour > 6) & (hour < 18)

    def times(self):
        return [DAY.astype("datetime64[s]") + int(second) for second in self.starts]


def orbit_of(flight):
    return Orbit.told_by(dict(zip(flight.times(), map(flight.number, flight.starts), strict=True)))


@pytest.mark.parametrize("region", [EVIA, FIJI, YUKON, CERRADO], ids=lambda region: region.name)
@pytest.mark.parametrize(("offset", "crossing"), [(700.0, 13.42), (5000.0, 13.3), (3100.0, 13.55)])
def test_no_granule_that_sees_a_region_is_missed_and_few_others_come(region, offset, crossing):
    flight = Flight(offset, crossing)
    orbit = orbit_of(flight)
    truly = set(np.flatnonzero(flight.sees(region)))
    chosen = {k for k, time in enumerate(flight.times()) if orbit.sees(region, time)}
    assert truly
    assert truly <= chosen
    assert len(chosen) <= 2 * len(truly) + 4
    assert chosen < {k for k, time in enumerate(flight.times()) if orbit.sees(region, time, night=True)}


def test_the_crossing_is_known_to_seconds_and_gaps_tell_nothing():
    for offset in (1.0, 700.0, 6080.0):
        flight = Flight(offset)
        for turn in (0, 7):
            crossed = offset + turn * PERIOD
            time = DAY.astype("datetime64[s]") + round(crossed)
            node = np.array([15 * (13.42 - crossed / 3600)])
            across, along = orbit_of(flight)._in_the_orbit(node, np.zeros(1), time)
            assert abs(along[0]) < 360 * 20 / PERIOD
            assert abs(across[0]) < 0.2
    # Granules so far apart that the crossing lies anywhere between them.
    apart = {DAY.astype("datetime64[s]") + 1200 * k: 100 + k // 5 for k in range(70)}
    assert Orbit.told_by(apart) is None
    assert Orbit.told_by({}) is None


def name_of(part, flight, second, created="20210806120000000000"):
    clock = f"{int(second) // 3600:02d}{int(second) // 60 % 60:02d}{int(second) % 60:02d}"
    day = str(DAY).replace("-", "")
    return f"{part}_j01_d{day}_t{clock}2_e{clock}9_b{flight.number(second)}_c{created}_oebc_ops.h5"


@pytest.fixture
def archive(agencies):  # noqa: F811
    """A day of NOAA-20, every file of it listed; bodies are only those that are fetched."""
    flight = Flight()
    for part, collection in PARTS.items():
        for second in flight.starts:
            path = f"/{collection}/2021/08/05/{name_of(part, flight, second)}"
            agencies.noaa.files[path] = b"\x89HDF\r\n\x1a\n" + path.encode()
    return flight


def plan(agencies, tmp_path, **options):  # noqa: F811
    with Client(agencies.settings(tmp_path)) as client:
        return plan_viirs(
            client, EVIA, DAY, DAY, tmp_path / "out", product="sdr", satellites=["noaa20"], **options
        )


def test_the_five_files_of_each_granule_that_sees_the_region(agencies, archive, tmp_path):  # noqa: F811
    found = plan(agencies, tmp_path)
    truly = archive.starts[archive.sees(EVIA)]
    names = {job.name for job in found.jobs}
    assert {name_of(part, archive, second) for second in truly for part in PARTS} <= names
    assert len(names) == len(found.jobs) == 5 * len({name.split("_t")[1][:7] for name in names})
    assert len(names) < 5 * 8
    assert found.notes == ()
    assert {job.size for job in found.jobs} <= {len(body) for body in agencies.noaa.files.values()}
    lists = [request for request in agencies.noaa.received if request.path == "/"]
    assert len(lists) > 5, "the list comes in pages"
    assert not agencies.noaa.sent("authorization")


def test_a_granule_that_lacks_a_band_is_left_out_and_named(agencies, archive, tmp_path):  # noqa: F811
    second = archive.starts[archive.sees(EVIA)][0]
    del agencies.noaa.files[f"/VIIRS-M7-SDR/2021/08/05/{name_of('SVM07', archive, second)}"]
    found = plan(agencies, tmp_path)
    assert found.notes == (f"{name_of('GMTCO', archive, second)}: the archive has no SVM07 of it; left out",)
    assert name_of("SVM05", archive, second) not in {job.name for job in found.jobs}


def test_days_that_the_archive_lacks_are_told(agencies, archive, tmp_path):  # noqa: F811
    with Client(agencies.settings(tmp_path)) as client:
        found = plan_viirs(client, EVIA, DAY - 1, DAY + 1, tmp_path, product="sdr", satellites=["noaa20"])
    assert found.jobs
    assert found.notes == (f"noaa20: the archive holds no granule of viirs750-sdr of {DAY - 1}, {DAY + 1}",)


def test_the_newest_production_is_taken(agencies, archive, tmp_path):  # noqa: F811
    second = archive.starts[archive.sees(EVIA)][0]
    newer = name_of("SVM05", archive, second, "20210901000000000000")
    agencies.noaa.files[f"/VIIRS-M5-SDR/2021/08/05/{newer}"] = b"\x89HDF\r\n\x1a\n"
    names = {job.name for job in plan(agencies, tmp_path).jobs}
    assert newer in names
    assert name_of("SVM05", archive, second) not in names


def test_the_command_fetches_without_a_login(agencies, archive, tmp_path, capsys):  # noqa: F811
    grid = EVIA.save(tmp_path)
    words = ["download", "viirs", grid, "--start", DAY, "--end", DAY, "--out", tmp_path / "out"]
    more = ["--product", "viirs750-sdr", "--satellites", "noaa20", "--config"]
    config = agencies.config(tmp_path / "c.yaml")
    assert main([*map(str, words), *more, str(config)]) == 0
    there = list((tmp_path / "out").glob("*.h5"))
    assert len(there) >= 5
    assert agencies.login.received == []
    assert main([*map(str, words), *more, str(config)]) == 0
    assert f"{len(there)} were there" in capsys.readouterr().out


def test_what_the_archive_lacks_or_says_wrong_is_told(agencies, archive, tmp_path):  # noqa: F811
    with (
        pytest.raises(InputError, match="no satellite noaa99"),
        Client(agencies.settings(tmp_path)) as client,
    ):
        plan_viirs(client, EVIA, DAY, DAY, tmp_path, product="sdr", satellites=["noaa99"])
    with (
        pytest.raises(NotFoundError, match="no viirs375-sdr files .*that sees Evia"),
        Client(agencies.settings(tmp_path)) as client,
    ):
        plan_viirs(client, EVIA, DAY, DAY, tmp_path, product="sdr375", satellites=["noaa20"])
    page = b"<html>busy</html>"
    agencies.noaa.pages = lambda request: page
    with pytest.raises(Exception, match="answer is no list"):
        plan(agencies, tmp_path)
    agencies.noaa.pages = lambda request: (
        b"<ListBucketResult><NextContinuationToken>"
        + html.escape(request.query.get("continuation-token", "") + "x").encode()
        + b"</NextContinuationToken></ListBucketResult>"
    )
    with pytest.raises(Exception, match="pages do not end"):
        plan(agencies, tmp_path)
