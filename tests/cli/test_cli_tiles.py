"""`banet tiles` with labels of every kind."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box

from banet.chips import Chips
from banet.cli import main
from banet.cube import Cube
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("T", (22.0, 38.0, 22.4, 38.4), 0.02)
DAYS = np.arange("2021-08-01", "2021-08-21", dtype="datetime64[D]")
CUT = ["--size", "16", "--step", "16", "--days", "16"]


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    made = Cube.create(tmp_path_factory.mktemp("cube") / "T.zarr", REGION, sensor="test", mir_band="M12")
    plane = np.full(REGION.shape, 0.1, np.float32)
    with made.writing():
        for day in DAYS:
            made.write_day(day, DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8)), plane)
    return made.path


def perimeters(folder):
    path = folder / "fires.geojson"
    fires = {"FIREDATE": ["2021-08-06", "2021-08-09"]}
    shapes = [box(22.1, 38.1, 22.2, 38.2), box(22.26, 38.26, 22.3, 38.3)]
    gpd.GeoDataFrame(fires, geometry=shapes, crs="EPSG:4326").to_file(path)
    return path


def raster(folder, name):
    path = folder / name
    values = np.zeros((20, 20), np.int16)
    values[10:15, 5:10] = 218
    with rasterio.open(
        path, "w", driver="GTiff", height=20, width=20, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(0.02, 0, 22.0, 0, -0.02, 38.4),
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


LABELS = {
    "perimeters": perimeters,
    "FireCCI": lambda folder: raster(folder, "20210801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif"),
    "CLMS": lambda folder: raster(folder, "c_gls_BA300-DOB-NTC_202108010000_GLOBE_S3_V4.0.1.tiff"),
    "AppEEARS": lambda folder: raster(folder, "MCD64A1.061_Burn_Date_doy2021213000000_aid0001.tif"),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_kind_become_tiles(cube, tmp_path, kind):
    labels = LABELS[kind](tmp_path)
    assert main(["tiles", str(cube), "--labels", str(labels), "--out", str(tmp_path / "out"), *CUT]) == 0
    chips = Chips.open(tmp_path / "out")
    burned = np.nansum(chips.read(0).target, axis=(1, 2))
    day = int(np.argmax(burned))
    assert DAYS[0] + day == np.datetime64("2021-08-06")
    assert burned[day] == pytest.approx(25, rel=0.02)
    assert (burned > 1).sum() == (2 if kind == "perimeters" else 1)


def test_a_second_cut_tells_what_was_cut_and_what_was_kept(cube, tmp_path, capsys):
    words = ["tiles", str(cube), "--labels", str(perimeters(tmp_path)), "--out", str(tmp_path / "out"), *CUT]
    assert main([*words, "--end", "2021-08-16"]) == 0
    first = len(Chips.open(tmp_path / "out"))
    assert "kept" not in capsys.readouterr().out
    assert main(words) == 0
    made = len(Chips.open(tmp_path / "out"))
    told = f"{made} tiles of 16 days x 16 x 16 cells; {made - first} cut now, {first} kept"
    assert made > first > 0 and told in capsys.readouterr().out


def test_days_in_no_tile_are_told(cube, tmp_path, capsys):
    """Fires of 6 and 9 August alone: tiles of 4 days without fire are not cut."""
    words = ["tiles", str(cube), "--labels", str(perimeters(tmp_path)), "--out", str(tmp_path / "out")]
    assert main([*words, "--size", "16", "--step", "16", "--days", "4"]) == 0
    held = {entry.day + n for entry in Chips.open(tmp_path / "out").entries for n in range(4)}
    assert {DAYS[5], DAYS[8]} <= held
    told = capsys.readouterr().err
    assert f"({20 - len(held)} of 20 days): little burned then" in told and "2021-08-20 (" in told


def test_small_tiles_lie_close_and_burned_cells_in_none_are_told(cube, tmp_path, capsys):
    words = ["tiles", str(cube), "--labels", str(perimeters(tmp_path)), "--days", "16"]
    assert main([*words, "--size", "8", "--out", str(tmp_path / "close")]) == 0
    corners = {entry.corner for entry in Chips.open(tmp_path / "close").entries}
    assert {(8, 0), (8, 8)} <= corners
    assert "no tile holds 4 of 29 burned cells: too few lie" in capsys.readouterr().err
    assert main([*words, "--size", "8", "--step", "11", "--out", str(tmp_path / "apart")]) == 0
    said = capsys.readouterr().err
    assert (
        "note: chips of 8 cells, 11 cells apart, leave out what lies between; choose a smaller step" in said
    )
    assert "of 29 burned cells: too few lie close together, or between tiles" in said
    assert main([*words, "--size", "20", "--step", "30", "--out", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().err
    assert "leave out" not in said and "burned cells" not in said


def test_fields_of_perimeters_may_be_named(cube, tmp_path):
    path = tmp_path / "fires.geojson"
    fires = {"when": ["06/08/2021"]}
    gpd.GeoDataFrame(fires, geometry=[box(22.1, 38.1, 22.2, 38.2)], crs="EPSG:4326").to_file(path)
    words = ["tiles", str(cube), "--labels", str(path), "--out", str(tmp_path / "out"), *CUT]
    assert main([*words, "--date-field", "when", "--date-format", "dmy"]) == 0
    assert np.nansum(Chips.open(tmp_path / "out").read(0).target[5]) == pytest.approx(25, rel=0.02)


def test_options_of_perimeters_and_the_folder_of_a_cube_are_refused(cube, tmp_path, capsys):
    words = ["tiles", str(cube), *CUT, "--labels", str(LABELS["FireCCI"](tmp_path))]
    for option, value in (("date-field", "x"), ("end-field", "x"), ("date-format", "dmy"), ("layer", "x")):
        assert main([*words, "--out", str(tmp_path / "out"), f"--{option}", value]) == 2
        said = capsys.readouterr().err
        assert f"error: --{option} is for perimeters, and " in said and "is of the kind firecci" in said
    assert not (tmp_path / "out").exists()
    before = sorted(path.name for path in cube.iterdir())
    assert main([*words, "--out", str(cube)]) == 2
    assert "T.zarr is a cube or another Zarr store; give another folder" in capsys.readouterr().err
    assert sorted(path.name for path in cube.iterdir()) == before


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (("perimeters", "FireCCI"), "labels of several kinds (firecci, perimeters); give those of one"),
        (("perimeters", "perimeters"), "2 paths of the kind perimeters, of which one is read"),
    ],
)
def test_labels_that_do_not_go_together(cube, tmp_path, capsys, kinds, told):
    words = [word for kind in kinds for word in ("--labels", str(LABELS[kind](tmp_path)))]
    assert main(["tiles", str(cube), *words, "--out", str(tmp_path / "out"), *CUT]) == 2
    assert told in capsys.readouterr().err
