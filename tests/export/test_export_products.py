"""All products of a map: complete or not there, the same again, and one line where it cannot be."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.errors import InputError, NotFoundError, OutputError, UnreadableFileError
from banet.export import (
    check_products,
    find_manifests,
    read_map,
    write_products,
)
from banet.export.stac import collect, collection_file, write_collection
from banet.grid.region import Region
from banet.io.files import sha256
from banet.io.manifest import Manifest
from made_maps import map_of, random_map

NAMES = {
    "burn_date": "T_202108_burn_date.tif",
    "burn_date_qml": "T_202108_burn_date.qml",
    "burn_date_qmd": "T_202108_burn_date.qmd",
    "confidence": "T_202108_confidence.tif",
    "confidence_qml": "T_202108_confidence.qml",
    "confidence_qmd": "T_202108_confidence.qmd",
    "uncertainty": "T_202108_uncertainty.tif",
    "uncertainty_qml": "T_202108_uncertainty.qml",
    "uncertainty_qmd": "T_202108_uncertainty.qmd",
    "netcdf": "T_202108.nc",
    "stac": "T_202108.stac.json",
    "picture": "T_202108.png",
    "manifest": "T_202108_manifest.json",
}


def test_every_product_is_written_under_its_name(tmp_path):
    paths = write_products(random_map((20, 30)), tmp_path / "new" / "folder", "T_202108")
    assert {key: path.name for key, path in paths.items()} == NAMES
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(NAMES.values())
    manifest = check_products(paths["manifest"])
    assert set(manifest.products) == set(NAMES.values()) - {NAMES["manifest"]}
    assert manifest.products["T_202108.nc"] == sha256(paths["netcdf"])
    assert find_manifests(tmp_path / "new" / "folder") == [paths["manifest"]]


def test_equal_maps_give_equal_files_and_fingerprints(tmp_path):
    runs = []
    for name in "ab":
        manifest = Manifest.begin("banet map T.zarr", {"threshold": 0.5})
        paths = write_products(random_map((20, 30)), tmp_path / name, "T", manifest=manifest, stac=True)
        runs.append(Manifest.load(paths["manifest"]))
    assert runs[0].products == runs[1].products and len(runs[0].products) == 12
    assert runs[0].fingerprint == runs[1].fingerprint
    assert runs[0].finished >= runs[0].started


def test_pictures_can_be_left_out(tmp_path):
    burnmap = random_map((6, 7))
    paths = write_products(burnmap, tmp_path, "T", pictures=False)
    assert "picture" not in paths and not (tmp_path / "T.png").exists()
    np.testing.assert_array_equal(read_map(paths["netcdf"]).burn_date, burnmap.burn_date)


def test_a_second_run_replaces_the_first(tmp_path):
    write_products(random_map((6, 7), seed=1), tmp_path, "T", pictures=False)
    burnmap = random_map((6, 7), seed=2)
    paths = write_products(burnmap, tmp_path, "T", pictures=False)
    np.testing.assert_array_equal(read_map(paths["netcdf"]).burn_date, burnmap.burn_date)
    check_products(paths["manifest"])


def test_a_layer_that_a_map_lacks_does_not_stay_from_the_one_before(tmp_path):
    calibration = {"mapped": [0, 1], "burned": [0, 0.5], "tenth": [0, 0.6], "date_mass": 0.5}
    plain = random_map((6, 7), seed=2)
    more = replace(plain, attrs={**plain.attrs, "calibration": calibration})
    assert write_products(more, tmp_path, "T", pictures=False)["over_tenth"].is_file()
    paths = write_products(plain, tmp_path, "T", pictures=False)
    assert "over_tenth" not in paths and not list(tmp_path.glob("*over_tenth*"))


def test_a_run_that_breaks_off_leaves_no_manifest(tmp_path, monkeypatch):
    write_products(random_map((6, 7)), tmp_path, "T", pictures=False)
    assert (tmp_path / "T_manifest.json").exists()

    def broken(*_, **__):
        raise OutputError("no space left")

    monkeypatch.setattr("banet.export.products.write_cog", broken)
    with pytest.raises(OutputError, match="no space left"):
        write_products(random_map((6, 7)), tmp_path, "T", pictures=False)
    assert not (tmp_path / "T_manifest.json").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]
    assert find_manifests(tmp_path) == []


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_products_that_were_lost_or_changed_are_named(tmp_path, damage):
    paths = write_products(random_map((6, 7)), tmp_path, "T", pictures=False)
    if damage == "lost":
        paths["confidence"].unlink()
    else:
        paths["confidence"].write_bytes(paths["confidence"].read_bytes() + b"x")
    with pytest.raises(UnreadableFileError, match=r"T_confidence\.tif$"):
        check_products(paths["manifest"])


def test_where_nothing_can_be_written_it_says_so_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="cannot write to the folder") as caught:
            write_products(random_map((6, 7)), folder, "T")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs a file system that refuses to be written to"
)
def test_a_read_only_file_system_is_one_line():
    with pytest.raises(OutputError, match="cannot write to the folder /proc/banet"):
        write_products(random_map((6, 7)), "/proc/banet", "T")


@pytest.mark.parametrize("stem", ["", "a/b", "..", "."])
def test_a_stem_is_no_path(tmp_path, stem):
    with pytest.raises(InputError, match="is no first part of a file name"):
        write_products(random_map((6, 7)), tmp_path, stem)


def test_a_folder_without_maps_and_no_folder(tmp_path):
    assert find_manifests(tmp_path) == []
    with pytest.raises(NotFoundError, match="the folder of maps"):
        find_manifests(tmp_path / "nowhere")


# --- STAC


def item_of(burnmap, folder):
    pystac = pytest.importorskip("pystac")
    path = write_products(burnmap, folder, "T_202108", pictures=False, stac=True)["stac"]
    return json.loads(path.read_text()), pystac.Item.from_file(str(path))


def test_the_item_names_the_products_and_the_period(tmp_path):
    burnmap = map_of(np.full((20, 30), 3))
    fields, item = item_of(burnmap, tmp_path)
    assert item.id == "T_202108" and fields["bbox"] == [-8.0, 39.8, -7.7, 40.0]
    assert item.properties["start_datetime"] == "2021-08-01T00:00:00Z"
    assert item.properties["end_datetime"] == "2021-08-31T23:59:59Z"
    assert item.properties["proj:shape"] == [20, 30] and item.properties["proj:transform"][
        0
    ] == pytest.approx(0.01)
    assert item.properties["banet:burned_area_ha"] == pytest.approx(burnmap.burned_area_ha, abs=0.1)
    for asset in item.assets.values():
        assert (tmp_path / asset.href).is_file()
    assert fields["assets"]["burn_date"]["bands"][0]["nodata"] == -1


def test_hectares_that_nobody_saw_are_null(tmp_path):
    offset = np.full((4, 4), -1)
    burnmap = map_of(offset, unseen=np.ones(offset.shape, bool))
    paths = write_products(burnmap, tmp_path, "T_202108", pictures=False)
    assert json.loads(paths["stac"].read_text())["properties"]["banet:burned_area_ha"] is None
    assert "not observed)" in repr(burnmap) and " 0 ha" not in burnmap._repr_html_()


def test_an_item_across_the_antimeridian_is_cut_there(tmp_path):
    fields, _ = item_of(random_map((20, 40), region=Region("CK", (179.8, 66, -179.8, 66.2), 0.01)), tmp_path)
    assert fields["geometry"]["type"] == "MultiPolygon"
    assert fields["bbox"] == [179.8, 66.0, -179.8, 66.2]
    longitudes = np.array([x for polygon in fields["geometry"]["coordinates"] for x, _ in polygon[0]])
    assert longitudes.min() == -180 and longitudes.max() == 180


def test_items_and_the_collection_lead_to_one_another(tmp_path):
    pystac, validation = pytest.importorskip("pystac"), pytest.importorskip("pystac.validation")
    for month in ("2021-08", "2021-09"):
        burnmap = map_of(np.full((20, 30), 3), start=f"{month}-01", days=30)
        write_products(burnmap, tmp_path, f"T_{month}", pictures=False, collection="./T_collection.json")
    collection = pystac.Collection.from_file(str(collect(tmp_path, "T")))
    for path in sorted(tmp_path.glob("*.stac.json")):
        item = pystac.Item.from_file(str(path))
        assert item.collection_id == collection.id == "banet-T"
        assert item.get_collection().id == item.get_parent().id == "banet-T"
        # The schema of the extension is not at hand without a network.
        validation.validate_dict({**json.loads(path.read_text()), "stac_extensions": []})
    assert [check_products(path).command for path in find_manifests(tmp_path)]
    fields, _ = item_of(burnmap, tmp_path / "alone")
    assert "collection" not in fields and fields["links"] == []


def test_each_region_of_a_folder_has_a_collection_of_its_own(tmp_path):
    """The second one wrote over the first's, and listed its items under another name than they bear."""
    pystac = pytest.importorskip("pystac")
    for name in ("A", "B"):
        burnmap = random_map((20, 30), region=Region(name, (-8, 39.8, -7.7, 40), 0.01))
        place = f"./{collection_file(name)}"
        write_products(burnmap, tmp_path, f"{name}_202108", pictures=False, collection=place)
        collect(tmp_path, name)
    for name in ("A", "B"):
        collection = pystac.Collection.from_file(str(tmp_path / f"{name}_collection.json"))
        (item,) = collection.get_items()
        assert item.id == f"{name}_202108"
        assert item.get_collection().id == item.collection_id == collection.id == f"banet-{name}"
    (tmp_path / "other.stac.json").write_text('{"type": "Feature", "properties": {"datetime": "x"}}')
    assert collect(tmp_path, "A").is_file(), "an item of another program is none of it"
    (tmp_path / "other.stac.json").unlink()
    for damaged in ('{"type":', "[]", '{"bbox": null, "collection": "banet-A"}'):
        (tmp_path / "B_202109.stac.json").write_text(damaged, encoding="utf-8")
        for written in (lambda: collect(tmp_path, "A"), lambda: write_collection(tmp_path, "x", "x")):
            with pytest.raises(UnreadableFileError, match=r"B_202109\.stac\.json is no STAC item"):
                written()


def test_a_collection_leads_to_the_items_of_a_folder(tmp_path):
    pystac = pytest.importorskip("pystac")
    with pytest.raises(NotFoundError, match="no STAC item"):
        write_collection(tmp_path, "banet-T", "Burned area of T")
    for month in ("2021-08", "2021-09"):
        burnmap = map_of(np.full((20, 30), 3), start=f"{month}-01", days=30)
        write_products(burnmap, tmp_path, f"T_{month}", pictures=False)
    path = write_collection(tmp_path, "banet-T", "Burned area of T")
    collection = pystac.Collection.from_file(str(path))
    assert sorted(item.id for item in collection.get_items()) == ["T_2021-08", "T_2021-09"]
    assert collection.extent.spatial.bboxes == [[-8.0, 39.8, -7.7, 40.0]]
    first, last = collection.extent.temporal.intervals[0]
    assert (str(first)[:10], str(last)[:10]) == ("2021-08-01", "2021-09-30")
