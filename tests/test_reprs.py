"""Texts by which a session and a notebook show what it holds."""

from __future__ import annotations

import pytest

import banet
from banet.burned_area.fires import trace_events
from banet.evaluation import evaluate
from banet.grid.region import Region


@pytest.fixture(scope="module")
def scene():
    return banet.simulate(Region("HILLS", (-8.0, 40.0, -7.84, 40.16)), "2020-06-20", days=20, seed=5)


def test_all_that_a_session_shows_fits_two_lines(scene):
    truth = scene.truth()
    result = evaluate(truth, truth, draws=0)
    model = banet.load_model("default")
    for one in (scene, scene.world, truth, truth.dates(), trace_events(truth), result, model):
        assert "\n" not in repr(one) and len(repr(one)) <= 160, type(one)
    assert "HILLS" in repr(scene) and "ha burned" in repr(scene)
    assert repr(model).startswith("BANet('default', 796,395 parameters, red, nir")


def test_a_notebook_shows_the_card_of_weights_and_a_map_to_explore(scene):
    model = banet.load_model("default")
    card = str(model._repr_html_())
    assert card.startswith("<div>") and all(f">{name}<" in card for name in model.card)
    assert "fresh" in str(banet.BANet(banet.BANetConfig(width=8))._repr_html_())
    frame = scene.truth().explore(min_hectares=0)
    assert frame._repr_html_().startswith("<iframe") and "HILLS" in frame.text


def test_an_explored_map_says_which_days_were_seen_and_is_saved(scene, tmp_path):
    import xarray as xr

    axes = ("time", "latitude", "longitude")
    planes = {name: (axes, getattr(scene, name)) for name in ("red", "nir", "mir", "frp")}
    places = {"latitude": scene.region.latitudes, "longitude": scene.region.longitudes}
    held = xr.Dataset(planes, {"time": scene.days.astype("datetime64[ns]"), **places})
    banet.from_dataset(held, tmp_path / "a.zarr", name="HILLS")
    path = banet.explore(scene.truth(), cube=tmp_path / "a.zarr").save(tmp_path / "a.html")
    assert '"seen":[' in path.read_text() and '"seen":null' not in path.read_text()
    result = evaluate(scene.truth(), scene.truth(), draws=0, cube=tmp_path / "a.zarr")
    assert "dates_by_gap" in result.wholes["map"]
