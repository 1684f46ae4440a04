"""Values that cannot be: scales, offsets and planes outside physics."""

from __future__ import annotations

import numpy as np
import pytest

from banet.errors import UnreadableFileError
from banet.io.hdf4 import Hdf4Array
from banet.observations.gridded import physical
from banet.observations.physics import BOUNDS, check_plane, offset_of, scale_of

RAW = np.full((20, 20), 3000, np.int32)


def stored(**attributes):
    return Hdf4Array("b", RAW, attributes, {})


def test_a_plane_within_physics_is_read():
    assert np.allclose(physical(stored(Scale=1e-4, Offset=0.0), "Reflectance_M5", "x.hdf"), 0.3)
    angle = Hdf4Array("b", np.full((20, 20), 30.0, np.float32), {}, {})
    assert (physical(angle, "SolarZenithAngle", "x.hdf") == 30).all()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "has no Scale"),
        ({"Scale": 0.0}, "has the Scale"),
        ({"Scale": -1e-4}, "has the Scale"),
        ({"Scale": float("nan")}, "has the Scale"),
        ({"Scale": "none"}, "has the Scale"),
        ({"Scale": 1e-4, "Offset": -1.0}, "400 of 400 values are no reflectance"),
        ({"Scale": 1e-4, "Offset": float("inf")}, "has the offset"),
        ({"Scale": 1e-4, "Offset": "x"}, "has the offset"),
        ({"Scale": 1e-2}, "their median is 30"),
        ({"Scale": 1e30}, "are no reflectance"),
    ],
)
def test_a_file_without_its_scale_is_unreadable(attributes, message):
    with pytest.raises(UnreadableFileError, match=message) as told:
        physical(stored(**attributes), "Reflectance_M5", "x.hdf")
    assert str(told.value).startswith("x.hdf: Reflectance_M5")


@pytest.mark.parametrize("kind", BOUNDS)
def test_a_plane_of_which_most_lies_outside_is_refused(kind):
    bounds = BOUNDS[kind]
    inside = np.full(100, (bounds.least + min(bounds.greatest, 50)) / 2)
    check_plane(inside, kind, "x")
    outside = inside.copy()
    outside[:50] = bounds.greatest + 1
    check_plane(outside, kind, "x")  # half of it may be odd
    outside[50] = bounds.least - 1
    with pytest.raises(UnreadableFileError, match="51 of 100 values are no"):
        check_plane(outside, kind, "x")
    check_plane(np.full(100, np.nan), kind, "x")


def test_scales_and_offsets_that_are_numbers():
    assert scale_of(np.array([0.5]), "x") == 0.5
    assert offset_of([-1], "x") == -1
