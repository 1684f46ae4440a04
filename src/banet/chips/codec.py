"""Packing of physical values into the small integers of chips, and unpacking.

Reflectance takes steps of 1e-4, a 500th of the MIR band's spread (0.055); log(1 + MW) takes steps of 1e-3,
one part in a thousand of the power. Burned fraction takes steps of 1/200 in one byte: the labels this
is trained on are fractions of five 500 m pixels or less in a cell, forty times coarser.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "UNKNOWN", "decode_planes", "decode_target", "encode_planes", "encode_target"]

Floats = npt.NDArray[np.float32]

MISSING = np.int16(-32768)
UNKNOWN = np.uint8(255)
_LARGEST = 32767
_REFLECTANCE_STEP = np.float32(1e-4)
_LOG_FRP_STEP = np.float32(1e-3)
_FRACTION_STEPS = np.float32(200)


def encode_planes(planes: Floats) -> npt.NDArray[np.int16]:
    """Turn (4, T, rows, columns) red, NIR, MIR reflectance and FRP in MW into int16; NaN becomes `MISSING`.

    Reflectance is clipped to -3.2767..3.2767; negative power becomes 0.
    """
    steps = np.array(planes, np.float32, copy=True)
    steps[3] = np.log1p(np.maximum(steps[3], 0)) / _LOG_FRP_STEP
    steps[:3] /= _REFLECTANCE_STEP
    missing = ~np.isfinite(steps)
    steps[missing] = 0
    coded = np.clip(np.rint(steps), -_LARGEST, _LARGEST).astype(np.int16)
    coded[missing] = MISSING
    return coded


def decode_planes(coded: npt.NDArray[np.int16]) -> Floats:
    """Turn what `encode_planes` gave back into float32 reflectance and MW, NaN where missing."""
    planes = coded.astype(np.float32)
    planes[:3] *= _REFLECTANCE_STEP
    power = planes[3]
    fires = np.nonzero(power)
    power[fires] = np.expm1(power[fires] * _LOG_FRP_STEP)
    planes[coded == MISSING] = np.nan
    return planes


def encode_target(fraction: Floats) -> npt.NDArray[np.uint8]:
    """Turn burned fractions 0..1 into uint8 steps of 1/200; NaN (not known) becomes `UNKNOWN`."""
    known = np.isfinite(fraction)
    steps = np.rint(np.clip(np.where(known, fraction, 0), 0, 1) * _FRACTION_STEPS).astype(np.uint8)
    steps[~known] = UNKNOWN
    return steps


def decode_target(coded: npt.NDArray[np.uint8]) -> Floats:
    """Turn what `encode_target` gave back into float32 fractions, NaN where not known."""
    fraction: Floats = coded.astype(np.float32) / _FRACTION_STEPS
    fraction[coded == UNKNOWN] = np.nan
    return fraction
