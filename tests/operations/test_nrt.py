"""Mornings in near real time: names that last, products, revisions, and runs that were killed or repeated."""

from __future__ import annotations

import errno
import json
import shutil
import warnings
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from banet import read_map
from banet.cli import main
from banet.cube import Cube
from banet.download.errors import TransferError
from banet.errors import BanetWarning, BusyError, InputError, NotFoundError, OutputError
from banet.grid.region import Region
from banet.io.arrays import load_arrays, save_arrays
from banet.io.lock import lock
from banet.observations.planes import DayPlanes
from banet.operations import nrt
from banet.operations.identity import Status
from banet.operations.nrt import replay, run_morning
from banet.operations.options import MorningOptions
from banet.operations.precision import Precision
from banet.operations.state import MorningState, check_owner, newest_before
from banet.operations.steps import Clock, Silent
from fake_agencies import KEY, TOKEN, agencies  # noqa: F401

REGION = Region("M", (-8.0, 40.0, -7.76, 40.24), 0.01)
FIRST, LAST = "2020-07-02", "2020-07-06"

pytestmark = pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")


@pytest.fixture(scope="module")
def scene():
    from banet.simulation import simulate

    return simulate(REGION, start="2020-06-10", days=40, seed=23)


def write_day(cube, scene, index):
    planes = {name: getattr(scene, name)[index] for name in ("red", "nir", "mir", "view_zenith")}
    count = np.isfinite(planes["nir"]).astype(np.uint8)
    seen = DayPlanes(**planes, count=count, inputs=("made.hdf",), satellites=("S-NPP",))
    cube.write_day(scene.days[index], seen, scene.frp[index])


@pytest.fixture(scope="module")
def data(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    REGION.save(folder)
    cube = Cube.create(folder / "M.zarr", REGION, sensor="VIIRS S-NPP", mir_band="M12")
    for index in range(scene.days.size):
        write_day(cube, scene, index)
    return folder


def options(data, out, **more):
    settings = {"download": False, "min_hectares": 20, **more}
    return MorningOptions(region=str(data / "R_M.json"), data=data, out=out, **settings)


def test_a_morning_that_runs_over_midnight_keeps_its_day(data, tmp_path, monkeypatch):
    clock = iter(np.arange("2020-07-03", "2020-07-10", dtype="datetime64[D]"))
    monkeypatch.setattr("banet.days.today_utc", lambda: next(clock))
    monkeypatch.setattr(nrt, "_run", lambda asked, *_: [str(asked.last_day) for _ in range(3)])
    assert run_morning(options(data, tmp_path / "out"), engine=object()) == ["2020-07-02"] * 3


@pytest.fixture(scope="module")
def mornings(data, tmp_path_factory):
    """Past mornings, one after another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BanetWarning)
        return list(replay(options(data, tmp_path_factory.mktemp("out")), FIRST, LAST))


def contents(folder):
    """All files of a folder but those that hold times of the day."""
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.iterdir())
        if not file.name.endswith("_manifest.json")
    }


def register_weights(morning):
    return MorningState.load(morning.folder / "M_state.npz").looks.weights


def register(morning):
    return MorningState.load(morning.folder / "M_state.npz").register


def test_a_fire_keeps_its_name_as_it_grows(mornings):
    ids = [set(gpd.read_file(one.folder / "M_fires.gpkg", layer="fires")["id"]) for one in mornings]
    assert ids[-1]
    for (before, after), one in zip(pairwise(ids), mornings[1:], strict=True):
        states = {register(one).fires[name].status for name in before - after}
        assert states <= {Status.WITHDRAWN, Status.MERGED, Status.ENDED}
        assert after - before <= {*one.status["new"], *one.status["grown"]}
    first_seen = {}
    for one in mornings:
        for name, fire in register(one).fires.items():
            assert first_seen.setdefault(name, fire.first_seen) == fire.first_seen
    assert set(first_seen) == set(register(mornings[-1]).fires)
    assert any(one.status["grown"] for one in mornings)
    assert mornings[-1].status["fires"] == len(ids[-1])


def test_layers_agree_with_the_map(mornings):
    last = mornings[-1]
    burned = read_map(last.folder / last.status["files"]["netcdf"])
    path = last.folder / "M_fires.gpkg"
    fires = gpd.read_file(path, layer="fires").set_index("id")
    lines, growth = gpd.read_file(path, layer="perimeters"), gpd.read_file(path, layer="growth")
    assert last.status["hectares"] == round(burned.burned_area_ha, 1)
    assert fires["area_ha"].sum() <= burned.burned_area_ha + 1e-6
    assert set(fires["status"]) <= {"new", "grown", "quiet", "ended"}
    assert not growth.duplicated(["id", "day"]).any()
    assert growth.groupby("id")["area_ha"].sum().to_dict() == pytest.approx(fires["area_ha"].to_dict())
    for name, own in lines.groupby("id"):
        whole = own.sort_values("day").geometry.iloc[-1]
        assert whole.symmetric_difference(fires.geometry[name]).area == pytest.approx(0, abs=1e-12)
        areas = shapely.area(own.sort_values("day").geometry.to_numpy())
        assert (np.diff(areas) > 0).all()
    assert gpd.read_parquet(last.folder / "M_fires.parquet")["id"].tolist() == fires.index.tolist()
    assert gpd.read_file(last.folder / "M_fires.geojson")["id"].tolist() == fires.index.tolist()


def test_the_front_of_one_cell_is_its_four_edges():
    from banet.burned_area.fires import events_of_cells
    from banet.burned_area.perimeters import perimeters

    cell = {"id": ["a", "a"], "row": [3, 3], "col": [5, 6], "day": [10, 12]}
    cells = pd.DataFrame({**cell, "fraction": 1.0, "uncertainty": np.uint8(2)})
    found = perimeters(events_of_cells(cells, REGION))
    km = 0.01 * np.pi / 180 * 6371  # of a degree on a sphere; the ellipsoid differs by less than 0.5 %
    south, north = np.cos(np.radians([40.2, 40.21]))
    one = 2 * km + km * (south + north)
    assert found["front_km"].tolist() == pytest.approx([one, one + km * (south + north)], rel=0.005)
    assert found["area_ha"].sum() == pytest.approx(found["total_ha"].iloc[-1])


def test_days_since_counts_later_days_with_images(mornings, data):
    import rasterio

    last = mornings[-1]
    burned = read_map(last.folder / last.status["files"]["netcdf"])
    with rasterio.open(last.folder / last.status["files"]["days_since"]) as raster:
        values, codes, nodata = raster.read(1), raster.tags()["codes"], raster.nodata
    assert nodata == 255
    assert "255 = not burned" in codes
    window = Cube.open(data / "M.zarr").read(burned.start, burned.stop)
    rows, cols = np.nonzero(burned.burned)
    assert rows.size
    for row, col in zip(rows, cols, strict=True):
        later = window.days > burned.burn_date[row, col]
        assert values[row, col] == np.isfinite(window.nir[later, row, col]).sum()
    assert (values[~burned.burned] == 255).all()


def test_each_cell_carries_the_share_that_stays_at_its_age(mornings, data, tmp_path):
    import rasterio

    shown = np.full(34, 1000)
    stayed = np.linspace(700, 1000, 34).astype(int)
    last = mornings[-1]
    weights = register_weights(last)
    table = Precision(shown, stayed, stayed, weights, "made by hand").save(tmp_path / "p.json")
    done = run_morning(options(data, tmp_path / "out", day=LAST, precision=table))
    stem = last.status["files"]["netcdf"].removesuffix(".nc")
    planes = {}
    for name in ("days_since", "stays"):
        with rasterio.open(done.folder / f"{stem}_{name}.tif") as raster:
            planes[name] = raster.read(1)
        title = (done.folder / f"{stem}_{name}.qmd").read_text()
        assert " of M, 2020-05-04 to" in title and "<abstract>" in title
        style = (done.folder / f"{stem}_{name}.qml").read_text()
        assert ('"100 %"' in style) == (name == "stays") and ("days or more" in style) == (name != "stays")
    burned = planes["days_since"] < 255
    with xr.open_dataset(done.folder / f"{stem}.nc") as held:
        for name, plane in planes.items():
            told = held[name].isel(time=0).to_numpy()
            assert np.isnan(told[~burned]).all() and (told[burned] == plane[burned]).all()
    percent = np.round(100 * stayed / shown)[np.minimum(planes["days_since"][burned], 33)]
    np.testing.assert_array_equal(planes["stays"][burned], percent)
    assert (planes["stays"][~burned] == 255).all()
    assert done.status["stays"] == pytest.approx(percent.mean() / 100, abs=0.001)
    Precision(shown, stayed, stayed, "others", "").save(table)
    with pytest.raises(InputError, match="other weights"):
        run_morning(options(data, tmp_path / "out", day=LAST, precision=table))


def test_the_status_tells_gaps_images_and_hot_spots(mornings, scene):
    status = json.loads((mornings[-1].folder.parent / "status.json").read_text())
    assert status == mornings[-1].status
    assert status["day"] == LAST
    assert status["first_day"] == "2020-05-04"
    assert status["gaps"]["2020-05-04"] == ["the cube does not hold this day"]
    seen = [day for day, nir in zip(scene.days, scene.nir, strict=True) if np.isfinite(nir).any()]
    newest = str(max(day for day in seen if day <= np.datetime64(LAST)))
    assert status["newest_images"] == newest
    assert status["newest_images_by_satellite"] == {"S-NPP": newest}
    assert set(status["files"].values()) <= set(contents(mornings[-1].folder))


def test_revisions_tell_each_cell_that_changed(mornings):
    before, after = (read_map(one.folder / one.status["files"]["netcdf"]) for one in mornings[-2:])
    table = pd.read_parquet(mornings[-1].folder / "M_revisions.parquet")
    changed = (before.burn_date != after.burn_date) & ~(
        np.isnat(before.burn_date) & np.isnat(after.burn_date)
    )
    assert len(table) == changed.sum()
    said = dict(mornings[-1].status["revisions"])
    assert said.pop("since") == "2020-07-05"
    assert said.pop("cells") == sum(sum(causes.values()) for causes in said.values())
    assert not (mornings[0].folder / "M_revisions.parquet").exists()
    assert mornings[0].status["revisions"] is None


def test_latest_is_a_copy_of_the_newest(mornings):
    out = mornings[-1].folder.parent
    assert contents(out / "latest") == contents(out / LAST)
    assert not (out / ".unfinished").exists()


def test_a_morning_that_was_killed_or_is_run_twice_gives_the_same(mornings, data, tmp_path, monkeypatch):
    kept = mornings[-1].folder.parent
    shutil.copytree(kept / "2020-07-05", tmp_path / "2020-07-05")
    chosen = options(data, tmp_path, day=LAST)

    def fails(*given, **named):
        raise OutputError("the disk is full")

    for place in ("write_morning", "write_json"):
        with monkeypatch.context() as patch:
            patch.setattr(nrt, place, fails)
            with pytest.raises(OutputError):
                run_morning(chosen)
    run_morning(chosen)
    assert contents(tmp_path / LAST) == contents(kept / LAST)
    assert contents(tmp_path / "latest") == contents(kept / LAST)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_disk_that_is_full_when_latest_is_copied_is_told_in_one_line(data, tmp_path, monkeypatch):
    def full(source, target, **named):
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(OutputError, match=r"^cannot write \S+latest: No space left on device$"):
            run_morning(options(data, tmp_path, day=LAST))
    assert "No space left" in json.loads((tmp_path / "status.json").read_text())["error"]
    assert not (tmp_path / "latest").exists()


def test_a_morning_with_another_threshold_says_so(mornings, data, tmp_path, capsys):
    before = mornings[-2].folder
    shutil.copytree(before, tmp_path / before.name)
    words = ["nrt", str(data / "R_M.json"), "--data", str(data), "--out", str(tmp_path), "--no-download"]
    shown = read_map(mornings[-1].folder / mornings[-1].status["files"]["netcdf"])
    half = f"{np.median(shown.burned_fraction[shown.burned]):.3f}"
    assert main([*words, "--day", LAST, "--min-hectares", "20", "--threshold", half, "--json"]) == 0
    said = capsys.readouterr()
    status = json.loads(said.out)
    kinds = [found for found in status["revisions"].values() if isinstance(found, dict)]
    assert {cause for found in kinds for cause in found} == {"other settings"}
    note = "threshold not as on the morning of 2020-07-05; cells that changed for it: other settings"
    assert note in status["notes"]
    assert f"note: {note}" in said.err


def test_a_state_of_an_older_version_has_no_settings(mornings, tmp_path):
    state = MorningState.load(mornings[-1].folder / "M_state.npz")
    assert set(state.looks.settings) == {"polygons", "threshold", "water"}
    arrays = load_arrays(mornings[-1].folder / "M_state.npz")
    about = json.loads(arrays["about"].tobytes())
    del about["settings"]
    save_arrays(
        tmp_path / "old.npz", {**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
    )
    assert MorningState.load(tmp_path / "old.npz").looks.settings == {}


def test_a_folder_without_a_satellite_file_leaves_the_cube_alone(mornings, data, tmp_path):
    place = tmp_path / "data"
    shutil.copytree(data, place)
    (place / "viirs").mkdir()
    (place / "viirs" / ".A2020180.h5.lock").touch()
    (place / "viirs" / "report.json").touch()
    result = run_morning(options(place, tmp_path / "out", day=FIRST))
    assert (result.exit_code, result.status["hectares"]) == (0, mornings[0].status["hectares"])


def test_a_late_day_is_told_as_such_and_an_old_one_exits_3(scene, data, tmp_path, capsys):
    place = tmp_path / "data"
    place.mkdir()
    REGION.save(place)
    cube = Cube.create(place / "M.zarr", REGION, sensor="VIIRS S-NPP", mir_band="M12")
    for index in range(22):
        write_day(cube, scene, index)
    words = ["nrt", str(place / "R_M.json"), "--data", str(place), "--out", str(tmp_path / "out")]
    words += ["--no-download", "--min-hectares", "20", "--json"]
    assert main([*words, "--day", "2020-07-03", "--max-age", "1"]) == 3
    first = json.loads(capsys.readouterr().out)
    assert first["exit_code"] == 3
    assert "days before 2020-07-03" in first["failed"][0]
    write_day(cube, scene, 22)
    write_day(cube, scene, 23)
    assert main([*words, "--day", "2020-07-04", "--max-age", "1"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert "2020-07-03" not in second["gaps"]
    causes = [cause for kind in ("added", "re-dated") for cause in second["revisions"].get(kind, {})]
    assert {"late granule", "hot spot came"} & set(causes)


def test_a_stac_catalogue_leads_to_the_items(data, mornings, tmp_path):
    pystac = pytest.importorskip("pystac")
    for day in ("2020-07-05", "2020-07-04"):  # one that is run later than a newer one is listed too
        run_morning(options(data, tmp_path, day=day, stac=True))
    catalogue = pystac.Collection.from_file(str(tmp_path / "collection.json"))
    items = sorted(catalogue.get_items(), key=lambda item: item.id)
    plain = pystac.Catalog.from_file(str(tmp_path / "catalog.json"))
    assert sorted(item.id for item in plain.get_items()) == [item.id for item in items]
    assert [item.properties["end_datetime"][:10] for item in items] == ["2020-07-04", "2020-07-05"]
    latest = pystac.Item.from_file(str(*(tmp_path / "latest").glob("*.stac.json")))
    assert {item.get_collection().id for item in (*items, latest)} == {catalogue.id}
    assert {item.collection_id for item in (*items, latest)} == {catalogue.id}
    for name in ("burn_date", "days_since", "days_since_qml"):
        assert (tmp_path / "2020-07-05" / items[1].assets[name].href).is_file()
    run_morning(options(data, tmp_path, day="2020-07-05", stac=False))
    assert not list((tmp_path / "2020-07-05").glob("*.stac.json"))
    listed = [pystac.Collection.from_file(str(tmp_path / "collection.json"))]
    listed.append(pystac.Catalog.from_file(str(tmp_path / "catalog.json")))
    assert [[item.id for item in one.get_items()] for one in listed] == [[items[0].id]] * 2
    (tmp_path / "catalog.json").write_text('{"id": "of another"}')
    run_morning(options(data, tmp_path, day="2020-07-04", stac=False))
    assert not (tmp_path / "collection.json").exists()
    assert (tmp_path / "catalog.json").read_text() == '{"id": "of another"}'


@pytest.mark.parametrize("fault", ["no login", "no host"])
def test_where_nothing_can_be_fetched_the_files_at_hand_have_to_do(
    fault,
    agencies,  # noqa: F811
    mornings,
    data,
    tmp_path,
    monkeypatch,
):
    closed = {"search": "http://127.0.0.1:9/granules.umm_json"} if fault == "no host" else {}
    config = agencies.config(tmp_path / "download.yaml", earthdata=closed)
    monkeypatch.setenv("BANET_DOWNLOAD_CONFIG", str(config))
    monkeypatch.setenv("FIRMS_MAP_KEY", KEY)
    if fault == "no host":
        monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
    shutil.copytree(mornings[0].folder.parent / "2020-07-05", tmp_path / "out" / "2020-07-05")
    done = run_morning(options(data, tmp_path / "out", day=LAST, download=True))
    assert done.exit_code == 3
    line, hot_spots = done.status["failed"]
    assert hot_spots.startswith("download: hot spots: the days that FIRMS has")  # the season serves none
    assert ("127.0.0.1" if fault == "no host" else "EARTHDATA_TOKEN") in line
    assert TOKEN not in line + json.dumps(done.status)
    assert done.status["hectares"] == mornings[-1].status["hectares"]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("hot spots", ["one: late", "download: hot spots: 503"]),
        ("satellite files", ["download: satellite files: 503", "one: late"]),
    ],
)
def test_trouble_with_one_host_leaves_the_other_files_to_be_fetched(
    broken, told, data, tmp_path, monkeypatch
):
    asked = []

    def fetch(options, places, days, reporter, *, images, hotspots, key):
        assert images != hotspots
        asked.append("satellite files" if images else "hot spots")
        if asked[-1] == broken:
            raise TransferError("503")
        return ("one: late",)

    monkeypatch.setattr(nrt, "fetch", fetch)
    monkeypatch.setenv("FIRMS_MAP_KEY", KEY)
    chosen = options(data, tmp_path, day=LAST, download=True)
    clock = Clock(Silent())
    assert nrt._fetched(chosen, None, np.array([LAST], "datetime64[D]"), clock) == told
    assert asked == ["satellite files", "hot spots"]


def test_a_key_that_nobody_gives_is_asked_for_once_and_images_are_fetched(data, tmp_path, monkeypatch):
    asked = []
    monkeypatch.delenv("FIRMS_MAP_KEY", raising=False)
    monkeypatch.setattr("banet.download.credentials._key_on_terminal", lambda: asked.append("key") or "")
    monkeypatch.setattr(nrt, "fetch", lambda *_, images, **__: asked.append(f"images {images}") or ())
    chosen = options(data, tmp_path, day=LAST, download=True)
    (line,) = nrt._fetched(chosen, None, np.array([LAST], "datetime64[D]"), Clock(Silent()))
    assert line.startswith("download: hot spots: the FIRMS area service needs a key")
    assert asked == ["key", "images True"]


def test_one_run_at_a_time_and_wrong_input(data, mornings, tmp_path, capsys):
    with lock(tmp_path / "M", "the test"), pytest.raises(BusyError, match="mornings of M"):
        run_morning(options(data, tmp_path, day=LAST))
    assert not (tmp_path / "status.json").exists()
    with pytest.raises(NotFoundError):
        run_morning(options(tmp_path, tmp_path / "o", day=LAST).model_copy(update={"region": "PT"}))
    (tmp_path / "2020-07-01").mkdir()
    with pytest.raises(InputError, match="its own folder"):
        run_morning(options(data, tmp_path, day=LAST))
    assert json.loads((tmp_path / "status.json").read_text())["exit_code"] == 2
    words = ["nrt", "PT", "--data", str(tmp_path), "--out", str(tmp_path / "p"), "--day", "2020-07-03"]
    assert main([*words, "--replay", "2020-07-01", "2020-07-02"]) == 2
    assert "not both" in capsys.readouterr().err


def test_a_morning_whose_state_was_taken_away_is_passed_over(mornings, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(mornings[-1].folder.parent, out)
    newest, before = sorted(out.glob("2020-*"))[:-3:-1]
    (newest / "M_state.npz").unlink()
    check_owner(out, REGION)
    found = newest_before(out, np.datetime64(LAST) + 1, REGION)
    assert found is not None and found[1] == before
    shutil.rmtree(newest)
    newest.mkdir()
    with pytest.raises(InputError, match="its own folder"):
        check_owner(out, REGION)


def test_a_cube_of_another_region_is_never_mapped_as_this_one(data, tmp_path):
    other = Region("M", (-8.0, 40.0, -7.8, 40.2), 0.01).save(tmp_path)
    with pytest.raises(InputError, match=r"M.zarr is of Region.*-7.76.*not of Region.*-7.8"):
        run_morning(options(data, tmp_path / "o", day=LAST).model_copy(update={"region": str(other)}))
    (tmp_path / "N.zarr").symlink_to(data / "M.zarr")
    named = MorningOptions(
        region="-8,40,-7.76,40.24", name="N", data=tmp_path, out=tmp_path / "o", download=False, day=LAST
    )
    with pytest.raises(InputError, match=r"N.zarr is of Region\(name='M'"):
        run_morning(named)


def test_a_folder_keeps_to_one_region(data, mornings, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(mornings[0].folder, out / LAST)
    shutil.copy(mornings[0].folder / "status.json", out)
    before = contents(out / LAST)
    Cube.create(tmp_path / "N.zarr", Region("N", REGION.bbox, 0.01), sensor="VIIRS S-NPP", mir_band="M12")
    named = MorningOptions(region="-8,40,-7.76,40.24", name="N", data=tmp_path, out=out, download=False)
    for day in (FIRST, LAST):  # an older morning would not meet the other's folder
        with pytest.raises(InputError, match="holds no morning of N; give each region its own folder"):
            run_morning(named.model_copy(update={"day": day}))
    assert contents(out / LAST) == before
    assert json.loads((out / "status.json").read_text())["region"] == "M"


def test_incidents_that_name_no_fire_are_told(data, mornings, tmp_path):
    far = gpd.GeoDataFrame({"name": ["far"]}, geometry=[shapely.box(10, 40, 11, 41)], crs=4326)
    far.to_file(tmp_path / "far.geojson")
    told = Told()
    done = run_morning(options(data, tmp_path / "out", day=FIRST, incidents=tmp_path / "far.geojson"), told)
    assert f"note: 0 of {done.status['fires']} fires overlap an incident of their days" in told.lines


@pytest.mark.parametrize("held", [False, True])
def test_a_morning_without_hot_spots_says_what_tells_what_burned(held, tmp_path):
    from banet.ingest.folder import build_cube
    from banet.simulation import simulate, write_scene

    write_scene(simulate(REGION, start="2020-07-01", days=12, seed=23), tmp_path)
    if held:
        build_cube(REGION, tmp_path / "viirs", tmp_path / "hotspots", tmp_path / "M.zarr")
    shutil.rmtree(tmp_path / "hotspots")
    told = Told()
    done = run_morning(options(tmp_path, tmp_path / "out", day="2020-07-12"), told)
    (note,) = [line for line in done.status["notes"] if "no hot spots in" in line]
    known = "FRP of earlier builds is known on 4 of 64 days"
    assert note.endswith(f"; {known if held else 'the images alone tell what burned'}")
    assert f"note: {note}" in told.lines


class Told(Silent):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_a_damaged_state_is_told(mornings, tmp_path):
    from banet.errors import UnreadableFileError

    path = tmp_path / "M_state.npz"
    whole = (mornings[0].folder / "M_state.npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match="run its day again"):
        MorningState.load(path)


def test_the_last_day_is_yesterday_by_default():
    chosen = MorningOptions(region="PT", data="d", out="o")
    assert chosen.last_day == np.datetime64("today", "D") - 1
