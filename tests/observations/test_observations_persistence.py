"""Sources that stay in place are told from fires, where the rows do not say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.observations.hotspots import grid_frp, read_hotspots
from banet.observations.persistence import static_sources

REGION = Region("P", (21.0, 38.0, 22.0, 39.0), 0.01)
HEAD = "latitude,longitude,acq_date,acq_time,satellite,frp"


def rows(lon, lat, days, kind=None) -> pd.DataFrame:
    """Detections at one place, jittered by less than a pixel."""
    rng = np.random.default_rng(0)
    days = np.asarray(days, "datetime64[D]")
    place = rng.uniform(-0.002, 0.002, (2, days.size))
    return pd.DataFrame(
        {
            "longitude": lon + place[0],
            "latitude": lat + place[1],
            "time": days.astype("datetime64[ns]"),
            "type": pd.array([kind] * days.size, dtype="Int8"),
        }
    )


def every(days: int, step: int = 1, start: str = "2021-06-01") -> np.ndarray:
    return np.datetime64(start) + np.arange(0, days, step)


def test_a_flare_is_found_and_a_fire_of_some_days_is_not():
    flare, fire = rows(21.505, 38.505, every(40, 2)), rows(21.905, 38.105, every(6))
    found = static_sources(pd.concat([flare, fire], ignore_index=True))
    assert found[: len(flare)].all()
    assert not found[len(flare) :].any()


def across_180(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(longitude=(table["longitude"] + 180) % 360 - 180)


def test_a_source_on_180_degrees_is_one_place():
    # Rows of the one side say their type; those of the other were seen on too few days to show it.
    known, rest = rows(179.995, 38.505, every(30, 3), kind=2), rows(180.005, 38.505, every(3))
    found = static_sources(across_180(pd.concat([known, rest], ignore_index=True)))
    assert found[len(known) :].all()


def test_a_large_fire_across_180_degrees_is_a_fire():
    moving = [rows(179.945 + 0.01 * i, 38.505, every(30)) for i in range(12)]
    assert not static_sources(across_180(pd.concat(moving, ignore_index=True))).any()


def test_a_large_fire_that_smoulders_for_weeks_is_a_fire():
    moving = [rows(21.205 + 0.01 * i, 38.505, every(30)) for i in range(12)]
    assert not static_sources(pd.concat(moving, ignore_index=True)).any()


def test_a_field_that_is_burned_every_year_is_no_source():
    years = np.concatenate([every(2, start=f"{year}-08-10") for year in range(2013, 2023)])
    assert not static_sources(rows(21.505, 38.505, years)).any()


def test_neighbouring_fields_that_burn_one_after_another_are_no_source():
    fields = [rows(21.205 + 0.01 * i, 38.505, every(1, start=f"2021-06-{1 + 4 * i:02d}")) for i in range(7)]
    assert not static_sources(pd.concat(fields, ignore_index=True)).any()


def test_hot_spots_all_over_the_place_are_no_sources():
    rng = np.random.default_rng(0)
    table = rows(21.0, 38.0, np.datetime64("2020-01-01") + rng.integers(0, 365, 10_000))
    table[["longitude", "latitude"]] += rng.uniform(0, 1, (10_000, 2))
    assert static_sources(table).mean() < 0.001


def test_a_source_across_the_edge_of_a_window_is_found():
    edge = np.datetime64("1970-01-01") + 64 * 290
    days = np.concatenate([edge - np.arange(1, 12, 3), edge + np.arange(0, 12, 3)])
    assert static_sources(rows(21.505, 38.505, days)).all()


def test_rows_that_know_their_type_are_left_alone_and_decide():
    known = rows(21.505, 38.505, every(40, 2), kind=0)
    late = rows(21.505, 38.505, every(20, 2, start="2021-07-01"))
    assert not static_sources(pd.concat([known, late], ignore_index=True)).any()
    known = rows(21.505, 38.505, every(3), kind=2)
    late = rows(21.505, 38.505, every(2, start="2021-06-20"))
    found = static_sources(pd.concat([known, late], ignore_index=True))
    assert found.tolist() == [False] * 3 + [True] * 2


def test_a_table_of_one_day_shows_nothing():
    assert not static_sources(rows(21.505, 38.505, every(1).repeat(30))).any()


@pytest.fixture
def table_without_types(tmp_path: Path) -> Path:
    lines = [f"38.505,21.505,{day},1230,N,5" for day in every(30)]
    lines += [f"38.105,21.905,{day},1230,N,50" for day in every(3, start="2021-06-15")]
    path = tmp_path / "nrt.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


def test_it_is_no_fire_in_the_cell_unless_asked_for(table_without_types: Path):
    table = read_hotspots(table_without_types)
    assert table.attrs["notes"] == ("30 hot spots of unknown type stay in one place: static sources",)
    day = np.datetime64("2021-06-15")
    assert grid_frp(table, REGION, day).sum() == 50
    assert grid_frp(table, REGION, day, vegetation_only=False).sum() == 55


def test_the_cube_remembers_that_it_left_them_out(table_without_types: Path, tmp_path: Path):
    from writers_surface import write_tile

    write_tile(tmp_path / "in", 19, 5, {}, day="2021166")
    cube = build_cube(REGION, tmp_path / "in", table_without_types, tmp_path / "c.zarr", source="surface")
    record = cube.record("2021-06-15")
    assert record is not None
    assert "30 hot spots of unknown type stay in one place: static sources" in record.notes
    assert cube.read("2021-06-15", "2021-06-16").frp.sum() == 50


@pytest.mark.real
def test_against_the_types_of_real_tables(real: Path):
    table = read_hotspots(sorted((real / "firms").glob("VIIRS_*_SP_2021-08-*.csv")))
    known = table["type"].to_numpy(np.int64)
    found = static_sources(table.assign(type=pd.array([pd.NA] * len(table), dtype="Int8")))
    assert found[known > 0].mean() > 0.6
    assert found[known == 0].mean() < 0.01


@pytest.mark.real
def test_a_real_fire_of_twelve_weeks(real: Path):
    table = read_hotspots(real / "firms" / "creek_fire_2020_viirs_snpp.csv")
    assert len(table) == 39839
    assert (table["type"] == 2).sum() < 100
