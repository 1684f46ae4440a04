"""From physical planes to the network's input."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.model.config import InputSpec
from banet.model.inputs import normalise

NAN = np.nan


@dataclass(frozen=True)
class Window:
    red: np.ndarray
    nir: np.ndarray
    mir: np.ndarray
    frp: np.ndarray
    view_zenith: np.ndarray

    @property
    def observed(self) -> np.ndarray:
        return np.isfinite(self.red + self.nir + self.mir)


def window(seed: int = 0, shape: tuple[int, ...] = (3, 4, 5), missing: float = 0.3) -> Window:
    rng = np.random.default_rng(seed)
    planes = rng.random((5, *shape), dtype=np.float32)
    planes[rng.random(planes.shape) < missing] = NAN
    planes[3] *= 900
    planes[4] *= 70
    return Window(*planes)


def test_published_scaling_with_missing_as_zero_before_it() -> None:
    one = np.array([[[NAN, 0.2349, 0.4228]]], np.float32)
    planes = Window(one, one, one, np.array([[[NAN, 0.0, 99.0]]], np.float32), one)
    out = normalise(planes, InputSpec.original())
    assert out.dtype == np.float32
    assert out.shape == (4, 1, 1, 3)
    np.testing.assert_allclose(out[0, 0, 0], [-0.2349 / 0.1879, 0, 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out[2, 0, 0, 0], -0.1128 / 0.0547, rtol=1e-6)
    # No fire and no information about fire look alike, as in the original; a hot cell is 59 sigma out.
    expected = (np.log(np.array([1, 1, 100.0])) - 0.0016) / 0.0776
    np.testing.assert_allclose(out[3, 0, 0], expected, rtol=1e-5)


@given(seed=st.integers(0, 99), missing=st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=20, deadline=None)
def test_equals_the_formula_and_leaves_the_window(seed: int, missing: float) -> None:
    planes = window(seed, missing=missing)
    before = planes.red.copy()
    spec = InputSpec.original()
    out = normalise(planes, spec)
    raw = np.stack([planes.red, planes.nir, planes.mir, np.log1p(planes.frp)]).astype(np.float64)
    raw[np.isnan(raw)] = 0
    mean, std = (np.reshape(v, (4, 1, 1, 1)) for v in (spec.mean, spec.std))
    np.testing.assert_allclose(out, (raw - mean) / std, rtol=1e-5, atol=1e-6)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(planes.red, before)


@given(seed=st.integers(0, 99), missing=st.sampled_from([0.0, 0.1, 0.4, 1.0]))
@settings(max_examples=20, deadline=None)
def test_a_look_that_lacks_a_band_is_none_unless_the_weights_want_it(seed: int, missing: float) -> None:
    planes = window(seed, missing=missing)
    before = planes.red.copy()
    parts, whole = normalise(planes, InputSpec.original()), normalise(planes, InputSpec())
    seen = planes.observed
    np.testing.assert_array_equal(whole[:3, seen], parts[:3, seen])
    nothing = np.float32(InputSpec().missing)[:3, None]
    np.testing.assert_allclose(whole[:3, ~seen], np.broadcast_to(nothing, whole[:3, ~seen].shape), rtol=1e-6)
    np.testing.assert_array_equal(whole[3], parts[3])
    np.testing.assert_array_equal(planes.red, before)


def test_planes_that_lie_in_the_result_are_used_up() -> None:
    spec = InputSpec(
        channels=("red", "observed", "frp", "nir", "mir"), mean=(0.1,) * 5, std=(0.5,) * 5, mir_band="M12"
    )
    planes = window()
    expected = normalise(planes, spec)
    x = np.full_like(expected, NAN)
    inside = {name: x[i] for i, name in enumerate(spec.channels) if name != "observed"}
    for name, array in inside.items():
        array[...] = getattr(planes, name)
    assert normalise(dataclasses.replace(planes, **inside), spec, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_a_cell_never_observed_is_the_specs_missing() -> None:
    spec = InputSpec.original()
    out = normalise(window(missing=1.0), spec)
    np.testing.assert_allclose(out[:, 0, 0, 0], spec.missing, rtol=1e-6)


def test_channels_come_in_the_order_of_the_spec() -> None:
    planes = window(missing=0.3)
    spec = InputSpec(channels=("observed", "view_zenith", "frp"), mean=(0, 0, 0), std=(1, 60, 1))
    out = normalise(planes, spec)
    np.testing.assert_array_equal(out[0], planes.observed.astype(np.float32))
    np.testing.assert_allclose(out[1], np.nan_to_num(planes.view_zenith) / 60, rtol=1e-6)
    np.testing.assert_allclose(out[2], np.nan_to_num(np.log1p(planes.frp)), rtol=1e-6)
    assert 0 < out[0].mean() < 1


def test_unscaled_fire_is_log_of_one_plus_megawatts() -> None:
    planes = window(missing=0.0)
    spec = InputSpec(channels=("frp",), mean=(0,), std=(1,))
    np.testing.assert_allclose(np.expm1(normalise(planes, spec)[0]), planes.frp, rtol=1e-4, atol=1e-4)
    assert planes.frp.max() == pytest.approx(900, rel=0.1)
