"""Swaths and label tiles: what the simulator writes, the readers of the real products read."""

from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest
from pyhdf.SD import SD

from banet.grid.region import Region
from banet.labels.mcd64a1 import read_mcd64a1
from banet.observations.swath import viirs750
from banet.simulation import simulate, write_scene
from banet.simulation.climates import climate_named
from banet.simulation.overpasses import view_zenith
from banet.simulation.scan import scans_over
from banet.simulation.writers.labels import LabelErrors
from banet.simulation.writers.labels import write as write_labels

PLACE = Region("SWATH", (-8.2, 39.4, -7.8, 39.72), 0.01)


@pytest.fixture(scope="module")
def scene():
    burning = dataclasses.replace(climate_named("california"), fires=120, clouds=0.15)
    return simulate(PLACE, start="2020-08-28", days=8, seed=4, climate=burning)


def nearest(scene):
    return min(
        scene.world.image_overpasses, key=lambda p: abs(view_zenith(p, np.array(-8.0), np.array(39.5)))
    )


def test_scans_look_from_where_the_overpass_does(scene):
    for overpass in scene.world.image_overpasses[:4]:
        scans = scans_over(overpass, PLACE)
        if scans is None:
            continue
        inside = (np.abs(scans.latitude - 39.56) < 0.16) & (np.abs(scans.longitude + 8.0) < 0.2)
        if not inside.any():
            continue
        seen = np.broadcast_to(scans.view_zenith, inside.shape)[inside]
        exact = np.abs(view_zenith(overpass, scans.longitude[inside], scans.latitude[inside]))
        assert np.abs(seen - exact).max() < 1.3


def test_pixels_have_the_size_of_the_sensor(scene):
    scans = scans_over(nearest(scene), PLACE)
    assert scans.longitude.shape[1] == 3200
    assert scans.longitude.shape[0] % 16 == 0
    lat, lon = np.radians(scans.latitude), np.radians(scans.longitude)
    east = 6371 * np.hypot(np.diff(lat, axis=1), np.diff(lon, axis=1) * np.cos(lat[:, 1:]))
    along = 6371 * np.hypot(np.diff(lat[:16], axis=0), np.diff(lon[:16], axis=0) * np.cos(lat[1:16]))
    assert np.median(east[:, 1550:1650]) == pytest.approx(0.776, abs=0.03)
    assert np.median(east[:, :10]) == pytest.approx(1.6, abs=0.15)
    assert np.median(along[:, 1600]) == pytest.approx(0.742, abs=0.01)
    # The bow-tie: 16 rows span twice as much at the edge, while scans stay 11.9 km apart.
    assert np.median(along[:, 5]) / np.median(along[:, 1600]) > 1.9
    step = 6371 * np.hypot(
        lat[16, 1600] - lat[0, 1600], (lon[16, 1600] - lon[0, 1600]) * np.cos(lat[0, 1600])
    )
    assert step == pytest.approx(11.9, abs=0.2)


def test_rows_are_deleted_in_two_steps(scene):
    scans = scans_over(nearest(scene), PLACE)
    share = scans.deleted.mean(0)
    assert np.allclose(np.unique(share), [0, 2 / 16, 4 / 16])
    assert (share == 0).sum() == 2 * 592
    assert (share[:640] == 0.25).all()


def test_a_finer_kind_has_twice_the_rows_and_pixels(scene):
    fine = scans_over(nearest(scene), PLACE, fine=2)
    assert fine.longitude.shape[1] == 6400
    assert fine.deleted.shape == (32, 6400)


def test_swaths_read_back_are_the_scene(scene, tmp_path):
    written = write_scene(scene, tmp_path, formats=("swath750",))["viirs750-swath"]
    assert len(written) % 2 == 0
    with h5py.File(next(p for p in written if "02MOD" in p.name)) as file:
        raw = file["observation_data/M05"][()]
        assert raw.dtype == np.uint16
        assert (raw == 65533).mean() == pytest.approx((736 * 2 + 1280 * 4) / 16 / 3200)
        assert file["observation_data/M12"].attrs["scale_factor"] > 0
    agreement = []
    for day in viirs750.days(tmp_path / "swath"):
        planes = viirs750.read_day(tmp_path / "swath", day, PLACE)
        i = int((day - scene.days[0]).astype(int))
        both = np.isfinite(planes.nir) & np.isfinite(scene.nir[i])
        same = both & (np.abs(planes.view_zenith - scene.view_zenith[i]) < 3)
        if same.mean() > 0.9:
            for name in ("red", "nir", "mir"):
                a, b = getattr(planes, name)[same], getattr(scene, name)[i][same]
                assert np.abs(a - b).mean() < 0.02, name
                agreement.append(np.corrcoef(a, b)[0, 1])
    assert len(agreement) >= 9
    assert np.median(agreement) > 0.95


def test_the_fine_kind_is_written_too(scene, tmp_path):
    short = dataclasses.replace(
        scene,
        world=dataclasses.replace(scene.world, days=1, image_overpasses=scene.world.image_overpasses[:1]),
    )
    assert short.world.image_overpasses
    written = write_scene(short, tmp_path, formats=("swath375",))["viirs375-swath"]
    assert {p.name[:8] for p in written} == {"VNP02IMG", "VNP03IMG"}


def test_label_tiles_read_back_are_near_the_truth(scene, tmp_path):
    write_scene(scene, tmp_path, formats=("labels",))
    labels = read_mcd64a1(tmp_path / "labels", PLACE, scene.days[0], scene.days[-1])
    truth = scene.truth()
    a, b = labels.burned_fraction >= 0.5, truth.burned_fraction >= 0.5
    dice = 2 * (a & b).sum() / (a.sum() + b.sum())
    assert 0.7 < dice < 0.999
    late = (labels.burn_date - truth.burn_date)[a & b].astype(int)
    assert -0.5 <= np.median(late) <= 2
    assert labels.burned_area_ha == pytest.approx(truth.burned_area_ha, rel=0.3)


def test_labels_without_errors_are_the_truth_by_area(scene, tmp_path):
    honest = LabelErrors(0, 0.0, 0.0, 0.0, 0.5, 10_000, 1.0)
    write_labels(scene, tmp_path, honest)
    labels = read_mcd64a1(tmp_path, PLACE, scene.days[0], scene.days[-1])
    truth = scene.truth()
    assert labels.burned_area_ha == pytest.approx(truth.burned_area_ha, rel=0.08)
    both = (labels.burned_fraction > 0.9) & (truth.burned_fraction > 0.9)
    assert both.sum() > 10
    apart = (labels.burn_date - truth.burn_date)[both].astype(int)
    assert np.abs(apart).mean() < 0.5


@pytest.mark.real
def test_label_layout_is_that_of_a_real_tile(scene, tmp_path, real):
    write_scene(scene, tmp_path, formats=("labels",))
    made = SD(str(next((tmp_path / "labels").glob("*.hdf"))))
    true = SD(str(next((real / "labels").glob("VNP64A1*.hdf"))))
    assert list(made.datasets()) == list(true.datasets())
    for name, (dims, shape, kind, _) in true.datasets().items():
        assert made.datasets()[name][:3] == (dims, shape, kind)
        values = {k: v[0] for k, v in true.select(name).attributes(full=1).items()}
        assert {k: v[0] for k, v in made.select(name).attributes(full=1).items()} == values
    made.end()
    true.end()
