"""Words about each number: one source for all of them, and true of the map that was made."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.meaning import meanings, rows
from banet.burned_area.netcdf import read_map
from banet.days import day_range
from banet.export import write_products
from banet.grid.region import Region
from banet.io.tables import to_markdown

DOCS = Path(__file__).parents[2] / "docs" / "products.md"
REGION = Region("T", (10, 40, 10.04, 40.01), 0.01)
DAYS = day_range(np.datetime64("2021-08-01"), np.datetime64("2021-08-11"))


def a_map(calibration=None, **attrs):
    """Map one row of four cells; the second burned with a fraction of 0.6, spread over five days."""
    p = np.zeros((10, 1, 4), np.float32)
    p[2:7, 0, 1] = [0.05, 0.15, 0.2, 0.15, 0.05]
    return BurnedArea.from_probabilities(
        REGION, DAYS, p, np.ones(p.shape, bool), attrs={"calibration": calibration, "weights": [], **attrs}
    )


def curve(mass, quantile=None, at=0.51):
    return {"mapped": [0, 0.6, 1], "burned": [0, at, 1], "date_mass": mass, "date_quantile": quantile}


def said_by_files(source, folder):
    """Return what tag, description, CF attributes, style, STAC item and manifest say of each layer."""
    import json

    paths = write_products(source, folder, "T", pictures=False, stac=True)
    found = {}
    with xr.open_dataset(paths["netcdf"], engine="h5netcdf", decode_cf=False) as dataset:
        attrs = {name: dict(dataset[name].attrs) for name in dataset.data_vars}
    item = json.loads(paths["stac"].read_text())
    for name in ("burn_date", "confidence", "uncertainty"):
        with rasterio.open(paths[name]) as raster:
            found[name] = {
                "tag": raster.tags()["codes"],
                "method": raster.tags().get("method", ""),
                "long_name": attrs[name]["long_name"],
                "comment": attrs[name].get("comment", ""),
                "qml": paths[f"{name}_qml"].read_text(),
                "stac": item["assets"][name]["description"],
                "value": int(raster.read(1)[0, 1]),
            }
    return found


@pytest.mark.parametrize(("mass", "at"), [(0.41, 0.51), (0.73, 0.88), (0.8, 0.6)])
def test_calibrated_weights_say_confidence_and_their_own_mass(tmp_path, mass, at):
    found = said_by_files(a_map(curve(mass, at=at)), tmp_path)
    confidence, uncertainty = found["confidence"], found["uncertainty"]
    assert confidence["value"] == round(100 * at)
    words = "confidence in percent that at least half of the cell burned"
    for place in ("tag", "long_name", "qml", "stac"):
        assert words in confidence[place] and "burned fraction of the cell" not in confidence[place], place
        assert f"hold {100 * mass:g} % of the probability" in uncertainty[place], place
        assert mass == 0.8 or "80" not in uncertainty[place], place


def test_weights_without_calibration_say_burned_fraction_and_four_fifths(tmp_path):
    found = said_by_files(a_map(), tmp_path)
    assert found["confidence"]["value"] == 60
    for place in ("tag", "long_name", "qml", "stac"):
        assert "burned fraction of the cell in percent" in found["confidence"][place], place
        assert "hold 80 % of the probability" in found["uncertainty"][place], place
    assert found["burn_date"]["method"] == "the day of the largest daily probability"


def test_the_date_says_how_it_was_found(tmp_path):
    found = said_by_files(a_map(curve(0.41, 0.25)), tmp_path)
    assert "25 % of the summed daily probability" in found["burn_date"]["method"]
    assert found["burn_date"]["comment"] == found["burn_date"]["method"]


def test_a_map_is_dated_as_it_says():
    """Interval and date follow the calibration in the attributes, by hand from the five probabilities."""
    wide, narrow = a_map(curve(0.9)), a_map(curve(0.3))
    assert (wide.uncertainty[0, 1], narrow.uncertainty[0, 1]) == (2, 0)
    assert str(a_map(curve(0.4, 0.25)).burn_date[0, 1]) == "2021-08-04"
    assert str(a_map().burn_date[0, 1]) == "2021-08-05"


def test_maps_without_a_network_promise_no_share_of_a_probability():
    date = np.array([["NaT", "2021-08-03", "NaT", "NaT"]], "datetime64[D]")
    fires = BurnedArea.from_dates(
        REGION, DAYS[0], DAYS[-1] + 1, date, name="active fires", attrs={"method": "active fires"}
    )
    said = meanings(fires)
    assert "probability" not in said["uncertainty"].text + said["burn_doy"].method
    stated = BurnedArea.from_dates(
        REGION, DAYS[0], DAYS[-1] + 1, date, stated_confidence=np.full((1, 4), 70, np.float32)
    )
    assert meanings(stated)["confidence"].words.endswith("as the source states it")
    assert stated.confidence[0, 1] == 70


def test_words_come_back_with_the_file(tmp_path):
    source = a_map(curve(0.41, 0.4))
    paths = write_products(source, tmp_path, "T", pictures=False)
    assert rows(read_map(paths["netcdf"])) == rows(source)


@pytest.mark.parametrize("calibration", [None, curve(0.41, 0.4)])
def test_the_page_of_products_says_the_same(calibration):
    assert to_markdown(rows(a_map(calibration))) in DOCS.read_text()


def test_the_layer_of_over_a_tenth_is_there_where_the_weights_tell(tmp_path):
    tells = {**curve(0.41), "tenth": [0, 0.9, 1]}
    assert a_map(curve(0.41)).over_tenth is None
    made = a_map(tells)
    assert made.over_tenth.tolist() == [[0, 90, 0, 0]]
    paths = write_products(made, tmp_path, "T", pictures=False, stac=True)
    with rasterio.open(paths["over_tenth"]) as raster:
        assert raster.read(1).tolist() == made.over_tenth.tolist()
        assert "more than a tenth" in raster.tags()["codes"]
    with xr.open_dataset(paths["netcdf"], engine="h5netcdf", decode_cf=False) as dataset:
        assert dataset["over_tenth"].values[0].tolist() == made.over_tenth.tolist()
    assert "more than a tenth" in paths["over_tenth_qml"].read_text()
    assert read_map(paths["netcdf"]).over_tenth.tolist() == made.over_tenth.tolist()
