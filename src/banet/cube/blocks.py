"""Blocks of days and cells: which part is asked for, and the arrays that it is read into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.cube.shards import Place, ShardReader
from banet.cube.variables import VARIABLES
from banet.cube.withheld import Withheld
from banet.errors import InputError
from banet.observations.planes import NO_FLAG

__all__ = ["block_of", "check_names", "read_blocks"]

Given = Mapping[str, npt.NDArray[np.float32]]


def block_of(what: str, part: slice, size: int) -> slice:
    """Return a slice with start and stop.

    Raises:
        InputError: if it is no slice, has a step or is empty.
    """
    if not isinstance(part, slice):
        raise InputError(f"{what} are a slice of cells, such as slice(3, 4), not {part!r}")
    start, stop, step = part.indices(size)
    if step != 1:
        raise InputError(f"{what} has step {step}; only whole blocks can be read")
    if stop <= start:
        raise InputError(f"{what} {part.start}:{part.stop} holds none of the {size} cells")
    return slice(start, stop)


def check_names(wanted: Set[str], flags: Sequence[str], kept: Sequence[str], where: object) -> None:
    """Make sure that there are such variables and flags.

    Raises:
        InputError: if there are not.
    """
    unknown = ", ".join(sorted(wanted - VARIABLES.keys()))
    if unknown:
        raise InputError(f"no variable {unknown}; there are {', '.join(VARIABLES)}")
    lacking = ", ".join(sorted(set(flags) - set(kept)))
    if lacking:
        raise InputError(f"no flags {lacking} in {where}; it keeps {', '.join(kept) or 'none'}")


def read_blocks(
    reader: ShardReader,
    places: Sequence[Place],
    length: int,
    box: tuple[slice, slice],
    wanted: Set[str],
    given: Given,
    withheld: Withheld,
) -> dict[str, npt.NDArray[Any]]:
    """Read blocks of variables, (length, rows, columns); those not wanted are missing and take no memory.

    Raises:
        InputError: if a given array does not fit.
        CorruptError: if a file is damaged, missing, or of another day.
    """
    shape = (length, *(part.stop - part.start for part in box))
    hidden = withheld.shown.keys()
    blocks: dict[str, npt.NDArray[Any]] = {}
    for name in VARIABLES:
        dtype, missing = (np.uint8, 0) if name == "count" else (np.float32, np.nan)
        if name in hidden:
            missing = withheld.shown[name]
        if name in given:
            blocks[name] = _emptied(name, given[name], shape, dtype, missing)
        elif name in wanted and name not in hidden:
            blocks[name] = np.full(shape, missing, dtype)
        else:
            blocks[name] = np.broadcast_to(np.array(missing, dtype), shape)
    blocks |= {name: np.full(shape, NO_FLAG, np.uint8) for name in wanted - VARIABLES.keys()}
    reader.read(places, box, {name: blocks[name] for name in wanted - hidden})
    return blocks


def _emptied(
    name: str, array: npt.NDArray[Any], shape: tuple[int, ...], dtype: type, missing: float
) -> npt.NDArray[Any]:
    if array.shape != shape or array.dtype != dtype:
        raise InputError(
            f"{name} is {np.dtype(dtype)} {shape}; cannot read it into {array.dtype} {array.shape}"
        )
    array.fill(missing)
    return array
