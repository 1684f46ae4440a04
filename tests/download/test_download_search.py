"""The catalogue, and what is planned from it: swaths in pairs, tiles, label months."""

from __future__ import annotations

import hashlib

import pytest

from banet.days import as_day
from banet.download import plan_labels, plan_viirs
from banet.download.client import Client
from banet.download.cmr import boxes, search
from banet.download.errors import TransferError, TransientError
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.sinusoidal import tiles_of_region
from fake_agencies import HDF5, Reply, agencies  # noqa: F401

PT = Region("PT", (-10, 36, -6, 42), 0.01)
BODY = HDF5 + b"x" * 100
D1, D2 = as_day("2021-08-01"), as_day("2021-08-02")


@pytest.fixture
def client(agencies, tmp_path):  # noqa: F811
    with Client(agencies.settings(tmp_path)) as made:
        yield made


def add(agencies, collection, name, **fields):  # noqa: F811
    url = agencies.data.add(f"/archive/{name}", BODY)
    checksum = ("MD5", hashlib.md5(BODY).hexdigest())
    agencies.catalogue.add(collection, url, **{"size": len(BODY), "checksum": checksum, **fields})


def swath(agencies, prefix, scene="A2021213.1142", version="2", made="2021213184222", **fields):  # noqa: F811
    add(agencies, f"{prefix}/{version}", f"{prefix}.{scene}.002.{made}.nc", **fields)


def names(plan):
    return [job.name for job in plan.jobs]


@pytest.mark.parametrize("form", ["umm_json", "json"])
def test_search_follows_the_pages_in_both_forms(agencies, tmp_path, form):  # noqa: F811
    for hour in range(10):
        swath(agencies, "VNP02MOD", f"A2021213.{hour:02}06")
    settings = agencies.settings(tmp_path, earthdata={"search": f"{agencies.catalogue.url}/granules.{form}"})
    with Client(settings) as client:
        found = search(client, "VNP02MOD/2", PT, D1, D2)
    assert [g.name[9:22] for g in found] == [f"A2021213.{hour:02}06" for hour in range(10)]
    assert [r.headers.get("cmr-search-after") for r in agencies.catalogue.received] == [
        None,
        "3",
        "6",
        "9",
        "12",
    ]
    first = agencies.catalogue.received[0].query
    assert first["bounding_box"] == "-10,36,-6,42"
    assert first["temporal"] == "2021-08-01T00:00:00Z,2021-08-01T23:59:59Z"
    assert found[0].url == f"{agencies.data.url}/archive/{found[0].name}"
    assert found[0].about == len(BODY)
    if form == "umm_json":
        assert found[0].size == len(BODY)
        assert found[0].checksum is not None
        assert found[0].checksum.algorithm == "md5"
    else:
        assert (found[0].size, found[0].checksum) == (None, None)


def test_only_the_days_asked_for(agencies, client):  # noqa: F811
    for doy in (212, 213, 214):
        swath(agencies, "VNP02MOD", f"A2021{doy}.2354")
    assert [g.day for g in search(client, "VNP02MOD/2", PT, D1, D2)] == [D1]
    with pytest.raises(InputError, match="before they start"):
        search(client, "VNP02MOD/2", PT, D2, D1)


def test_a_box_across_the_antimeridian_is_searched_in_two_and_nothing_comes_twice(agencies, client):  # noqa: F811
    fiji = Region("FJ", (177, -20, 183, -15), 0.01)
    swath(agencies, "VNP02MOD", "A2021213.0100", box=(178, -18, 180, -16))
    swath(agencies, "VNP02MOD", "A2021213.0200", box=(-180, -18, -178, -16))
    swath(agencies, "VNP02MOD", "A2021213.0300")
    swath(agencies, "VNP02MOD", "A2021213.0400", box=(0, -18, 5, -16))
    found = search(client, "VNP02MOD/2", fiji, D1, D2)
    assert [g.name[18:22] for g in found] == ["0100", "0200", "0300"]


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ((-10, 36, -6, 42), [(-10, 36, -6, 42)]),
        ((170, 0, -170, 5), [(170, 0, 180, 5), (-180, 0, -170, 5)]),
        ((-180, 0, 180, 5), [(-180, 0, 180, 5)]),
        ((179, 0, 180, 5), [(179, 0, 180, 5)]),
        ((180, 0, 181, 5), [(-180, 0, -179, 5)]),
    ],
)
def test_boxes(bbox, expected):
    assert list(boxes(Region("x", bbox, 0.5))) == expected


def test_lost_pages_are_noticed(agencies, client):  # noqa: F811
    body = b'{"items": []}'
    agencies.catalogue.faults["*"] = [Reply(200, body, {"CMR-Hits": "7"})]
    with pytest.raises(TransferError, match="gave 0 of 7 granules"):
        search(client, "VNP02MOD/2", PT, D1, D2)


def test_refusals_and_hiccups_of_the_catalogue(agencies, client):  # noqa: F811
    swath(agencies, "VNP02MOD")
    agencies.catalogue.faults["*"] = [Reply(503), Reply(200, b"<html>busy</html>")]
    assert len(search(client, "VNP02MOD/2", PT, D1, D2)) == 1
    agencies.catalogue.faults["*"] = [Reply(400, b'{"errors":["bad box"]}')]
    with pytest.raises(TransferError, match="the search for VNP02MOD/2: 127.0.0.1 answered 400.*bad box"):
        search(client, "VNP02MOD/2", PT, D1, D2)
    agencies.catalogue.faults["*"] = [Reply(200, b"[]")]
    with pytest.raises(TransferError, match="lists no granules"):
        search(client, "VNP02MOD/2", PT, D1, D2)
    agencies.catalogue.faults["*"] = [Reply(200, b"<html>")] * 9
    with pytest.raises(TransientError, match="a web page, not JSON"):
        search(client, "VNP02MOD/2", PT, D1, D2)


def test_swaths_come_in_pairs_with_size_checksum_and_login(agencies, client, tmp_path):  # noqa: F811
    swath(agencies, "VNP02MOD")
    swath(agencies, "VNP03MOD")
    swath(agencies, "VJ102MOD", version="2.1")
    swath(agencies, "VJ103MOD", version="2.1")
    plan = plan_viirs(client, PT, D1, D1, tmp_path, stream="standard")
    assert [name[:8] for name in names(plan)] == ["VNP02MOD", "VNP03MOD", "VJ102MOD", "VJ103MOD"]
    assert all(job.login and job.checksum and job.size == len(BODY) for job in plan.jobs)
    assert plan.notes == (
        "noaa21 has data from 2023-02-10; other days are not searched for (flights in the settings)",
    )
    assert plan.bytes == 4 * len(BODY)


def test_a_half_pair_is_reported_and_left_out(agencies, client, tmp_path):  # noqa: F811
    swath(agencies, "VNP02MOD")
    swath(agencies, "VNP03MOD")
    swath(agencies, "VNP02MOD", "A2021213.1324")
    swath(agencies, "VNP03MOD", "A2021213.1330")
    plan = plan_viirs(client, PT, D1, D1, tmp_path, satellites=["snpp"], stream="standard")
    assert len(plan.jobs) == 2
    assert len(plan.notes) == 2
    assert "no VNP03MOD of A2021213.1324 (standard); left out" in plan.notes[0]
    assert "no VNP02MOD of A2021213.1330" in plan.notes[1]


def test_near_real_time_fills_what_standard_lacks(agencies, client, tmp_path):  # noqa: F811
    for prefix in ("VNP02MOD", "VNP03MOD", "VNP02MOD_NRT", "VNP03MOD_NRT"):
        swath(agencies, prefix)
    swath(agencies, "VNP02MOD", "A2021213.1324")
    swath(agencies, "VNP02MOD_NRT", "A2021213.1324")
    swath(agencies, "VNP03MOD_NRT", "A2021213.1324")
    plan = plan_viirs(client, PT, D1, D1, tmp_path, satellites=["snpp"])
    assert [name.split(".")[0] for name in names(plan)] == [
        "VNP02MOD",
        "VNP03MOD",
        "VNP02MOD_NRT",
        "VNP03MOD_NRT",
    ]
    assert plan.notes == ()
    only = plan_viirs(client, PT, D1, D1, tmp_path, satellites=["snpp"], stream="nrt")
    assert all("_NRT." in name for name in names(only))
    assert len(only.jobs) == 4


def test_night_is_left_out_unless_asked_for_and_the_newest_production_is_taken(agencies, client, tmp_path):  # noqa: F811
    swath(agencies, "VNP02MOD", "A2021213.0142", night=True)
    swath(agencies, "VNP03MOD", "A2021213.0142")
    for made in ("2021213184222", "2022001000000"):
        swath(agencies, "VNP02MOD", made=made)
        swath(agencies, "VNP03MOD", made=made)
    plan = plan_viirs(client, PT, D1, D1, tmp_path, satellites=["snpp"])
    assert names(plan) == [f"VNP0{n}MOD.A2021213.1142.002.2022001000000.nc" for n in (2, 3)]
    assert len(plan_viirs(client, PT, D1, D1, tmp_path, satellites=["snpp"], night=True).jobs) == 4


def test_375_m_and_surface_tiles(agencies, client, tmp_path):  # noqa: F811
    swath(agencies, "VJ202IMG", "A2024213.1142", version="2.1")
    swath(agencies, "VJ203IMG", "A2024213.1142", version="2.1")
    day = as_day("2024-07-31")
    plan = plan_viirs(client, PT, day, day, tmp_path, product="375", satellites=["noaa21"])
    assert [name[:8] for name in names(plan)] == ["VJ202IMG", "VJ203IMG"]
    for h, v in [*tiles_of_region(PT), (30, 10)]:
        add(agencies, "VNP09GA/002", f"VNP09GA.A2021213.h{h:02}v{v:02}.002.2021214093012.h5")
    plan = plan_viirs(client, PT, D1, D1, tmp_path, product="surface", satellites=["snpp"])
    assert len(plan.jobs) == len(tiles_of_region(PT))
    assert not any("h30v10" in name for name in names(plan))


def test_wrong_products_satellites_streams_and_nothing_at_all(client, tmp_path):
    with pytest.raises(
        InputError,
        match="no VIIRS product '1000' to fetch; known are viirs750-swath, viirs375-swath, surface",
    ):
        plan_viirs(client, PT, D1, D1, tmp_path, product="1000")
    with pytest.raises(InputError, match="no satellite terra; known are snpp, noaa20, noaa21"):
        plan_viirs(client, PT, D1, D1, tmp_path, satellites=["terra"])
    with pytest.raises(InputError, match="no stream 'live'"):
        plan_viirs(client, PT, D1, D1, tmp_path, stream="live")
    with pytest.raises(NotFoundError, match="no viirs750-swath files for region PT .*try other days"):
        plan_viirs(client, PT, D1, D1, tmp_path)


def test_labels_are_the_tiles_and_months_of_the_region(agencies, client, tmp_path):  # noqa: F811
    tiles = tiles_of_region(PT)
    for doy in ("2021182", "2021213", "2021244", "2021274"):
        for h, v in [*tiles, (30, 10)]:
            if (doy, (h, v)) != ("2021244", tiles[0]):
                add(agencies, "MCD64A1/061", f"MCD64A1.A{doy}.h{h:02}v{v:02}.061.2022009000505.hdf")
    plan = plan_labels(client, PT, "2021-08", "2021-09", tmp_path)
    assert len(plan.jobs) == 2 * len(tiles) - 1
    assert {name.split(".")[1] for name in names(plan)} == {"A2021213", "A2021244"}
    h, v = tiles[0]
    assert plan.notes == (f"MCD64A1 h{h:02}v{v:02}: the catalogue has no file of 2021-09",)
    with pytest.raises(NotFoundError, match="no VNP64A1 tile for region PT"):
        plan_labels(client, PT, "2021-08", "2021-09", tmp_path, product="VNP64A1")
    with pytest.raises(InputError, match="known are MCD64A1, VNP64A1"):
        plan_labels(client, PT, "2021-08", "2021-09", tmp_path, product="MCD45")
