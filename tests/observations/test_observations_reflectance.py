"""MIR reflectance: identities, the closed form by hand, missing values, and the original's own code."""

from __future__ import annotations

import ast
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banet.errors import InputError
from banet.observations.reflectance import BANDS, brightness_temperature, mir_reflectance, planck_radiance

wavelengths = st.sampled_from([3.6966, 3.7486, 10.7343, 11.4979])


@given(st.floats(200, 1500), wavelengths)
def test_brightness_temperature_inverts_planck(temperature: float, wavelength: float) -> None:
    assert brightness_temperature(planck_radiance(temperature, wavelength), wavelength) == pytest.approx(
        temperature, rel=1e-12
    )


@pytest.mark.parametrize(
    ("wavelength", "temperature", "exact"),
    # Planck's law with the CODATA 2018 constants (c1L = 1.191042972e8, c2 = 1.438776877e4), computed by hand.
    [(3.6966, 300.0, 0.400_344), (10.7343, 300.0, 9.698_57)],
)
def test_planck_is_planck_within_the_rounding_of_its_constants(
    wavelength: float, temperature: float, exact: float
) -> None:
    law = 1.191042972e8 / wavelength**5 / math.expm1(1.438776877e4 / (wavelength * temperature))
    assert law == pytest.approx(exact, rel=1e-5)
    assert planck_radiance(temperature, wavelength) == pytest.approx(law, rel=3e-3)


@given(st.sampled_from(["M12", "I4"]), st.floats(0, 0.9), st.floats(260, 320), st.floats(0, 70))
def test_it_returns_the_reflectance_that_the_radiances_were_made_of(
    band: str, reflectance: float, temperature: float, zenith: float
) -> None:
    constants = BANDS[band]
    emitted = planck_radiance(temperature, constants.mir_wavelength)
    sun = constants.irradiance * math.cos(math.radians(zenith)) / math.pi
    mir = reflectance * sun + (1 - reflectance) * emitted
    tir = planck_radiance(temperature, constants.tir_wavelength)
    result = mir_reflectance(mir, tir, zenith, band)
    assert result.dtype == np.float32
    assert result == pytest.approx(reflectance, abs=1e-6)


@pytest.mark.parametrize(
    ("band", "mir", "tir", "zenith", "expected"),
    [("M12", 0.9, 9.5, 30.0, 0.182_003), ("I4", 0.9, 9.5, 30.0, 0.160_679)],
)
def test_closed_form_with_plain_numbers(
    band: str, mir: float, tir: float, zenith: float, expected: float
) -> None:
    l_mir, l_tir, e0 = {"M12": (3.6966, 10.7343, 11.7881), "I4": (3.7486, 11.4979, 11.2640)}[band]
    c1, c2 = 1.1911e8, 1.439e4
    kelvin = c2 / (l_tir * math.log(c1 / (l_tir**5 * tir) + 1))
    emitted = c1 / (l_mir**5 * (math.exp(c2 / (l_mir * kelvin)) - 1))
    by_hand = (mir - emitted) / (e0 * math.cos(math.radians(zenith)) / math.pi - emitted)
    assert by_hand == pytest.approx(expected, abs=2e-6)
    assert mir_reflectance(mir, tir, zenith, band) == np.float32(by_hand)


@pytest.mark.parametrize(
    ("mir", "tir", "zenith"),
    [
        (np.nan, 9.0, 30.0),
        (0.9, np.nan, 30.0),
        (0.9, 9.0, np.nan),
        (0.0, 9.0, 30.0),
        (-0.1, 9.0, 30.0),
        (0.9, 0.0, 30.0),
        (0.9, -0.02, 30.0),
        (0.9, 9.0, 90.0),
        (0.9, 9.0, 120.0),
        (0.9, 9.0, 88.0),  # the sun gives less than the surface emits
    ],
)
def test_missing_stays_missing(mir: float, tir: float, zenith: float) -> None:
    assert np.isnan(mir_reflectance(mir, tir, zenith))


def test_negative_reflectance_is_zero() -> None:
    assert mir_reflectance(0.1, 9.5, 30.0) == 0.0


def test_inputs_are_left_as_they_were() -> None:
    mir, tir, zenith = np.array([-1.0, 0.9]), np.array([9.0, 0.0]), np.array([30.0, 95.0])
    mir_reflectance(mir, tir, zenith)
    assert (mir == [-1.0, 0.9]).all()
    assert (tir == [9.0, 0.0]).all()
    assert (zenith == [30.0, 95.0]).all()


def test_unknown_band_and_shapes_that_differ_are_told() -> None:
    with pytest.raises(InputError, match="no MIR band 'M13'; there are M12, I4"):
        mir_reflectance(0.9, 9.0, 30.0, band="M13")
    with pytest.raises(InputError, match="differ"):
        mir_reflectance(np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 3)))


@pytest.mark.oracle
def test_it_equals_the_original() -> None:
    folder = os.environ.get("BANET_ORACLE")
    if not folder:
        pytest.skip("BANET_ORACLE names no folder of the original's code")
    tree = ast.parse((Path(folder) / "banet" / "data.py").read_text())
    wanted = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MirCalc"]
    scope: dict[str, object] = {"np": np}
    exec(compile(ast.Module(wanted, []), "original", "exec"), scope)
    original = scope["MirCalc"](None, None, None).refl_mir_calc  # type: ignore[operator]
    rng = np.random.default_rng(0)
    # Within these the sun gives more than the surface emits; beyond, the original divides by less than 0.
    mir, tir, zenith = rng.uniform(-0.1, 2, 5000), rng.uniform(-0.1, 10, 5000), rng.uniform(0, 75, 5000)
    for band, sensor in (("M12", "VIIRS750"), ("I4", "VIIRS375")):
        theirs = original(mir.copy(), tir.copy(), zenith.copy(), sensor)
        ours = mir_reflectance(mir, tir, zenith, band)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
