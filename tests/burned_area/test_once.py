"""Burns that maps of two periods show: within ten days they are one, on the first; later ones are two."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import numpy as np
import pytest
import shapely

from banet.burned_area.fires import trace_events
from banet.burned_area.joining import join, once
from banet.errors import BanetWarning
from banet.export.explorer.pages import write_pages
from banet.export.vnp64a1 import write_vnp64a1
from banet.grid.region import Region
from banet.summary.table import summarise
from made_maps import map_of

SAID = "2 cells that two maps date within 10 days burned once, on the first"


def months(first, second, **more):
    """Return maps of July and August 2021; days of each count from 0, -1 is not burned."""
    return [
        map_of([first], start="2021-07-01", days=31, **more),
        map_of([second], start="2021-08-01", days=31, **more),
    ]


def test_a_cell_dated_at_the_end_of_a_map_and_the_start_of_the_next_burned_once():
    # The last day of July and the first of August; ten days; eleven; twice in different seasons; unburned.
    july, august = months([30, 25, 24, 2, -1], [0, 4, 4, 30, 3], fraction=0.6)
    (first, second), (note,) = once([july, august])
    assert note.startswith(SAID)
    assert first.burn_date.tolist() == july.burn_date.tolist()
    np.testing.assert_allclose(first.burned_fraction[0], [1, 1, 0.6, 0.6, 0.1])
    assert np.isnat(second.burn_date[0]).tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(second.burned_fraction[0], [0, 0, 0.6, 0.6, 0.6])
    assert second.known.all() and (second.uncertainty[0, :2] == 255).all()
    # Once is enough.
    assert once([first, second]) == ([first, second], [])


def test_a_cell_that_only_burning_made_known_stays_known():
    july, august = months([30, -1], [0, -1], unseen=np.ones((1, 2), bool))
    (_, second), _ = once([july, august])
    assert second.known.tolist() == [[True, False]]


def test_a_burn_that_goes_on_over_three_short_maps_is_one():
    maps = [map_of([[day, -1]], start=start, days=8) for day, start in ((7, "2021-08-01"), (7, "2021-08-09"))]
    maps.append(map_of([[7, 0]], start="2021-08-17", days=8))
    kept, notes = once(maps)
    assert [one.burned.sum() for one in kept] == [1, 0, 1]
    assert notes[0].startswith(SAID)


def test_a_join_says_what_it_leaves_out():
    july, august = months([30, 25, 24, 2, -1], [0, 4, 4, 30, 3], fraction=0.6)
    whole = join([july, august])
    said, again = whole.notes
    assert said.startswith(SAID)
    assert again.startswith("2 cells burned again more than 10 days later: the map holds the stronger")
    assert whole.burn_date[0, :2].tolist() == july.burn_date[0, :2].tolist()
    lost = float(re.search(r"([\d,]+) ha of the others", again)[1].replace(",", ""))
    parts = sum(one.burned_area_ha for one in once([july, august])[0])
    assert parts - whole.burned_area_ha == pytest.approx(lost, abs=0.5)


def test_dates_by_the_pixel_stay_as_they_are():
    from banet.burned_area.burned_area import BurnedArea
    from banet.burned_area.dated import DatedFractions

    region = map_of([[0]]).region
    maps = []
    for day, start, stop in (
        ("2021-07-31", "2021-07-01", "2021-08-01"),
        ("2021-08-01",) * 2 + ("2021-09-01",),
    ):
        dated = DatedFractions.from_pieces(region, [0], [0], [day], [0.3])
        maps.append(BurnedArea.from_dated(dated, name="pixels", start=start, stop=stop))
    assert once(maps) == (maps, [])
    assert join(maps).burned_fraction[0, 0] == pytest.approx(0.6)


def test_maps_on_another_grid_tell_that_they_count_a_burn_twice():
    july, august = months([30, 30, -1, -1], [0, 0, -1, -1], fraction=0.6)
    shifted = Region("C", (-7.995, 39.99, -7.975, 40.0), 0.01)
    moved = [one.to(shifted) for one in (july, august)]
    kept, (note,) = once(moved)
    assert kept == moved
    assert note.startswith("2 cells that two maps date within 10 days count in both")
    assert "join maps first, then bring them there" in note
    assert join(moved).notes == (note,)
    with pytest.warns(BanetWarning, match="count in both"):
        trace_events(moved, min_cells=1)
    assert join([july, august]).to(shifted).burned_area_ha < join(moved).burned_area_ha
    apart = months([3, 3, -1, -1], [9, 9, -1, -1])
    assert once([one.to(shifted) for one in apart])[1] == []


def test_page_table_fires_and_tiles_give_the_same_hectares(tmp_path):
    july, august = np.full((40, 40), -1), np.full((40, 40), -1)
    july[5:25, 5:25], august[15:35, 15:35] = 30, 0
    august[5:9, 5:9] = 25
    maps = [
        map_of(july, start="2021-07-01", fraction=0.7),
        map_of(august, start="2021-08-01", fraction=0.7),
    ]
    with pytest.warns(BanetWarning, match="100 cells that two maps date"):
        events = trace_events(maps, min_cells=1)
    wanted = events.table["area_ha"].sum()
    cells = maps[0].region.cell_area_ha[20]
    assert wanted == pytest.approx((300 * 0.7 + 100 + 300 * 0.7 + 16 * 0.7) * cells, rel=1e-3)

    (page,) = write_pages(maps, tmp_path, min_hectares=0)
    inside = re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert sum(json.loads(inside[1])["daily_ha"]) == pytest.approx(wanted, abs=0.01)
    assert "16 cells burned again more than 10 days later" in page.read_text()

    zone = gpd.GeoDataFrame({"name": ["all"]}, geometry=[shapely.box(*maps[0].region.bbox)], crs=4326)
    with pytest.warns(BanetWarning):
        table = summarise(maps, zone, draws=20)
    assert table["burned_ha"].item() == pytest.approx(wanted)

    with pytest.warns(BanetWarning, match="100 cells that two maps date"):
        files = write_vnp64a1(maps, tmp_path, form="tif")
    import rasterio

    hectares = 0.0
    for path in files:
        if "Burn_Date_doy" in path.name:
            with rasterio.open(path) as raster:
                hectares += (raster.read(1) > 0).sum() * raster.res[0] * raster.res[1] / 1e4
    assert hectares == pytest.approx(wanted, rel=0.01)
