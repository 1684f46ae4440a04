"""Monthly sinusoidal tiles in the layout of VNP64A1, written as HDF4.

Layers, types, attributes and metadata of the grid are those of a real VNP64A1.002 file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from banet.grid.sinusoidal import EARTH_RADIUS, TILE_SIZE, tile_grid
from banet.io.hdf4_writing import Hdf4Layer, write_hdf4
from banet.labels.monthly_files import MISSING, WATER, Layers

__all__ = ["GRID_NAME", "TILE_PIXELS", "write_tile"]

TILE_PIXELS = 2400
GRID_NAME = "MOD_Grid_Monthly_500m_BA"
_Typed = Mapping[str, int | float | Sequence[int]]
_CODES: _Typed = {"_FillValue": MISSING, "water": WATER}
_FIELDS = {
    "Burn Date": "INT16",
    "Burn Date Uncertainty": "UINT8",
    "QA": "UINT8",
    "First Day": "INT16",
    "Last Day": "INT16",
}


def write_tile(
    path: Path, h: int, v: int, month: np.datetime64, layers: Layers, attributes: Mapping[str, str]
) -> None:
    """Write the five layers of a tile and month.

    Args:
        path: of the file.
        h: column of the tile, 0-35.
        v: row of the tile, 0-17.
        month: datetime64[M].
        layers: burn, uncertainty, qa, first and last of all 2400 x 2400 pixels.
        attributes: of the file, beside those that follow from tile and month.
    """
    start, end = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
    about = {
        "HDFEOSVersion": "HDFEOS_V2.20",
        "StructMetadata.0": _structure(h, v),
        "ShortName": "VNP64A1",
        "tile": f"h{h:02d}v{v:02d}",
        "year": str(month)[:4],
        "RangeBeginningDate": str(start),
        "RangeEndingDate": str(end),
    }
    write_hdf4(path, _data(layers), about | dict(attributes))


def _data(layers: Layers) -> list[Hdf4Layer]:
    assert layers.uncertainty is not None and layers.qa is not None
    assert layers.first is not None and layers.last is not None
    days: _Typed = {"valid_range": [1, 366], **_CODES}
    dates: _Typed = {"valid_range": [0, 366], **_CODES}
    names = {
        "first": "first day of reliable change detection",
        "last": "last day of reliable change detection",
    }
    return [
        Hdf4Layer("Burn Date", layers.burn, GRID_NAME, dates, texts={"long_name": "ordinal day of burn"}),
        Hdf4Layer(
            "Burn Date Uncertainty",
            layers.uncertainty,
            GRID_NAME,
            texts={"long_name": "uncertainty in day of burn", "units": "days"},
        ),
        Hdf4Layer("QA", layers.qa, GRID_NAME, texts={"units": "bit field"}),
        Hdf4Layer("First Day", layers.first, GRID_NAME, days, texts={"long_name": names["first"]}),
        Hdf4Layer("Last Day", layers.last, GRID_NAME, days, texts={"long_name": names["last"]}),
    ]


def _structure(h: int, v: int) -> str:
    """Return the metadata that tell HDF-EOS readers where the pixels are."""
    grid = tile_grid(h, v)
    fields = "".join(
        f'\t\t\tOBJECT=DataField_{i + 1}\n\t\t\t\tDataFieldName="{name}"\n\t\t\t\tDataType=DFNT_{kind}\n'
        f'\t\t\t\tDimList=("YDim","XDim")\n\t\t\tEND_OBJECT=DataField_{i + 1}\n'
        for i, (name, kind) in enumerate(_FIELDS.items())
    )
    return (
        "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\n\tGROUP=GRID_1\n"
        f'\t\tGridName="{GRID_NAME}"\n\t\tXDim={TILE_PIXELS}\n\t\tYDim={TILE_PIXELS}\n'
        f"\t\tUpperLeftPointMtrs=({grid.left:.6f},{grid.top:.6f})\n"
        f"\t\tLowerRightMtrs=({grid.left + TILE_SIZE:.6f},{grid.top - TILE_SIZE:.6f})\n"
        f"\t\tProjection=GCTP_SNSOID\n\t\tProjParams=({EARTH_RADIUS:.6f},0,0,0,0,0,0,0,0,0,0,0,0)\n"
        "\t\tSphereCode=-1\n\t\tGridOrigin=HDFE_GD_UL\n\t\tGROUP=DataField\n"
        f"{fields}\t\tEND_GROUP=DataField\n\tEND_GROUP=GRID_1\nEND_GROUP=GridStructure\n"
        "GROUP=PointStructure\nEND_GROUP=PointStructure\nEND\n"
    )
