"""Options of a map, the same for Python and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, field_validator, model_validator

from banet.burned_area.dating import check_threshold
from banet.errors import InputError
from banet.io.progress import Progress
from banet.io.settings import Frozen
from banet.mapping.water import Water

__all__ = ["Block", "MapOptions", "Progress"]


@dataclass(frozen=True, eq=False)
class Block:
    """Cells of a region whose daily probabilities are final.

    Attributes:
        rows, cols: the cells in the region.
        probability: of burning on each day of the map, (days, rows, columns) float32.
    """

    rows: slice
    cols: slice
    probability: npt.NDArray[np.float32]


class MapOptions(Frozen):
    """Options of a map.

    Attributes:
        tiling: `seamless`, equal to one pass over the region, or `original`, the mean of overlapping tiles of
            Pinto et al. (2020), which runs in one process.
        tile: edge of a tile in cells; 128 for `original`, otherwise as the memory of the network allows.
        step: distance of the tiles of `original` in cells (100).
        margin: (lead, trail) cells that a tile of `seamless` sees before and after its core; by default as
            far as the network feels. Less of it is faster, and leaves seams.
        threshold: burned fraction from which on a cell counts as burned.
        water: `auto` takes the cube's mask, or else finds water in all images of the cube, the same for every
            map; (rows, columns) bool, or the share of water of each cell, 0-1 (a `DataArray` is turned by its
            coordinates); a file of water, polygons or GeoTIFF; None for no water. What burned of a cell is at
            most its share of land.
        progress: called after each core.
        on_block: called with each finished `Block`. Cores that an earlier run left in `scratch` are not
            given again.
        scratch: folder in which finished cores are kept, so that a killed run goes on where it was.
        workers: number of processes of this machine that do the work.
        scheduler: a dask cluster that does the work instead, or its address or client. Its workers must see
            cube and scratch folder.
        keep_going: leave out a tile that cannot be made, instead of ending with its error. The cells of its
            core count as not observed, and `attrs["gaps"]` of the map tells where they are and why.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tiling: Literal["seamless", "original"] = "seamless"
    tile: int | None = Field(None, ge=1)
    step: int | None = Field(None, ge=1)
    margin: tuple[int, int] | None = None
    threshold: float = 0.5
    water: Any = "auto"
    progress: Progress | None = None
    on_block: Callable[[Block], None] | None = None
    scratch: Path | None = None
    workers: int | None = Field(None, ge=1)
    scheduler: Any = None
    keep_going: bool = False

    @field_validator("threshold")
    @classmethod
    def _threshold(cls, value: float) -> float:
        check_threshold(value)
        return value

    @field_validator("water")
    @classmethod
    def _water(cls, value: Any) -> Any:
        if value is None or isinstance(value, (Path, Water)) or (isinstance(value, str) and value == "auto"):
            return value
        if isinstance(value, str) and Path(value).exists():
            return Path(value)
        if isinstance(value, str) or np.ndim(value) != 2:
            raise InputError(f"water {value!r}; give 'auto', a mask of the region, a file, or None")
        share = np.asarray(value, np.float32)
        if not ((share >= 0) & (share <= 1)).all():
            raise InputError("water holds shares below 0 or above 1; give bool, or the share of water 0-1")
        return value if hasattr(value, "coords") else share

    @model_validator(mode="after")
    def _together(self) -> MapOptions:
        if self.tiling == "seamless" and self.step is not None:
            raise InputError("step is of the original's tiling: give tiling='original', or no step")
        if self.tiling == "original" and self.margin is not None:
            raise InputError("the original's tiling has no margin: give tile and step")
        if self.workers is not None and self.scheduler is not None:
            raise InputError("give workers or a scheduler, not both")
        if not self.spread:
            return self
        if self.tiling == "original":
            raise InputError("the original's tiling runs in one process: map without workers or scheduler")
        if self.on_block is not None:
            raise InputError("daily probabilities stay with the workers: map without on_block")
        return self

    @property
    def spread(self) -> bool:
        """Whether workers do the work."""
        return self.workers is not None or self.scheduler is not None
