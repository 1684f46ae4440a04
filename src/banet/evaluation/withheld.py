"""A cube with a kind of input withheld, read through a view: nothing is copied on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

if TYPE_CHECKING:
    from banet.cube import Cube, CubeWindow

__all__ = ["INPUTS", "Inputs", "withhold"]

Inputs = Literal["all", "no hot spots", "no images"]
INPUTS: tuple[Inputs, ...] = ("all", "no hot spots", "no images")


def withhold(cube: Cube, inputs: Inputs) -> Cube:
    """Return a cube that shows less.

    Args:
        cube: what was observed.
        inputs: `all`; `no hot spots` shows no fire on any day; `no images` shows no reflectance.
    """
    return cube if inputs == "all" else cast("Cube", _View(cube, inputs))


class _View:
    """Reads as the cube does, and leaves everything else to it.

    Attributes:
        withheld: what is, by which a run knows it from the whole cube.
    """

    def __init__(self, cube: Cube, inputs: Inputs) -> None:
        self._cube, self._inputs = cube, inputs
        self.withheld = inputs

    def __reduce__(self) -> tuple[Any, ...]:
        return _View, (self._cube, self._inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cube, name)

    def read(self, *args: Any, **settings: Any) -> CubeWindow:
        window = self._cube.read(*args, **settings)
        shape = window.frp.shape
        if self._inputs == "no hot spots":
            # Zero, not missing: a day without a fire, as the network sees most days.
            return replace(window, frp=np.zeros(shape, np.float32))
        missing = np.broadcast_to(np.float32(np.nan), shape)
        return replace(
            window,
            red=missing,
            nir=missing,
            mir=missing,
            view_zenith=missing,
            count=np.broadcast_to(np.uint8(0), shape),
        )
