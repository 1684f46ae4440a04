"""Water found in the images themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from banet.mapping.water import estimate_water, water_evidence


@dataclass
class Planes:
    red: np.ndarray
    nir: np.ndarray
    frp: np.ndarray


def planes(days=16, cells=1, red=0.05, nir=0.03):
    shape = (days, 1, cells)
    return Planes(*(np.full(shape, value, np.float32) for value in (red, nir, 0)))


@pytest.mark.parametrize(
    ("red", "nir", "water"),
    [
        (0.05, 0.03, True),  # sea from the top of the atmosphere
        (0.0, 0.0, True),  # sea after atmospheric correction
        (0.05, 0.25, False),  # vegetation
        (0.06, 0.09, False),  # fresh char
        (0.04, 0.05, False),  # dark char: darker than the limit, yet brighter than in red
        (0.12, 0.07, False),  # turbid water or glint: too bright to be sure
    ],
)
def test_spectra(red, nir, water):
    assert estimate_water(planes(red=red, nir=nir)).item() is water


def test_clouds_do_not_count():
    window = planes()
    window.red[:10], window.nir[:10] = 0.6, 0.6
    assert estimate_water(window).item()
    window.red[10:12], window.nir[10:12] = 0.05, 0.2
    assert estimate_water(window).item()  # 4 of 6 clear days
    window.red[12], window.nir[12] = 0.05, 0.2
    assert not estimate_water(window).item()  # 3 of 6: no majority


def test_missing_days_do_not_count():
    window = planes()
    window.nir[4:] = np.nan
    assert water_evidence(window).item() == 0
    window.nir[4] = 0.03
    assert water_evidence(window).item() == 1
    window.red[:] = np.nan
    assert water_evidence(window).item() == 0


def test_a_short_window_needs_three_days():
    assert estimate_water(planes(days=3)).item()
    assert water_evidence(planes(days=2)).item() == 0


def test_a_hot_spot_makes_it_land():
    window = planes()
    window.frp[3] = 5
    assert water_evidence(window).item() == -1
    window.red[:] = np.nan
    assert water_evidence(window).item() == -1
    window.frp[:] = np.nan
    assert water_evidence(window).item() == 0


@pytest.mark.real
def test_the_sea_around_greece_is_found_and_nothing_burned_is(real):
    """Against the water and burn dates of VNP64A1 for August 2021, sampled three by three in each cell."""
    import xarray as xr

    pyhdf = pytest.importorskip("pyhdf.SD")
    with xr.open_dataset(real / "scenes" / "greece_south_2021-08.nc") as scene:
        red, nir = (scene[name].values.astype(np.float32) for name in ("red", "nir"))
        lat, lon = scene.lat.values, scene.lon.values
    file = next((real / "labels").glob("VNP64A1.A2021213.h19v05.*.hdf"))
    dates = pyhdf.SD(str(file)).select("Burn Date")[:]
    sea, burned = np.zeros((lat.size, lon.size)), np.zeros((lat.size, lon.size))
    pixel, radius = 1111950.5197 / 2400, 6371007.181
    for dy in (-1 / 300, 0, 1 / 300):
        for dx in (-1 / 300, 0, 1 / 300):
            y = np.radians(lat + dy)[:, None] * np.ones(lon.size)
            x = np.radians(lon + dx) * np.cos(y)
            row = ((10007554.677 - radius * y) / pixel - 5 * 2400).astype(int)
            col = ((radius * x + 20015109.354) / pixel - 19 * 2400).astype(int)
            sea += dates[row, col] == -2
            burned += dates[row, col] > 0
    found = estimate_water(Planes(red, nir, np.zeros_like(red)))
    assert found[sea == 9].mean() > 0.9
    assert not found[sea == 0].any()
    assert not found[burned > 0].any()
