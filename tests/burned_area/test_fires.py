"""Fires: what belongs together in space and time, measured on cells laid out by hand."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.fires import find_events, trace_events
from banet.errors import BanetWarning, InputError
from banet.grid.region import Region
from made_maps import map_of, random_map

COLUMNS = ["id", "region", "start", "end", "days", "cells", "area_ha", "cells_ha"]
COLUMNS += ["peak_day", "peak_ha", "date_unc", "seed_lon", "seed_lat", "geometry"]


def offsets(shape, *blocks):
    """Lay out blocks (rows, columns, day offset) on an unburned grid."""
    grid = np.full(shape, -1)
    for rows, cols, day in blocks:
        grid[rows, cols] = day
    return grid


def block(row, col, size=5):
    return slice(row, row + size), slice(col, col + size)


def test_one_fire_has_its_dates_hectares_and_place():
    grid = offsets((20, 20), (*block(3, 4), 2), (*block(8, 4, 3), 4))
    burnmap = map_of(grid, fraction=np.where(grid == 2, 0.5, 1))
    events = trace_events(burnmap)
    (fire,) = events.table.to_dict("records")
    area = burnmap.region.cell_area_ha
    early, late = area[3:8].sum() * 5 * 0.5, area[8:11].sum() * 3
    assert list(events.table.columns) == COLUMNS
    assert events.table.crs.to_epsg() == 4326
    assert (str(fire["start"])[:10], str(fire["end"])[:10], fire["days"]) == ("2021-08-03", "2021-08-05", 3)
    assert fire["cells"] == 34
    assert fire["area_ha"] == pytest.approx(early + late)
    assert fire["cells_ha"] == pytest.approx(area[3:8].sum() * 5 + area[8:11].sum() * 3)
    assert fire["peak_ha"] == pytest.approx(max(early, late))
    assert fire["date_unc"] == 2
    assert fire["id"] == "T-20210803-39.965N-7.955W"
    assert (fire["seed_lon"], fire["seed_lat"]) == (-7.955, 39.965)
    growth = events.growth
    assert growth["id"].tolist() == [fire["id"]] * 2 and growth["cells"].tolist() == [25, 9]
    np.testing.assert_allclose(growth["area_ha"], [early, late])
    np.testing.assert_allclose(growth["total_ha"], [early, early + late])


def test_the_perimeter_follows_the_edges_of_cells():
    grid = offsets((20, 20), (*block(3, 4), 0))
    grid[5, 6] = -1
    (outline,) = find_events(map_of(grid), min_cells=1).geometry
    expected = shapely.box(-7.96, 39.92, -7.91, 39.97) - shapely.box(-7.94, 39.94, -7.93, 39.95)
    assert outline.geom_type == "MultiPolygon" and outline.is_valid
    assert outline.symmetric_difference(expected).area < 1e-12


@pytest.mark.parametrize(
    ("gap_cells", "gap_days", "count"),
    [(1, 9, 2), (2, 9, 2), (3, 9, 1), (3, 3, 1), (3, 2, 2), (4, 0, 2)],
)
def test_gaps_in_space_and_time_part_fires(gap_cells, gap_days, count):
    # Two free columns and one free row between the blocks: 3 columns apart. Days 5 and 8: 3 days apart.
    grid = offsets((20, 20), (*block(2, 2), 5), (*block(8, 9), 8))
    table = find_events(map_of(grid), max_gap_cells=gap_cells, max_gap_days=gap_days)
    assert len(table) == count


def test_a_chain_links_what_is_far_apart():
    grid = np.full((3, 60), -1)
    grid[1, ::2] = np.arange(30)
    table = find_events(map_of(grid), min_cells=30)
    assert len(table) == 1 and table["days"].tolist() == [30]


def test_diagonal_cells_touch():
    grid = np.where(np.eye(30, dtype=bool), 3, -1)
    assert len(find_events(map_of(grid), max_gap_cells=1)) == 1


def test_small_fires_are_left_out():
    grid = offsets((20, 20), (*block(2, 2), 0), (*block(12, 12), 0))
    grid[12, 12] = -1
    assert len(find_events(map_of(grid), min_cells=25)) == 1
    assert len(find_events(map_of(grid), min_cells=24)) == 2
    assert len(find_events(map_of(grid), min_cells=26)) == 0


def test_small_fires_are_left_out_by_hectares_and_counted():
    grid = offsets((20, 20), (*block(2, 2), 0))
    grid[15, 15] = 0
    area = map_of(grid).region.cell_area_ha
    assert 50 < area[15] < 100
    events = trace_events(map_of(grid))
    assert len(events.table) == 1
    assert events.left_out == (1, pytest.approx(area[15]))
    whole = events.table["area_ha"].sum()
    assert events.summary == f"1 fire, {whole:,.0f} ha; 1 smaller left out, {area[15]:,.0f} ha"
    assert set(map(tuple, events.cells[["row", "col"]].to_numpy())) == set(zip(*np.nonzero(grid[:10] >= 0)))
    everything = trace_events(map_of(grid), min_hectares=0)
    assert (len(everything.table), everything.left_out) == (2, (0, 0.0))
    assert len(find_events(map_of(grid), min_hectares=area[15] + 1)) == 1
    with pytest.raises(InputError, match="min_hectares -1"):
        find_events(map_of(grid), min_hectares=-1)


def test_a_fire_over_new_year_is_one():
    grid = offsets((20, 20), (*block(2, 2), 30), (*block(2, 7), 31))
    table = find_events(map_of(grid, start="2020-12-01", days=62))
    assert [(str(a)[:10], str(b)[:10]) for a, b in zip(table["start"], table["end"])] == [
        ("2020-12-31", "2021-01-01")
    ]


def test_water_is_no_fire():
    grid = offsets((20, 20), (*block(2, 2), 0))
    assert len(find_events(map_of(grid, water=np.ones((20, 20), bool)), min_cells=1)) == 0


def test_water_that_a_product_shows_burned_is_no_fire():
    burned = map_of(np.full((2, 3), 4))
    shore = np.array([[True, False, False]] * 2)
    product = BurnedArea.from_dated(
        burned.dates(), name="P", start=burned.start, stop=burned.stop, water=shore
    )
    assert product.burned[shore].all()
    assert find_events(product, min_cells=1)["cells"].tolist() == [4]


def test_without_fire_the_table_is_empty_but_whole():
    events = trace_events(map_of(np.full((5, 5), -1)), epsg=3035)
    assert len(events.table) == 0 and len(events.growth) == 0
    assert set(events.table.columns) == {*COLUMNS, "epsg_ha"}
    assert events.table.crs.to_epsg() == 4326
    assert events.growth.columns.tolist() == ["id", "day", "cells", "area_ha", "total_ha"]


# --- over several maps


def months(grid_august, grid_september, **where):
    return [
        map_of(grid_august, start="2021-08-01", days=31, **where),
        map_of(grid_september, start="2021-09-01", days=30, **where),
    ]


def test_a_fire_goes_on_into_the_next_map():
    maps = months(offsets((20, 20), (*block(2, 2), 30)), offsets((20, 20), (*block(2, 8), 1)))
    for order in (maps, maps[::-1]):
        (fire,) = find_events(order).to_dict("records")
        assert (str(fire["start"])[:10], str(fire["end"])[:10], fire["cells"]) == (
            "2021-08-31",
            "2021-09-02",
            50,
        )


def test_months_apart_are_two_fires_even_on_the_same_cells():
    maps = months(offsets((20, 20), (*block(2, 2), 3)), offsets((20, 20), (*block(2, 2), 20)))
    table = find_events(maps)
    assert len(table) == 2 and table["id"].is_unique
    assert table.geometry.iloc[0].equals(table.geometry.iloc[1])


def test_days_between_maps_and_other_methods_are_told():
    first, second = months(offsets((20, 20), (*block(2, 2), 3)), offsets((20, 20), (*block(2, 2), 20)))
    late = second.between("2021-09-11", "2021-10-01")
    with pytest.warns(BanetWarning, match="no map of 2021-09-01 to 2021-09-10: what burned on these days"):
        find_events([late, first])
    other = replace(second, name="index drop", attrs={"method": "index drop"})
    with pytest.warns(BanetWarning, match="the maps are of 2 methods: banet: daily .*; banet: index drop"):
        find_events([first, other])


def test_a_cell_that_both_months_show_counts_once():
    maps = months(offsets((20, 20), (*block(2, 2), 30)), offsets((20, 20), (*block(2, 2), 0)), fraction=0.7)
    with pytest.warns(BanetWarning, match="25 cells that two maps date within 10 days burned once"):
        events = trace_events(maps)
    (fire,) = events.table.to_dict("records")
    whole = maps[0].region.cell_area_ha[2:7].sum() * 5
    assert fire["cells"] == 25 and fire["end"] == fire["start"]
    assert fire["area_ha"] == pytest.approx(whole) and fire["cells_ha"] == pytest.approx(whole)
    assert fire["geometry"].area == pytest.approx(25e-4)


def test_two_maps_find_what_one_map_of_both_months_finds():
    whole = random_map((60, 60), days=61)
    grid = np.where(whole.burned, (whole.burn_date - whole.start).astype(int), -1)
    fraction = np.nan_to_num(whole.burned_fraction)
    maps = [
        map_of(
            np.where(grid < 31, grid, -1), start="2021-08-01", days=31, fraction=fraction, water=whole.water
        ),
        map_of(
            np.where(grid >= 31, grid - 31, -1),
            start="2021-09-01",
            days=30,
            fraction=fraction,
            water=whole.water,
        ),
    ]
    one, two = find_events(whole, min_cells=1), find_events(maps, min_cells=1)
    assert len(one) > 3
    assert one.drop(columns="geometry").equals(two.drop(columns="geometry"))
    assert all(a.equals(b) for a, b in zip(one.geometry, two.geometry))


# --- ids


def test_ids_stay_when_days_are_added():
    whole = random_map((80, 80), seed=5)
    grid = np.where(whole.burned, (whole.burn_date - whole.start).astype(int), -1)
    for last in (8, 15, 22):
        part = map_of(np.where(grid <= last, grid, -1))
        before, after = find_events(part, min_cells=1), find_events(map_of(grid), min_cells=1)
        # A fire that later days join to an earlier one takes the id of the earlier.
        starts = after.loc[after["start"] <= np.datetime64("2021-08-01") + last, "id"]
        assert set(starts) <= set(before["id"])
        assert len(before) >= len(starts) > 0


def test_an_id_tells_the_northernmost_then_westernmost_cell_of_the_first_day():
    grid = offsets((20, 20), (slice(3, 8), slice(2, 12), 4))
    grid[3, 9] = grid[6, 2] = 3
    assert find_events(map_of(grid))["id"].tolist() == ["T-20210804-39.965N-7.905W"]
    grid[3, 7] = 3
    assert find_events(map_of(grid))["id"].tolist() == ["T-20210804-39.965N-7.925W"]


def test_ids_do_not_depend_on_the_extent_of_the_map():
    whole = map_of(offsets((40, 40), (*block(10, 10), 3)))
    part = whole.crop(slice(5, 30), slice(7, 30))
    assert find_events(whole)["id"].tolist() == find_events(part)["id"].tolist()


def test_ids_tell_fires_apart_on_fine_grids():
    grid = offsets((20, 20), (*block(2, 2, 2), 0), (*block(2, 7, 2), 0))
    table = find_events(map_of(grid, size=0.0005), min_cells=1)
    assert len(table) == 2 and table["id"].is_unique


# --- the globe


def test_a_fire_across_the_antimeridian_is_one_and_is_cut_there():
    region = Region("CK", (179.8, 66, -179.8, 66.2), 0.01)
    (fire,) = find_events(map_of(offsets((20, 40), (*block(2, 17), 0)), region=region)).to_dict("records")
    assert fire["cells"] == 25
    assert fire["geometry"].bounds[0] == -180 and fire["geometry"].bounds[2] == 180
    assert fire["geometry"].area == pytest.approx(25e-4)


def test_a_map_around_the_globe_has_no_edge_in_the_west():
    region = Region("G", (-180, 0, 180, 10), 1.0)
    grid = offsets((10, 360), (slice(2, 6), slice(0, 4), 0), (slice(2, 6), slice(356, 360), 1))
    assert len(find_events(map_of(grid, region=region))) == 1
    part = Region("H", (-180, 0, 179, 10), 1.0)
    assert len(find_events(map_of(grid[:, 1:], region=part), min_cells=1)) == 2


def test_hectares_in_a_projection_agree_with_the_ellipsoid():
    table = find_events(random_map((80, 80), seed=5), epsg=3035)  # ETRS89-LAEA keeps areas
    np.testing.assert_allclose(table["epsg_ha"], table["cells_ha"], rtol=1e-3)


def test_hectares_in_a_projection_in_feet_are_hectares():
    table = find_events(map_of(np.full((6, 6), 1), west=-121.0, north=38.2), epsg=2227)
    np.testing.assert_allclose(table["epsg_ha"], table["cells_ha"], rtol=1e-2)


def test_a_projection_of_another_part_of_the_world_is_told():
    with pytest.warns(
        BanetWarning, match=r"hectares in EPSG:32655 are \d+\.\d\d times those on the ellipsoid"
    ):
        trace_events(random_map((80, 80), seed=5), epsg=32655)  # UTM of Japan and Australia


# --- properties


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 3), st.integers(0, 4))
def test_fires_are_those_of_a_search_over_all_pairs(seed, gap_cells, gap_days):
    rng = np.random.default_rng(seed)
    grid = np.where(rng.random((12, 12)) < 0.25, rng.integers(0, 8, (12, 12)), -1)
    events = trace_events(map_of(grid), max_gap_cells=gap_cells, max_gap_days=gap_days, min_cells=1)
    row, col = np.nonzero(grid >= 0)
    day = grid[row, col]
    near = (
        (np.abs(row[:, None] - row) <= gap_cells)
        & (np.abs(col[:, None] - col) <= gap_cells)
        & (np.abs(day[:, None] - day) <= gap_days)
    )
    group = np.arange(row.size)
    for _ in range(row.size):
        group = np.where(near, group, row.size).min(axis=1)
    assert sorted(np.unique(group, return_counts=True)[1]) == sorted(events.table["cells"])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_hectares_add_up_to_those_of_the_map(seed):
    burnmap = random_map((30, 30), seed=seed)
    events = trace_events(burnmap, min_cells=1)
    assert events.table["area_ha"].sum() == pytest.approx(burnmap.burned_area_ha)
    assert events.growth["area_ha"].sum() == pytest.approx(burnmap.burned_area_ha)
    by_day = events.growth.groupby("day")["area_ha"].sum()
    daily = burnmap.daily_area_ha()
    np.testing.assert_allclose(by_day, daily[daily > 0])
    assert events.table["cells"].sum() == burnmap.burned.sum()
    cells = shapely.area(events.table.geometry.to_numpy()).sum() / 1e-4
    assert cells == pytest.approx(burnmap.burned.sum())


def test_the_id_and_the_columns_hold_one_place():
    """Centres of cells of 0.0025 degrees end in a five, which roundings take up or down."""
    offset = np.full((60, 60), -1)
    offset[::4, ::4] = 3
    table = find_events(map_of(offset, size=0.0025, north=40.0013), min_cells=1, max_gap_cells=1)
    for name, lon, lat in zip(table["id"], table["seed_lon"], table["seed_lat"], strict=True):
        assert name.endswith(f"-{lat:.4f}N-{-lon:.4f}W")


def test_maps_that_nobody_saw_have_no_number_of_fires(tmp_path, capsys):
    from banet.burned_area.netcdf import write_netcdf
    from banet.cli import main

    unseen = map_of([[-1, -1]], unseen=np.ones((1, 2), bool))
    assert trace_events(unseen).summary == "not observed, so nothing is known of fires"
    assert trace_events(map_of([[-1, -1]])).summary == "0 fires, 0 ha"
    path = write_netcdf(unseen, tmp_path / "T_202108.nc")
    assert main(["events", str(path), "--out", str(tmp_path / "f.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["fires"], told["hectares"], told["left_out"]) == (None, None, None)


# --- bad input


@pytest.mark.parametrize("limits", [{"max_gap_days": -1}, {"max_gap_cells": 0}, {"min_cells": 0}])
def test_limits_out_of_range_are_refused(limits):
    with pytest.raises(InputError, match="must be at least 0 days, 1 cell and 1 cell"):
        find_events(map_of([[1]]), **limits)


def test_cells_are_not_joined_over_any_distance():
    assert len(find_events(map_of([[1]]), max_gap_cells=100, min_hectares=0)) == 1
    with pytest.raises(InputError, match="fires joined over 101 cells; give at most 100"):
        find_events(map_of([[1]]), max_gap_cells=101)


def test_maps_of_different_regions_and_no_map_are_refused():
    with pytest.raises(InputError, match="one region at a time"):
        find_events([map_of([[1]]), map_of([[1]], name="U")])
    with pytest.raises(InputError, match="no map"):
        find_events([])


@pytest.mark.parametrize(
    ("epsg", "text"),
    [
        (4326, "in degrees"),
        (99999999, "no projection"),
        (4979, "in degrees"),
        (5773, "a Vertical CRS"),
        (4978, "a Geocentric CRS"),
    ],
)
def test_codes_that_measure_no_area_are_refused(epsg, text):
    with pytest.raises(InputError, match=text):
        find_events(map_of(np.full((6, 6), 1)), epsg=epsg)


def test_maps_of_different_thresholds_are_refused():
    """The fires of one month would begin with smaller burns than those of the next."""
    july, august = map_of([[1, 2]], start="2021-07-01"), map_of([[1, 2]])
    with pytest.raises(InputError, match="differ in grid or threshold"):
        find_events([replace(july, threshold=0.3), august])


def test_maps_that_overlap_are_refused():
    """Both show the same burned cells, which would count twice."""
    first, second = map_of([[1, 2]]), map_of([[1, 2]], start="2021-08-20")
    for both in ([first, second], [second, first], [first, first]):
        with pytest.raises(InputError, match="overlaps the one that ends on 2021-08-31"):
            find_events(both)


@pytest.mark.parametrize("odd", ["map.nc", None, ["map.nc"], 3])
def test_what_is_no_map_is_told(odd):
    with pytest.raises(InputError, match="is no map to find fires in; banet.read_map reads one"):
        find_events(odd)


def test_a_fire_that_crosses_180_degrees_and_also_ends_there():
    """Cut at 180 degrees, the eastern part touches the western one along a line, which is no part of it."""
    offset = np.full((3, 6), -1)
    offset[:2, 2], offset[2, 2:5] = 3, 3
    made = map_of(offset, west=179.97, north=40.0)
    (outline,) = find_events(made, min_hectares=0).geometry
    assert outline.geom_type == "MultiPolygon"
    assert outline.bounds == pytest.approx((-180, 39.97, 180, 40.0))
    assert outline.area == pytest.approx(5e-4)
