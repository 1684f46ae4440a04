"""One run from a cube to the blocks of a map: everything that is settled before the first tile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import Dating
from banet.days import Days
from banet.errors import InputError
from banet.io.files import PathLike
from banet.mapping.canvas import Planes, block_planes
from banet.mapping.ensemble import Ensemble
from banet.mapping.gaps import Gaps, lost_cells, unseen, without
from banet.mapping.inference import TilePrediction, WaterMask, predict_tiles
from banet.mapping.joiner import Block, Joiner
from banet.mapping.layout import Tile, Tiling
from banet.mapping.scratch import Scratch
from banet.mapping.tiling import make_tiling
from banet.mapping.windows import Window, kept_days

if TYPE_CHECKING:
    from distributed import Client

    from banet.cube import Cube

__all__ = ["Progress", "Run", "Settings", "TilingSettings", "check_days", "tile_planes"]

Progress = Callable[[int, int, str], None]
"""Called with the number of tiles done, of all tiles, and what is being mapped."""


class TilingSettings(TypedDict, total=False):
    """How a region is cut into tiles.

    Attributes:
        tiling: `blend` without seams (the default), or `original` as Pinto et al. (2020) did.
        tile, step, margin: cells; see `make_tiling`. If not given, those of `blend` are the network's.
    """

    tiling: str
    tile: int | None
    step: int | None
    margin: tuple[int, int] | None


class Settings(TilingSettings, total=False):
    """How a map is made.

    Attributes:
        threshold: burned fraction from which on a cell counts as burned (0.5).
        water: (rows, columns) bool; `auto` (the default) takes the cube's mask, or else finds water in the
            images; None for no water.
        progress: called after each tile.
        on_block: called with each block of final daily probabilities.
        scratch: folder in which finished work is kept, so that a killed run continues where it was. Blocks
            that an earlier run finished are not given to `on_block` again.
        client: of a dask cluster whose workers do the work; they must see cube and scratch folder, and
            `on_block` cannot be had.
        keep_going: leave a gap where a tile cannot be made, instead of ending with its error. The cells of a
            gap count as not observed, and `attrs["gaps"]` of the map tells where they are and why.
    """

    threshold: float
    water: WaterMask | str | None
    progress: Progress | None
    on_block: Callable[[Block], None] | None
    scratch: PathLike | None
    client: Client | None
    keep_going: bool


@dataclass(frozen=True, eq=False)
class Run:
    """What is mapped, with what, and how it is cut.

    Attributes:
        cube: what was observed.
        windows: whose kept days follow one another.
        ensemble: the networks.
        tiling: of the cube's region.
        days: all kept days, (days,) datetime64[D].
        water: mask of the region, where it is known.
        water_source: `cube`, `given`, `estimated` or `none`.
    """

    cube: Cube
    windows: tuple[Window, ...]
    ensemble: Ensemble
    tiling: Tiling
    days: Days
    water: WaterMask | None
    water_source: str

    @classmethod
    def plan(
        cls,
        cube: Cube,
        windows: Sequence[Window],
        ensemble: Ensemble,
        tiling: TilingSettings,
        water: WaterMask | str | None = "auto",
    ) -> Run:
        """Settle a run.

        Raises:
            InputError: if a setting does not fit.
        """
        days = kept_days(windows)
        mask, source = _water_of(cube, water)
        return cls(cube, tuple(windows), ensemble, _tiling_of(cube, ensemble, tiling), days, mask, source)

    @property
    def title(self) -> str:
        """What is being mapped, in words."""
        return f"{self.cube.region.name} {self.days[0]} to {self.days[-1]}"

    @property
    def dating(self) -> Dating:
        """How dates follow from the probabilities: as the weights were calibrated."""
        known = self.ensemble.calibration
        return Dating() if known is None else Dating(known.date_mass, known.date_quantile)

    def predictions(self, tiles: Iterable[Tile]) -> Iterator[TilePrediction]:
        """Predict tiles. The original tiling leaves the network's output as it comes."""
        return predict_tiles(
            self.cube,
            self.windows,
            tiles,
            self.ensemble.engine,
            mask=self.tiling.name != "original",
            water=self.water,
            estimate=self.water_source == "estimated",
        )

    def blocks(
        self, store: Scratch, threshold: float, on_block: Callable[[Block], None] | None, gaps: Gaps
    ) -> Iterator[tuple[Block, Planes]]:
        """Predict, join, sum and date; yield each block once it is final, with the planes of its map.

        What `store` holds of an earlier run is not done again. What `gaps` takes note of is missing in the
        blocks that it touches; these are not kept, so that another run may complete them.
        """
        finished, kept = store.indices("block"), store.indices("tile")
        todo = [tile for tile in self.tiling if not finished.issuperset(self.tiling.touched(tile.index))]
        fresh = self._attempts([tile for tile in todo if tile.index not in kept], gaps)
        needed = {tile.index for tile in todo}
        joiner = Joiner(self.tiling)
        for tile in self.tiling:
            found: Planes = {}
            if tile.index in kept:
                found = store.load("tile", tile.index)
            elif tile.index in needed:
                prediction = next(fresh)
                if prediction is not None:
                    found = tile_planes(prediction)
                    store.save("tile", tile.index, found)
                    kept.add(tile.index)
            block = joiner.add(tile, found.get("probability"))
            if tile.index in finished:
                planes: Planes = store.load("block", tile.index)
            else:
                planes, whole = self._summed(tile, block, found, threshold, gaps)
                if on_block is not None:
                    on_block(block)
                if whole:
                    store.save("block", tile.index, planes)
                    finished.add(tile.index)
            for index in [i for i in kept if finished.issuperset(self.tiling.touched(i))]:
                store.drop("tile", index)
                kept.discard(index)
            yield block, planes

    def _attempts(self, tiles: Sequence[Tile], gaps: Gaps) -> Iterator[TilePrediction | None]:
        """Predict tiles; None for one that failed, of which `gaps` takes note."""
        done = 0
        while done < len(tiles):
            try:
                for prediction in self.predictions(tiles[done:]):
                    yield prediction
                    done += 1
            except Exception as error:
                gaps.tile(tiles[done].index, error)
                yield None
                done += 1

    def _summed(
        self, tile: Tile, block: Block, found: Planes, threshold: float, gaps: Gaps
    ) -> tuple[Planes, bool]:
        """Return the planes of a block, and whether nothing of it is missing."""
        seen = _within(tile, block, found) if found else unseen(block.rows, block.cols)
        planes = block_planes(block, seen, threshold, self.dating)
        lost = lost_cells(self.tiling, tile.index, gaps.tiles)
        return (planes, True) if lost is None else (without(planes, lost), False)

    def key(self, threshold: float) -> dict[str, Any]:
        """Return all that the blocks of this run depend on, for `Scratch`.

        Raises:
            InputError: if the engine does not tell its weights.
        """
        if not self.ensemble.members:
            raise InputError(
                "this engine does not tell its weights, so its work cannot be kept; map without scratch"
            )
        mask = None if self.water is None else hashlib.sha256(np.packbits(self.water).tobytes()).hexdigest()
        return {
            **self.attrs(),
            "region": self.cube.region.to_dict(),
            "content": self._content(),
            "threshold": threshold,
            "water_mask": mask,
        }

    def _content(self) -> str:
        """What the cube shows of each day that the network sees."""
        return self.cube.content_key(np.unique(np.concatenate([window.days for window in self.windows])))

    def attrs(self) -> dict[str, Any]:
        """Return how the map was made, for its attributes and its manifest."""
        calibration = self.ensemble.calibration
        return {
            "weights": [dict(member) for member in self.ensemble.members],
            "windows": [
                [str(w.start), str(w.stop), str(w.keep_start), str(w.keep_stop)] for w in self.windows
            ],
            "tiling": self.tiling.describe(),
            "sensor": self.cube.sensor,
            "mir_band": self.cube.mir_band,
            "water": self.water_source,
            "engine": getattr(getattr(self.ensemble.engine, "backend", None), "name", None),
            "calibration": None if calibration is None else calibration.model_dump(mode="json"),
            "notes": list(self._notes()),
        }

    def _notes(self) -> Iterator[str]:
        from banet.cube.sensor import sensor_note

        spec = self.ensemble.engine.spec
        if spec.mir_band != self.cube.mir_band:
            yield (
                f"the cube holds {self.cube.mir_band} in the MIR slot, the weights were trained with "
                f"{spec.mir_band}: expect more errors"
            )
        sensor = sensor_note(self.cube.sensor, spec.sensor)
        if sensor is not None:
            yield sensor
        missing = np.setdiff1d(self.days, self.cube.days)
        if missing.size:
            yield f"the cube lacks {missing.size} of the {self.days.size} days that are mapped"


def check_days(cube: Cube, windows: Sequence[Window]) -> None:
    """Make sure that a cube holds at least one of the kept days of some windows.

    Raises:
        InputError: if it does not.
    """
    days = kept_days(windows)
    if np.isin(days, cube.days).any():
        return
    held = f"it holds {cube.days[0]} to {cube.days[-1]}" if len(cube.days) else "it is empty"
    raise InputError(f"the cube of {cube.region.name} has no day from {days[0]} to {days[-1]}; {held}")


def tile_planes(prediction: TilePrediction) -> dict[str, npt.NDArray[Any]]:
    """Return what is kept of a tile: its probabilities, the days observed and the evidence of water."""
    days = np.count_nonzero(prediction.observed, axis=0).astype(np.int16)
    return {"probability": prediction.probability, "observed_days": days, "water": prediction.water}


def _within(tile: Tile, block: Block, found: Planes) -> Planes:
    """Cut what a tile saw to the block that it finishes, which lies within the tile."""
    rows = slice(block.rows.start - tile.rows.start, block.rows.stop - tile.rows.start)
    cols = slice(block.cols.start - tile.cols.start, block.cols.stop - tile.cols.start)
    return {name: found[name][rows, cols] for name in ("observed_days", "water")}


def _tiling_of(cube: Cube, ensemble: Ensemble, settings: TilingSettings) -> Tiling:
    name, tile = settings.get("tiling", "blend"), settings.get("tile")
    return make_tiling(
        name,
        cube.region.shape,
        ensemble.tile if tile is None and name == "blend" else tile,
        settings.get("step"),
        settings.get("margin") or ensemble.margin,
        ensemble.align,
    )


def _water_of(cube: Cube, water: WaterMask | str | None) -> tuple[WaterMask | None, str]:
    if water is None:
        return None, "none"
    if isinstance(water, str):
        if water != "auto":
            raise InputError(f"water {water!r}; give 'auto', a mask or nothing")
        return cube.water, "estimated" if cube.water is None else "cube"
    if water.shape != cube.region.shape:
        raise InputError(f"the water mask is {water.shape}, the region {cube.region.shape}")
    return np.asarray(water, bool), "given"
