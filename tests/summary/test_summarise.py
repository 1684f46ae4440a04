"""Tables of zones: hectares, fires and days against what the maps hold, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

import banet
from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.fires import find_events
from banet.burned_area.netcdf import write_netcdf
from banet.burned_area.unknown import UnknownDays
from banet.cli import main
from banet.errors import BanetWarning, InputError
from banet.summary.zones import read_zones
from made_maps import map_of, random_map, region_of

pytestmark = pytest.mark.filterwarnings("ignore:the weights are not calibrated")
DRAWS = {"draws": 20, "min_hectares": 0}


def zones_of(path, **shapes):
    gpd.GeoDataFrame({"name": list(shapes)}, geometry=list(shapes.values()), crs="EPSG:4326").to_file(path)
    return path


def whole(region):
    return box(*region.bbox)


def test_the_whole_region_as_a_zone_gives_the_hectares_of_the_map(tmp_path):
    burned = random_map((40, 60), seed=3)
    west = box(burned.region.west, burned.region.south, -7.745, burned.region.north)
    zones = zones_of(
        tmp_path / "z.gpkg", all=whole(burned.region), west=west, east=whole(burned.region) - west
    )
    table = banet.summarise(burned, zones, **DRAWS).set_index("zone")
    assert table.loc["all", "burned_ha"] == pytest.approx(burned.burned_area_ha, rel=1e-6)
    halves = table.loc[["west", "east"]]
    for name in ("burned_ha", "zone_ha", "not_observed_ha", "expected_ha"):
        assert halves[name].sum() == pytest.approx(table.loc["all", name], rel=1e-5)
    assert table.loc["all", "zone_ha"] == pytest.approx(burned.region.cell_area_ha.sum() * 60)
    assert table.loc["all", "fires"] == len(find_events(burned, min_hectares=0))
    assert table.loc["all", "first_day"] == pd.Timestamp(np.nanmin(burned.burn_date))
    assert table.loc["all", "last_day"] == pd.Timestamp(np.nanmax(burned.burn_date))
    unseen = ~burned.known & ~burned.water
    assert table.loc["all", "not_observed_cells"] == unseen.sum() > 0
    assert (table["outside_ha"] == 0).all()
    assert (table["start"] == pd.Timestamp("2021-08-01")).all() and (
        table["end"] == pd.Timestamp("2021-08-31")
    ).all()


def test_zones_may_be_a_geodataframe():
    burned = random_map((40, 60), seed=3)
    frame = gpd.GeoDataFrame({"name": ["all"]}, geometry=[whole(burned.region)], crs="EPSG:4326", index=[7])
    table = banet.summarise(burned, frame.to_crs(3035), **DRAWS)
    assert table["zone"].tolist() == ["all"]
    assert table["burned_ha"].item() == pytest.approx(burned.burned_area_ha, rel=1e-3)
    with pytest.raises(InputError, match="a list is neither the path of a vector file nor a GeoDataFrame"):
        banet.summarise(burned, [whole(burned.region)])
    with pytest.raises(InputError, match="has no layers"):
        banet.summarise(burned, frame, zone_layer="a")


def test_a_cell_counts_by_its_share_in_the_zone_and_by_its_fraction(tmp_path):
    offset = np.full((6, 6), -1)
    offset[2, 2], offset[2, 3] = 4, 9
    burned = map_of(offset, fraction=0.75)
    zones = zones_of(tmp_path / "z.gpkg", half=box(-7.98, 39.97, -7.965, 39.98))
    row = banet.summarise(burned, zones, **DRAWS).iloc[0]
    assert row["burned_ha"] == pytest.approx(0.75 * 1.5 * burned.region.cell_area_ha[2], rel=1e-6)
    assert (row["first_day"], row["last_day"]) == (pd.Timestamp("2021-08-05"), pd.Timestamp("2021-08-10"))
    assert row["fires"] == 2


@pytest.mark.parametrize("by", ["month", "day"])
def test_months_and_days_add_up_across_the_year(tmp_path, by):
    maps = [
        random_map((30, 30), seed=1, start="2020-12-01", days=31),
        random_map((30, 30), seed=2, start="2021-01-01", days=31),
    ]
    zones = zones_of(tmp_path / "z.gpkg", a=whole(maps[0].region), b=box(-7.9, 39.8, -7.85, 39.9))
    table = banet.summarise(maps[::-1], zones, by=by, **DRAWS)
    total = banet.summarise(maps, zones, **DRAWS).set_index("zone")
    sums = table.groupby("zone")[["burned_ha", "expected_ha"]].sum()
    pd.testing.assert_frame_equal(
        sums, total[["burned_ha", "expected_ha"]].astype(float), rtol=1e-5, check_names=False
    )
    mine = table[table["zone"] == "a"]
    if by == "month":
        assert list(mine["month"]) == ["2020-12", "2021-01"]
        np.testing.assert_allclose(mine["burned_ha"], [one.burned_area_ha for one in maps], rtol=1e-6)
        assert list(mine["end"].astype(str)) == ["2020-12-31", "2021-01-31"]
    else:
        daily = pd.concat([one.daily_area_ha() for one in maps])
        assert len(mine) == 62
        np.testing.assert_allclose(mine["burned_ha"], daily, rtol=1e-6, atol=1e-9)
        assert (mine["first_day"].dropna() == mine["day"][mine["first_day"].notna()]).all()


def test_rows_by_cover_hold_what_burned_on_each(tmp_path):
    import rasterio

    burned = random_map((20, 20), seed=5)
    cover = np.where(np.arange(20) < 10, 4, 7).astype(np.uint8) * np.ones((20, 1), np.uint8)
    with rasterio.open(
        tmp_path / "cover.tif", "w", driver="GTiff", width=20, height=20, count=1, dtype="uint8",
        crs="EPSG:4326", transform=burned.region.transform,
    ) as file:  # fmt: skip
        file.write(cover, 1)
    zones = zones_of(tmp_path / "z.gpkg", a=whole(burned.region))
    table = banet.summarise(burned, zones, by="cover", cover=tmp_path / "cover.tif", **DRAWS)
    assert list(table["cover"]) == ["4", "7"]
    area = burned.region.cell_area_ha[:, None] * np.nan_to_num(burned.burned_fraction) * burned.burned
    np.testing.assert_allclose(table["burned_ha"], [area[:, :10].sum(), area[:, 10:].sum()], rtol=1e-6)
    assert (table["outside_ha"] == 0).all()


@pytest.mark.parametrize(("field", "names"), [("name", ("A", "row 3")), ("other", ("1", "3"))])
def test_a_zone_without_a_name_has_the_number_of_its_row_in_the_file(tmp_path, field, names):
    region = random_map((10, 10), seed=1).region
    frame = gpd.GeoDataFrame(
        {field: ["A", "B", None]}, geometry=[whole(region), None, whole(region)], crs="EPSG:4326"
    )
    frame.to_file(tmp_path / "z.gpkg")
    with pytest.warns(BanetWarning):
        assert read_zones(tmp_path / "z.gpkg", region).names == names


def test_a_zone_outside_the_maps_is_told_and_has_no_figures(tmp_path):
    burned = random_map((20, 20), seed=5)
    zones = zones_of(tmp_path / "z.gpkg", near=box(-8.1, 39.85, -7.9, 39.95), far=box(10, 10, 11, 11))
    with pytest.warns(BanetWarning, match="outside T, so nothing is known of them: far"):
        table = banet.summarise(burned, zones, **DRAWS).set_index("zone")
    assert np.isnan(table.loc["far", "burned_ha"]) and np.isnan(table.loc["far", "high_ha"])
    assert table.loc["far", "fires"] is pd.NA and table.loc["far", "zone_ha"] == 0
    assert table.loc["near", "outside_ha"] == pytest.approx(table.loc["near", "zone_ha"], rel=1e-3)
    with pytest.raises(InputError, match="none of its 1 zones touches T"):
        banet.summarise(burned, zones_of(tmp_path / "y.gpkg", far=box(10, 10, 11, 11)), **DRAWS)


def test_days_between_maps_and_small_fires_are_told(tmp_path):
    maps = [random_map((20, 20), seed=1, start="2021-06-01", days=30), random_map((20, 20), seed=2)]
    zones = zones_of(tmp_path / "z.gpkg", a=whole(maps[0].region))
    with pytest.warns(BanetWarning, match="no map of 2021-07-01 to 2021-07-31"):
        table = banet.summarise(maps, zones, by="month", **DRAWS)
    assert list(table["month"]) == ["2021-06", "2021-08"]
    with pytest.warns(BanetWarning, match="fires under 1000 ha are not counted"):
        banet.summarise(maps[1], zones, draws=20, min_hectares=1000)


def test_a_source_without_probabilities_has_no_interval(tmp_path):
    burned = replace(random_map((20, 20), seed=5), attrs={}, name="VNP64A1.002")
    zones = zones_of(tmp_path / "z.gpkg", a=whole(burned.region))
    with pytest.warns(BanetWarning, match="no interval"):
        row = banet.summarise(burned, zones, **DRAWS).iloc[0]
    assert np.isnan(row["low_ha"]) and row["burned_ha"] > 0


def test_the_interval_is_that_of_the_drawn_hectares_and_the_seed_decides(tmp_path):
    burned = random_map((30, 30), seed=7)
    zones = zones_of(tmp_path / "z.gpkg", a=whole(burned.region))
    one, same, other = (
        banet.summarise(burned, zones, draws=50, min_hectares=0, seed=s).iloc[0] for s in (1, 1, 2)
    )
    assert one["low_ha"] < one["expected_ha"] < one["high_ha"]
    assert one.equals(same) and one["low_ha"] != other["low_ha"]


def test_zones_that_are_drawn_for_in_turns_have_the_same_interval(tmp_path, monkeypatch):
    burned = random_map((20, 20), seed=1)
    west, south, _, north = burned.region.bbox
    zones = zones_of(
        tmp_path / "z.gpkg", **{f"z{k}": box(west, south, west + 0.02 * k, north) for k in range(1, 6)}
    )
    at_once = banet.summarise(burned, zones, by="day", **DRAWS)
    monkeypatch.setattr("banet.summary.table._MOST_DRAWN", 1)
    pd.testing.assert_frame_equal(banet.summarise(burned, zones, by="day", **DRAWS), at_once)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"zone_fields": "name"}, TypeError, "did you mean .zone_field"),
        ({"by": "year"}, InputError, "month"),
        ({"by": "cover"}, InputError, "needs a file of land cover"),
        ({"cover": "x.tif"}, InputError, "needs a file of land cover"),
        ({"zone_field": "nuts"}, InputError, "no field nuts; it has name"),
        ({"draws": 3}, InputError, "draws"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, error, words):
    burned = random_map((10, 10), seed=1)
    zones = zones_of(tmp_path / "z.gpkg", a=whole(burned.region))
    with pytest.raises(error, match=words):
        banet.summarise(burned, zones, **options)


def test_maps_of_other_grids_and_overlapping_maps_are_refused(tmp_path):
    burned = random_map((10, 10), seed=1)
    zones = zones_of(tmp_path / "z.gpkg", a=whole(burned.region))
    with pytest.raises(InputError, match="differ in grid"):
        banet.summarise([burned, random_map((10, 11), seed=1, start="2021-09-01")], zones)
    with pytest.raises(InputError, match="overlaps"):
        banet.summarise([burned, burned], zones)
    with pytest.raises(InputError, match="at least one map"):
        banet.summarise([], zones)


def test_features_of_one_name_are_one_zone_and_nameless_ones_are_numbered(tmp_path):
    burned = map_of(np.zeros((10, 10), int))
    left, right = box(-8, 39.9, -7.95, 40), box(-7.96, 39.9, -7.9, 40)
    frame = gpd.GeoDataFrame({"name": ["a", "a"]}, geometry=[left, right], crs="EPSG:4326")
    frame.to_file(tmp_path / "z.gpkg")
    table = banet.summarise(burned, tmp_path / "z.gpkg", **DRAWS)
    assert len(table) == 1 and table["burned_ha"][0] == pytest.approx(burned.burned_area_ha, rel=1e-6)
    frame.drop(columns="name").assign(code=[5, 6]).to_file(tmp_path / "y.gpkg")
    with pytest.warns(BanetWarning, match="numbered by row"):
        assert list(banet.summarise(burned, tmp_path / "y.gpkg", **DRAWS)["zone"]) == ["1", "2"]
    assert list(banet.summarise(burned, tmp_path / "y.gpkg", zone_field="code", **DRAWS)["zone"]) == [
        "5",
        "6",
    ]


def test_empty_names_are_none_and_whole_numbers_stay_whole(tmp_path):
    burned = map_of(np.zeros((10, 10), int))
    parts = [box(-8, 39.9, -7.97, 40), box(-7.97, 39.9, -7.94, 40), box(-7.94, 39.9, -7.9, 40)]
    for names, told in ((["A", "", "  "], ["A", "row 2", "row 3"]), ([7, None, 9], ["7", "row 2", "9"])):
        frame = gpd.GeoDataFrame({"name": names}, geometry=parts, crs="EPSG:4326")
        assert list(read_zones(frame, burned.region).names) == told


def test_several_dates_a_cell_go_to_their_own_months(tmp_path):
    from banet.burned_area.dated import DatedFractions

    region = region_of((4, 4))
    days = np.array(["2021-07-30", "2021-08-02"], "datetime64[D]")
    dated = DatedFractions.from_pieces(region, [1, 1], [1, 1], days, [0.25, 0.5])
    source = BurnedArea.from_dated(dated, name="truth", start="2021-07-01", stop="2021-09-01")
    zones = zones_of(tmp_path / "z.gpkg", a=whole(region))
    with pytest.warns(BanetWarning, match="no interval"):
        table = banet.summarise(source, zones, by="month", **DRAWS)
    np.testing.assert_allclose(table["burned_ha"], np.array([0.25, 0.5]) * region.cell_area_ha[1], rtol=1e-6)


def test_the_command_writes_table_and_draws_and_says_what_they_hold(tmp_path, capsys):
    maps = [random_map((20, 20), seed=1, start="2021-07-01"), random_map((20, 20), seed=2)]
    paths = [str(write_netcdf(one, tmp_path / f"{k}.nc")) for k, one in enumerate(maps)]
    zones = zones_of(tmp_path / "z.gpkg", a=whole(maps[0].region))
    words = [
        "summarise",
        *paths,
        "--zones",
        str(zones),
        "--by",
        "month",
        "--draws",
        "2",
        "--min-hectares",
        "0",
    ]
    assert main([*words, "--out", str(tmp_path / "t.csv")]) == 0
    told = capsys.readouterr()
    assert "2 rows, 1 zones" in told.out and "2 progressions" in told.out
    assert "not calibrated" in told.err
    read = pd.read_csv(tmp_path / "t.csv", dtype={"month": str})
    np.testing.assert_allclose(read["burned_ha"], [one.burned_area_ha for one in maps], atol=0.01)
    assert list(read["end"]) == ["2021-07-31", "2021-08-31"] and list(read["month"]) == ["2021-07", "2021-08"]
    assert main([*words, "--out", str(tmp_path / "t.parquet")]) == 0
    stored = pd.read_parquet(tmp_path / "t.parquet")
    np.testing.assert_allclose(stored[["low_ha", "high_ha"]], read[["low_ha", "high_ha"]], atol=0.01)
    assert (tmp_path / "t_draws.nc").exists()
    capsys.readouterr()
    assert main([*words, "--out", str(tmp_path / "t.csv"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["file"], facts["draws"]) == (str(tmp_path / "t.csv"), str(tmp_path / "t_draws.nc"))
    assert main([*words, "--out", str(tmp_path / "t.xlsx")]) == 2
    assert ".csv, .parquet" in capsys.readouterr().err
    write_netcdf(replace(maps[0], attrs={}), tmp_path / "0.nc")
    assert main([*words, "--out", str(tmp_path / "never.csv")]) == 2
    assert "carry no probabilities to draw from" in capsys.readouterr().err
    assert not (tmp_path / "never.csv").exists(), "the draws are checked before the table is written"


def test_a_map_without_any_burn_gives_zeros(tmp_path):
    nothing = map_of(np.full((8, 8), -1))
    zones = zones_of(tmp_path / "z.gpkg", a=whole(nothing.region))
    with pytest.warns(BanetWarning, match="lie over 25 km from a burn date"):
        row = banet.summarise(nothing, zones, **DRAWS).iloc[0]
    assert row["burned_ha"] == 0 and row["fires"] == 0 and pd.isna(row["first_day"])


@pytest.mark.parametrize("by", [None, "month"])
def test_a_zone_that_no_map_saw_has_no_figures(tmp_path, by):
    """Its land is counted as not observed; zero hectares would say that nothing burned."""
    unseen, water = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    unseen[:, :4], water[:4, :2], water[:, 6:] = True, True, True
    unseen &= ~water
    offset = np.full((8, 8), -1)
    offset[2, 4:6] = 3
    blind = map_of(offset, unseen=unseen, water=water)
    west, south, east, north = blind.region.bbox
    shapes = {
        "blind": box(west, south, west + 0.04, north),
        "part": box(west, south, west + 0.05, north),
        "sea": box(west + 0.06, south, east, north),
    }
    zones = zones_of(tmp_path / "z.gpkg", **shapes)
    table = banet.summarise(blind, zones, by=by, **DRAWS).set_index("zone")
    assert table.loc["blind", ["burned_ha", "expected_ha", "low_ha", "high_ha", "fires"]].isna().all()
    assert table.loc["blind", "not_observed_cells"] == unseen.sum()
    assert table.loc["blind", "not_observed_ha"] == pytest.approx(
        table.loc["blind", "zone_ha"] * 24 / 32, rel=1e-4
    )
    assert table.loc["part", "burned_ha"] > 0 and table.loc["part", "not_observed_cells"] == unseen.sum()
    assert table.loc["sea", "burned_ha"] == 0 and table.loc["sea", "not_observed_cells"] == 0


def test_days_that_a_joined_map_does_not_know_have_no_figures(tmp_path):
    offset = np.full((8, 8), -1)
    offset[2, 4:6] = 3
    june, september = map_of(offset, start="2021-06-01", days=30), map_of(offset, start="2021-09-01", days=30)
    joined = june.join(september)
    zones = zones_of(tmp_path / "z.gpkg", all=whole(joined.region))
    months = banet.summarise(joined, zones, by="month", **DRAWS).set_index("month")
    assert list(months.index) == ["2021-06", "2021-07", "2021-08", "2021-09"]
    gone = months.loc[["2021-07", "2021-08"]]
    assert gone[["burned_ha", "expected_ha", "fires"]].isna().all(axis=None)
    assert (gone["not_observed_cells"] == 64).all()
    assert months.loc["2021-06", "burned_ha"] > 0 and months.loc["2021-06", "not_observed_cells"] == 0
    days = banet.summarise(joined, zones, by="day", **DRAWS).set_index("day")
    assert np.isnan(days.loc["2021-07-15", "burned_ha"]) and days.loc["2021-06-15", "burned_ha"] == 0


def test_expected_hectares_fall_on_days_that_the_map_tells_of(tmp_path):
    """Draws of cells without a date fell on days of no map too, whose rows have no figures."""
    nothing = np.full((8, 8), -1)
    june, september = (
        map_of(nothing, start="2021-06-01", days=30),
        map_of(nothing, start="2021-09-01", days=30),
    )
    joined = june.join(september)
    zones = zones_of(tmp_path / "z.gpkg", all=whole(joined.region))
    with pytest.warns(BanetWarning, match="from a burn date"):
        total = banet.summarise(joined, zones, **DRAWS)["expected_ha"].sum()
        months = banet.summarise(joined, zones, by="month", **DRAWS).set_index("month")["expected_ha"]
    assert total > 0 and months.sum() == pytest.approx(total, rel=1e-6)
    assert months[["2021-07", "2021-08"]].isna().all()
    # So in a part of the map that knows fewer days than the rest.
    summer, north = map_of(nothing, start="2021-06-01", days=92), np.zeros((8, 8), bool)
    north[:4] = True
    gap = UnknownDays(np.datetime64("2021-07-01"), np.datetime64("2021-08-01"), north)
    summer = replace(summer, unknown_days=(gap,))
    west, south, east, high = summer.region.bbox
    zones = zones_of(tmp_path / "n.gpkg", north=box(west, south + 0.04, east, high))
    with pytest.warns(BanetWarning, match="from a burn date"):
        total = banet.summarise(summer, zones, **DRAWS)["expected_ha"].sum()
        months = banet.summarise(summer, zones, by="month", **DRAWS)["expected_ha"]
    assert months.isna().sum() == 1 and months.sum() == pytest.approx(total, rel=1e-6)


def test_a_day_that_is_not_known_leaves_its_month_observed(tmp_path):
    burned = map_of(np.full((8, 8), -1))
    gap = UnknownDays(burned.start, burned.start + 1, np.ones((8, 8), bool))
    zones = zones_of(tmp_path / "z.gpkg", all=whole(burned.region))
    with pytest.warns(BanetWarning, match="from a burn date"):
        row = banet.summarise(replace(burned, unknown_days=(gap,)), zones, by="month", **DRAWS).iloc[0]
    assert (row["not_observed_cells"], row["burned_ha"]) == (0, 0)
    most = replace(gap, stop=burned.stop - 1)
    with pytest.warns(BanetWarning, match="from a burn date"):
        row = banet.summarise(replace(burned, unknown_days=(most,)), zones, by="month", **DRAWS).iloc[0]
    assert (row["not_observed_cells"], row["burned_ha"]) == (64, 0)


def test_a_zone_of_which_some_days_are_not_known_has_no_figures_on_those(tmp_path):
    burned = map_of(np.full((8, 8), -1))
    cells = np.zeros((8, 8), bool)
    cells[:4] = True
    gap = UnknownDays(burned.start, burned.start + 10, cells)
    west, south, east, north = burned.region.bbox
    zones = zones_of(
        tmp_path / "z.gpkg", north=box(west, south + 0.04, east, north), all=whole(burned.region)
    )
    with pytest.warns(BanetWarning, match="from a burn date"):
        table = banet.summarise(replace(burned, unknown_days=(gap,)), zones, by="day", **DRAWS)
    table = table.set_index(["zone", "day"])
    assert np.isnan(table.loc[("north", "2021-08-10"), "burned_ha"])
    assert table.loc[("north", "2021-08-11"), "burned_ha"] == 0
    assert table.loc[("all", "2021-08-10"), ["burned_ha", "not_observed_cells"]].tolist() == [0, 32]


@pytest.mark.parametrize("maps", [None, 3, [None], []])
def test_what_is_no_map_is_named(maps, tmp_path):
    zones = zones_of(tmp_path / "z.gpkg", all=whole(region_of((6, 6))))
    with pytest.raises(InputError, match="a map is|at least one map"):
        banet.summarise(maps, zones)


def test_the_dataset_of_a_map_is_that_map(tmp_path):
    burned = random_map((40, 60), seed=3)
    zones = zones_of(tmp_path / "z.gpkg", all=whole(burned.region))
    pd.testing.assert_frame_equal(
        banet.summarise(burned.to_dataset(), zones, **DRAWS), banet.summarise([burned], zones, **DRAWS)
    )
    fires = find_events(burned, min_hectares=0)
    for given in (burned.to_dataset(), [burned.to_dataset()]):
        pd.testing.assert_frame_equal(find_events(given, min_hectares=0), fires)
    with pytest.raises(InputError, match="the dataset is not a map of banet; it lacks burned_fraction"):
        find_events(burned.to_dataset().drop_vars("burned_fraction"))
    with pytest.raises(InputError, match="a str is no map to find fires in"):
        find_events("PT.nc")
