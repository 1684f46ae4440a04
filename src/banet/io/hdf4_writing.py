"""Writing one HDF4 file of gridded data sets, with typed attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.io.hdf4 import LOCK

__all__ = ["Hdf4Layer", "write_hdf4"]


@dataclass(frozen=True, eq=False)
class Hdf4Layer:
    """One data set.

    Attributes:
        name: of the data set.
        values: (rows, columns); uint8, int16, uint16 or float32.
        grid: name of the HDF-EOS grid, which names its dimensions.
        typed: attributes of the data set's own type, such as the fill value.
        floats: attributes stored as float32.
        texts: attributes of text.
    """

    name: str
    values: npt.NDArray[Any]
    grid: str
    typed: Mapping[str, int | float | Sequence[int]] = field(default_factory=dict)
    floats: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def write_hdf4(path: Path, layers: Sequence[Hdf4Layer], attributes: Mapping[str, str]) -> None:
    """Write data sets and the file's attributes to `path`.

    The library puts the path into the file; dashes take its place, so that no folder's name is given away.
    """
    from pyhdf.SD import SD, SDC

    with LOCK:
        file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
        try:
            for key, value in attributes.items():
                file.attr(key).set(SDC.CHAR, value)
            for layer in layers:
                _write_layer(file, layer)
        finally:
            file.end()
    name = str(path).encode()
    path.write_bytes(path.read_bytes().replace(name, b"-" * len(name)))


def _write_layer(file: Any, layer: Hdf4Layer) -> None:
    from pyhdf.SD import SDC

    kinds = {"uint8": SDC.UINT8, "int16": SDC.INT16, "uint16": SDC.UINT16, "float32": SDC.FLOAT32}
    kind = kinds[np.dtype(layer.values.dtype).name]
    data = file.create(layer.name, kind, layer.values.shape)
    data.dim(0).setname(f"YDim:{layer.grid}")
    data.dim(1).setname(f"XDim:{layer.grid}")
    # The real files are at level 4; level 1 is nearly as small and takes a third of the time.
    data.setcompress(SDC.COMP_DEFLATE, 1)
    for name, text in layer.texts.items():
        data.attr(name).set(SDC.CHAR, text)
    for name, value in layer.typed.items():
        data.attr(name).set(kind, value)
    for name, number in layer.floats.items():
        data.attr(name).set(SDC.FLOAT32, number)
    data[:] = layer.values
    data.endaccess()
