"""From physical planes to what a network takes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from banet.model.config import ChannelName, InputSpec

__all__ = ["BANDS", "MADE_CHANNELS", "Planes", "normalise"]

BANDS = ("red", "nir", "mir")
"""Channels of reflectance, which make a look together."""

MADE_CHANNELS = ("observed", "hotspots_known")
"""Channels that are made from the planes of a cube, which holds none of these names."""

Array = npt.NDArray[np.float32]


class Planes(Protocol):
    """Daily planes (T, rows, columns) as a cube's window holds them; NaN is missing."""

    @property
    def red(self) -> Array:
        """Red reflectance (1)."""
        ...

    @property
    def nir(self) -> Array:
        """Near-infrared reflectance (1)."""
        ...

    @property
    def mir(self) -> Array:
        """Middle-infrared reflectance (1)."""
        ...

    @property
    def frp(self) -> Array:
        """Fire radiative power (MW), 0 where no fire was seen, NaN where nobody looked."""
        ...

    @property
    def view_zenith(self) -> Array:
        """View zenith angle (degrees)."""
        ...

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Return the mask of red, NIR and MIR all observed."""
        ...


def normalise(window: Planes, spec: InputSpec, out: Array | None = None) -> Array:
    """Stack and scale the planes of a window as a set of weights wants them.

    Missing values become 0 before the scaling, as in the original, and FRP enters as log(1 + MW). With
    `whole_looks` a look that lacks a band is missing in all three.

    Args:
        window: daily planes, (T, rows, columns) float32 in physical units, NaN where missing.
        spec: channels and their scaling.
        out: where to write, (channels, T, rows, columns) float32; a new array by default. A plane of the
            window may lie where its channel goes: it is then used up.

    Returns:
        The array; else the window is left as it is.
    """
    if out is None:
        out = np.empty((len(spec.channels), *window.red.shape), np.float32)
    for i, name in enumerate(spec.channels):
        _fill(out[i], window, name)
    whole = [spec.channels.index(band) for band in BANDS if spec.whole_looks and band in spec.channels]
    mean, std = (np.array(each, np.float32)[:, None, None] for each in (spec.mean, spec.std))
    for day in range(out.shape[1]):  # a day's planes stay in the cache
        planes = out[:, day]
        lost = np.isnan(planes)
        lost[whole] = lost[whole].any(0)
        np.copyto(planes, np.float32(0), where=lost)
        planes -= mean
        planes /= std
    return out


def _fill(plane: Array, window: Planes, name: ChannelName) -> None:
    """Write one channel, still in physical units, into `plane`."""
    if name == "frp":
        np.log1p(window.frp, out=plane)
    elif name == "hotspots_known":
        np.isfinite(window.frp, out=plane, casting="unsafe")
    else:
        plane[...] = getattr(window, name)
