"""A cube says what observed it, and weights that were trained on something else say so."""

from __future__ import annotations

import pytest

from banet.cube.sensor import Sensor, band_fits, sensor_note, size_note
from banet.observations import sources


@pytest.mark.parametrize(
    ("text", "instrument", "satellites", "kind"),
    [
        ("VIIRS", "VIIRS", set(), ""),
        ("VIIRS S-NPP", "VIIRS", {"S-NPP"}, ""),
        ("simulated VIIRS", "VIIRS", set(), ""),
        ("VIIRS S-NPP/NOAA-20 surface reflectance", "VIIRS", {"S-NPP", "NOAA-20"}, "surface reflectance"),
        ("unknown", "", set(), "unknown"),
    ],
)
def test_what_a_text_says(text, instrument, satellites, kind):
    assert Sensor.parse(text) == Sensor(instrument, frozenset(satellites), kind)


@pytest.mark.parametrize(
    ("cube", "weights"),
    [
        ("VIIRS S-NPP", "VIIRS"),
        ("simulated VIIRS", "VIIRS"),
        ("VIIRS S-NPP", "VIIRS S-NPP"),
        ("VIIRS NOAA-20", "VIIRS NOAA-20/NOAA-21"),
    ],
)
def test_nothing_to_say(cube, weights):
    assert sensor_note(cube, weights) is None


@pytest.mark.parametrize(
    ("cube", "weights"),
    [
        ("VIIRS S-NPP/NOAA-20/NOAA-21", "VIIRS S-NPP"),
        ("MODIS", "VIIRS"),
        ("VIIRS S-NPP surface reflectance", "VIIRS"),
        ("VIIRS", "VIIRS surface reflectance"),
        ("VIIRS S-NPP (display)", "VIIRS"),
    ],
)
def test_more_errors_are_to_be_expected(cube, weights):
    said = sensor_note(cube, weights)
    assert said is not None
    assert cube in said and weights in said and "expect more errors" in said


def test_a_cube_that_does_not_say():
    assert "does not say what observed it" in (sensor_note("unknown", "VIIRS") or "")


@pytest.mark.parametrize(
    ("cube", "fits"), [(0.01, True), (0.007, True), (0.0065, False), (0.0025, False), (0.05, False)]
)
def test_cells_of_another_size(cube, fits):
    assert (size_note(cube, 0.01) is None) == fits


def test_every_source_names_a_sensor_that_is_understood():
    for name, source in sources().items():
        found = Sensor.parse(source.sensor)
        assert found.instrument == "VIIRS", name
        assert found.kind == ("surface reflectance" if name == "surface" else ""), name


@pytest.mark.parametrize(
    ("cube", "weights", "fits"),
    [
        ("M12", "M12", True),
        ("M11", "M11/M12", True),
        ("SWIR 2.25 um (M11)", "M11/M12", True),
        ("SWIR 2.25 um (M11)", "SWIR 2.25 um (M11)", True),
        ("SWIR 2.25 um (M11)", "M12", False),
        ("M10", "M11/M12", False),
        ("M11 and M12", "M11/M12", False),
        ("M1", "M11/M12", False),
        ("unknown", "M11/M12", False),
    ],
)
def test_a_band_is_known_by_its_name_alone_or_within_words(cube, weights, fits):
    assert band_fits(cube, weights) is fits
