"""Every family of files through reader, cube and map by the commands, and what the map says of its sensor."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from banet.cli import main
from banet.cube import open_cube
from banet.grid.region import Region
from banet.model.config import BANetConfig, InputSpec
from banet.model.network import BANet
from banet.model.weights import save_weights
from banet.simulation import simulate, write_scene
from banet.simulation.climates import climate_named

# Over the edge of two sinusoidal tiles; days of two years.
REGION = Region("EACH", (-8.2, 39.84, -7.8, 40.16), 0.01)
FIRST, DAYS = "2020-12-31", 2
#: Format of the simulator, its folder, the source that reads it, what it puts into the MIR slot.
CASES = {
    "gridded": ("viirs", "viirs750-gridded", "M12"),
    "gridded375": ("viirs375", "viirs375-gridded", "I4"),
    "swath750": ("swath", "viirs750-swath", "M12"),
    "swath375": ("swath", "viirs375-swath", "I4"),
    "surface": ("surface", "surface", "M11"),
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = BANet(BANetConfig.lean(4)).eval()
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(model, path, spec=InputSpec(sensor="VIIRS"), card={"data": "none: random numbers"})
    return path


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind == "swath375")) for kind in CASES]
)
def test_files_to_map(kind, weights, tmp_path, capsys):
    folder, source, band = CASES[kind]
    simulated = "M11" if kind == "surface" else "M12"
    burning = dataclasses.replace(climate_named("california"), fires=300, clouds=0.15)
    scene = simulate(REGION, FIRST, DAYS, seed=4, climate=burning, mir_band=simulated)
    write_scene(scene, tmp_path, formats=(kind, "hotspots"))
    out = tmp_path / "EACH.zarr"
    words = ["--viirs", tmp_path / folder, "--hotspots", tmp_path / "hotspots", "--out", out]
    words += ["--source", source]
    assert main(["cube", "build", str(tmp_path / "R_EACH.json"), *map(str, words)]) == 0
    cube = open_cube(out)
    assert cube.days.tolist() == scene.days.tolist()
    assert cube.mir_band == band
    assert cube.info().satellites == {"S-NPP": DAYS}
    seen = cube.read(FIRST, scene.days[-1] + 1)
    assert scene.frp.sum() > 0
    np.testing.assert_allclose(seen.frp, scene.frp, rtol=1e-5, atol=1e-4)
    both = seen.observed & np.isfinite(scene.nir)
    assert both.mean() > 0.8
    assert np.corrcoef(seen.nir[both], scene.nir[both])[0, 1] > 0.9
    capsys.readouterr()

    maps = tmp_path / "maps"
    words = ["--start", "2020-12", "--end", "2021-01", "--out", maps, "--weights", weights, "--no-pictures"]
    assert main(["map", str(out), *map(str, words)]) == 0
    assert {file.name for file in maps.glob("*burn_date.tif")} == {
        "EACH_202012_burn_date.tif",
        "EACH_202101_burn_date.tif",
    }
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    band_notes = [line for line in said if "MIR slot" in line]
    sensor_notes = [line for line in said if "was observed by" in line]
    assert len(band_notes) == (band != "M12")
    assert len(sensor_notes) == (kind == "surface")
    (manifest,) = maps.glob("*202101*manifest*.json")
    assert ("in the MIR slot" in manifest.read_text()) == (band != "M12")
