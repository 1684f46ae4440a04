"""Drawn progressions: their marginal laws, their correlation, their files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from banet.burned_area.confidence import burned_probability
from banet.errors import InputError
from banet.summary import write_draws
from banet.summary.noise import CellNoise
from banet.summary.progressions import ErrorModel, Progressions
from made_maps import map_of, random_map

CALIBRATION = {"mapped": [0.0, 0.5, 1.0], "burned": [0.0, 0.3, 0.9], "date_mass": 0.5}


def likely(shape=(12, 12), fraction=0.5, **where):
    return replace(
        map_of(np.full(shape, 10), fraction=fraction, **where),
        attrs={"weights": ["w"], "calibration": CALIBRATION},
    )


def test_noise_is_standard_normal_and_falls_off_exponentially():
    row, col = (axis.ravel() for axis in np.mgrid[5:25, 70:100])
    noise = CellNoise(row, col, (4.0, 8.0))
    rng = np.random.default_rng(1)
    drawn = np.stack([noise.draw(rng) for _ in range(3000)]).reshape(3000, 20, 30)
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(drawn.std(0), 1, atol=0.07)
    at = drawn[:, 10, 15]
    for down, across in ((1, 0), (0, 1), (3, 4), (9, 14)):
        want = np.exp(-down / 4 - across / 8)
        assert np.corrcoef(at, drawn[:, 10 + down, 15 + across])[0, 1] == pytest.approx(want, abs=0.06)


def test_cells_far_apart_are_independent_and_cost_no_box_between():
    noise = CellNoise(np.array([0, 1, 50_000]), np.array([0, 0, 90_000]), (5.0, 5.0))
    drawn = np.stack([noise.draw(np.random.default_rng(seed)) for seed in range(2000)])
    correlation = np.corrcoef(drawn.T)
    assert correlation[0, 1] == pytest.approx(np.exp(-0.2), abs=0.05)
    assert abs(correlation[0, 2]) < 0.07


@pytest.mark.parametrize("model", [ErrorModel(0, 0, 1.0, 0, 1.0), ErrorModel(0.2, 0.5, 6.0, 0.8, 6.0)])
def test_cells_burn_as_often_as_their_calibrated_probability_says(model):
    source = likely(fraction=np.where(np.arange(12) < 6, 0.5, 0.9))
    drawn = Progressions(source, model=model)
    np.testing.assert_allclose(drawn.probability, burned_probability(source).ravel())
    often = np.mean([drawn.draw(k)[0] >= 0.5 for k in range(600)], 0).reshape(12, 12)
    assert often[:, :6].mean() == pytest.approx(0.3, abs=0.05)
    assert often[:, 6:].mean() == pytest.approx(0.78, abs=0.05)


def test_the_sum_of_independent_cells_varies_as_the_closed_form_says_and_correlated_ones_vary_more():
    source = likely((15, 15))
    alone, together = (
        np.array([(Progressions(source, model=model).draw(k)[0] >= 0.5).sum() for k in range(400)])
        for model in (ErrorModel(0, 0, 1.0, 0, 1.0), ErrorModel(0.2, 0.5, 6.0, 0.8, 6.0))
    )
    assert alone.std() == pytest.approx(np.sqrt(225 * 0.3 * 0.7), rel=0.12)
    assert together.std() > 3 * alone.std()


@pytest.mark.parametrize(("told", "held"), [({}, 0.8), ({"date_coverage": 0.95}, 0.95)])
def test_the_stated_uncertainty_holds_as_many_drawn_dates_as_true_days(told, held):
    source = likely((20, 20), fraction=1.0)
    source = replace(source, attrs={**source.attrs, "calibration": {**CALIBRATION, **told}})
    drawn = Progressions(source, model=ErrorModel(0, 0, 1.0, 0, 1.0))
    days = np.stack([drawn.draw(k)[1] for k in range(100)])
    assert (np.abs(days - 10) <= 2).mean() == pytest.approx(held, abs=0.01)
    assert days.mean() == pytest.approx(10, abs=0.05)


def test_dates_of_neighbours_go_together_as_the_model_says():
    source = likely((20, 20), fraction=1.0)
    drawn = Progressions(source, model=ErrorModel(0, 0, 9.0, 0.5, 1.2))
    days = np.stack([drawn.draw(k)[1].reshape(20, 20) for k in range(200)]).astype(float)
    for cells in (1, 2):
        found = np.corrcoef(days[:, cells:].ravel(), days[:, :-cells].ravel())[0, 1]
        assert found == pytest.approx(0.5 * np.exp(-cells * 1.112 / 1.2), abs=0.025)


def test_an_undated_cell_takes_the_date_of_the_nearest_or_any_day_where_none_is_near():
    offset = np.full((4, 100), -1)
    offset[1, 0] = 7
    source = replace(likely((4, 100)), **_unburned(map_of(offset, fraction=1.0)))
    drawn = Progressions(source, model=ErrorModel(0, 0, 1.0, 0, 1.0))
    col = drawn.cell % 100
    days = np.stack([drawn.draw(k)[1] for k in range(200)])
    near, far = col * 0.01 * 111.2 * np.cos(np.radians(40)) < 24, col > 40
    assert drawn.undated == far[col > 29].size
    assert np.abs(np.median(days[:, near], 0) - 7).max() <= 1
    assert days[:, far].mean() == pytest.approx(15, abs=0.6) and set(np.unique(days[:, far])) == set(
        range(31)
    )


def _unburned(burned):
    return {
        "burn_date": burned.burn_date,
        "burned_fraction": np.where(burned.burned, 1.0, 0.3).astype(np.float32),
        "uncertainty": burned.uncertainty,
    }


def test_draws_of_a_month_are_the_same_whatever_is_drawn_beside_it(tmp_path):
    june, august = random_map((20, 20), seed=1, start="2021-06-01", days=30), random_map((20, 20), seed=2)
    write_draws([june, august], tmp_path / "two.nc", 3, seed=4)
    write_draws(august, tmp_path / "one.nc", 5, seed=4)
    with xr.open_dataset(tmp_path / "two.nc") as two, xr.open_dataset(tmp_path / "one.nc") as one:
        late = two["burn_date"] >= np.datetime64("2021-08-01")
        early = np.isfinite(two["burned_fraction"]) & ~late
        alone = one["burn_date"][:3]
        assert late.any() and early.any()
        assert (two["burn_date"].where(late) == alone).where(late, True).all()
        assert (late | early.values | alone.isnull()).all()


def test_the_file_holds_days_of_the_map_only_and_equal_input_gives_equal_bytes(tmp_path):
    source = random_map((30, 20), seed=6)
    paths = [write_draws(source, tmp_path / f"{k}.nc", 4, seed=1) for k in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with xr.open_dataset(paths[0]) as read:
        assert dict(read["burn_date"].sizes) == {"draw": 4, "latitude": 30, "longitude": 20}
        days = read["burn_date"].values
        burned = ~np.isnat(days)
        assert days[burned].min() >= source.start and days[burned].max() < source.stop
        part = read["burned_fraction"].values
        assert (np.isfinite(part) == burned).all() and part[burned].min() >= 0.5 - 1e-6
        assert not burned[:, source.water | ~source.known].any()
        np.testing.assert_array_equal(read["status"].values.squeeze(), source.status)
        drawn = Progressions(source, seed=1)
        inside = np.zeros(source.region.shape)
        inside.flat[drawn.cell] = drawn.draw(2)[0]
        np.testing.assert_allclose(part[2][burned[2]], inside[burned[2]], atol=0.003)


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(InputError, match="no probabilities"):
        write_draws(replace(random_map((10, 10)), attrs={}), tmp_path / "a.nc", 3)
    for count in (0, 10_001):
        with pytest.raises(InputError, match="give 1 to 10000"):
            write_draws(random_map((10, 10)), tmp_path / "a.nc", count)
    assert not (tmp_path / "a.nc").exists()
