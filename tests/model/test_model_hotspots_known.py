"""The channel that tells where somebody looked for hot spots, from a cube to the network."""

from __future__ import annotations

import numpy as np

from banet.model.config import InputSpec
from banet.model.inputs import normalise
from banet.training.data import PlaneStack

SPEC = InputSpec(
    channels=("red", "nir", "mir", "frp", "hotspots_known"),
    mean=(0.2, 0.3, 0.1, 0.0, 0.0),
    std=(0.2, 0.2, 0.1, 1.0, 1.0),
)


def planes() -> np.ndarray:
    values = np.full((4, 3, 2, 2), 0.1, np.float32)
    values[3, 0] = 0
    values[3, 1] = 5
    values[3, 2] = np.nan
    return values


def test_no_fire_and_nobody_looked_differ_in_one_channel_alone() -> None:
    found = normalise(PlaneStack(planes()), SPEC)
    np.testing.assert_array_equal(found[4, :, 0, 0], [1, 1, 0])
    np.testing.assert_allclose(found[3, :, 0, 0], [0, np.log(6), 0], rtol=1e-6)


def test_the_channel_is_right_where_the_power_lies_in_the_array_that_the_network_takes() -> None:
    out = np.empty((5, 3, 2, 2), np.float32)
    out[:4] = planes()
    found = normalise(PlaneStack(out[:4]), SPEC, out=out)
    np.testing.assert_array_equal(found, normalise(PlaneStack(planes()), SPEC))
