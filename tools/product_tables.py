"""Page of every column and attribute of every product, read from files that are made for it.

python tools/product_tables.py       # writes docs/tables.md

A test holds the page to the files: a column without words, or words without a column, fail it.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tables.md"


def make_products(folder: Path) -> None:
    """Write every product of a small simulated region: a month, its fires, and two mornings."""
    from banet.burned_area.fires import trace_events
    from banet.errors import BanetWarning
    from banet.export.products import write_map
    from banet.export.vectors import write_events, write_growth
    from banet.grid.region import Region
    from banet.mapping import map_burned
    from banet.operations.nrt import run_morning
    from banet.operations.options import MorningOptions
    from banet.simulation import simulate

    region = Region("M", (-8.0, 40.0, -7.76, 40.24), 0.01)
    scene = simulate(region, start="2020-06-10", days=40, seed=5)
    region.save(folder)
    cube = _cube(scene, folder / "M.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BanetWarning)
        burned = map_burned(cube, "2020-07-01", "2020-07-06")
        write_map(cube, burned, folder / "maps", settings={"threshold": 0.5}, pictures=False)
        events = trace_events(burned, min_hectares=0, epsg=3035)
        write_events(events, folder / "fires.gpkg")
        write_growth(events, folder / "growth.csv")
        given = {"region": str(folder / "R_M.json"), "data": folder, "out": folder / "mornings"}
        for day in ("2020-07-04", "2020-07-06"):
            run_morning(
                MorningOptions.parse(
                    {**given, "day": day, "download": False, "min_hectares": 1.0}, "banet nrt"
                )
            )


def _cube(scene: Any, path: Path) -> Any:
    from banet.cube import Cube
    from banet.observations.planes import DayPlanes

    cube = Cube.create(path, scene.region, sensor="VIIRS S-NPP", mir_band="M12")
    for index, day in enumerate(scene.days):
        planes = {name: getattr(scene, name)[index] for name in ("red", "nir", "mir", "view_zenith")}
        count = np.isfinite(planes["nir"]).astype(np.uint8)
        cube.write_day(
            day,
            DayPlanes(**planes, count=count, inputs=("made.hdf",), satellites=("S-NPP",)),
            scene.frp[index],
        )
    return cube


# Words by kind of file and name. A name that the files do not hold, or one without words, fails the test.
_FIRE = {
    "id": "name of the fire: region, first day and place of its seed; in mornings it lasts",
    "region": "name of the region",
    "start": "first UTC day",
    "end": "last UTC day",
    "days": "days from start to end, both counted",
    "cells": "burned cells",
    "area_ha": "burned hectares on the ellipsoid, each cell by its burned fraction",
    "cells_ha": "hectares of its whole cells",
    "peak_day": "day on which most burned",
    "peak_ha": "hectares of that day",
    "date_unc": "median date uncertainty of its cells, days; -1 where none is known",
    "seed_lon": "longitude of the seed: the northernmost, then westernmost cell of the first day",
    "seed_lat": "latitude of the seed",
    "geometry": "outline of its cells, longitude and latitude",
}
_GROWN = {
    "id": "name of the fire",
    "day": "UTC day on which it grew",
    "area_ha": "hectares of that day",
    "total_ha": "hectares up to that day",
}
WORDS: dict[str, dict[str, str]] = {
    "tags": {
        "AREA_OR_POINT": "a value stands for the area of its cell",
        "TIFFTAG_IMAGEDESCRIPTION": "title",
        "TIFFTAG_SOFTWARE": "banet",
        "codes": "what each value means",
        "method": "how the value was found",
        "region": "name of the region",
        "start": "first day of the map",
        "end": "last day of the map",
        "threshold": "burned fraction from which on a cell counts as burned; 0: any dated part",
        "year": "year of the days of year",
        "first_day_of_year": "day of year of the first day",
        "last_day_of_year": "day of year of the last day",
    },
    "variables": {
        "time": "first day of the map",
        "time_bnds": "first day and the day after the last",
        "latitude": "centre of the cell",
        "longitude": "centre of the cell",
        "latitude_bnds": "edges of the cell",
        "longitude_bnds": "edges of the cell",
        "spatial_ref": "reference system, EPSG:4326, as CF, GDAL and rioxarray read it",
    },
    "attributes": {
        "Conventions": "version of the CF conventions",
        "title": "region and days",
        "source": "what made it",
        "references": "paper of the method",
        "history": "version and command",
        "time_coverage_start": "first day",
        "time_coverage_end": "last day",
        "time_coverage_stop": "the day after the last",
        "burned_threshold": "burned fraction from which on a cell counts as burned; 0: any dated part",
        "banet_name": "name of the source, such as `map` or `VNP64A1.002`",
        "banet_region": "grid of the region, JSON",
        "banet_attrs": "weights, calibration, notes and more, JSON",
        "coordinates": "variables that are coordinates",
    },
    "fires": {
        **_FIRE,
        "epsg_ha": "hectares of the outline in the projection that `--epsg` names, where it is given",
    },
    "growth": {**_GROWN, "cells": "cells that burned on that day"},
    "mornings: fires": {
        **_FIRE,
        "status": "`new`, `grown`, `quiet` or `ended`",
        "first_seen": "morning on which it was named",
        "last_grown": "newest morning on which it gained a cell",
        "merged": "names of the fires that it took in",
        "into": "fire that took it in",
    },
    "mornings: perimeters": {
        **_GROWN,
        "front_km": "length of the outline of all that had burned by that day, holes included, along cells",
        "geometry": "outline of all that had burned by that day",
    },
    "mornings: growth": {
        **_GROWN,
        "front_km": "length of the outline of all that had burned by that day, holes included, along cells",
    },
    "mornings: gone": {
        **{name: _FIRE[name] for name in ("id", "start", "end", "area_ha", "geometry")},
        "status": "`withdrawn` or `merged`",
        "into": "fire that took it in, where merged",
        "first_seen": "morning on which it was named",
        "last_grown": "newest morning on which it gained a cell",
    },
    "mornings: revisions": {
        "row": "row of the cell, from the north",
        "column": "column of the cell, from the west",
        "longitude": "centre of the cell",
        "latitude": "centre of the cell",
        "kind": "`added`, `withdrawn` or `re-dated`",
        "cause": "reason, the first that holds",
        "before": "burn date of the morning before",
        "after": "burn date now",
    },
}


LAYERS = ("burn_date", "confidence", "uncertainty", "over_tenth", "days_since")
"""Ends of the names of rasters."""


def tables(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return for each kind of file the cells of its table by name of the column, tag or attribute."""
    return {**_rasters(folder), **_netcdf(folder), **_vectors(folder)}


def _rasters(folder: Path) -> dict[str, dict[str, list[str]]]:
    import rasterio

    bands, tags = dict[str, list[str]](), dict[str, list[str]]()
    newest = sorted(folder.glob("mornings/2*"))[-1]
    for path in [*sorted(folder.glob("maps/*.tif")), *newest.glob("*_days_since.tif")]:
        with rasterio.open(path) as raster:
            held = raster.tags()
            name = next(one for one in LAYERS if one in path.name)
            bands[f"_{name}.tif"] = [
                raster.dtypes[0],
                raster.units[0] or "",
                f"{raster.nodata:g}",
                held["codes"],
            ]
            for tag in held:
                tags.setdefault(tag, []).append(name)
    return {"bands": bands, "tags": {tag: [_in(names, len(bands))] for tag, names in tags.items()}}


def _in(names: list[str], of: int) -> str:
    return "all" if len(names) == of else ", ".join(names)


def _netcdf(folder: Path) -> dict[str, dict[str, list[str]]]:
    import h5netcdf.legacyapi as netcdf

    variables, attributes = dict[str, list[str]](), dict[str, list[str]]()
    newest = sorted(folder.glob("mornings/2*"))[-1]
    for path in [*folder.glob("maps/*.nc"), *newest.glob("*.nc")]:
        with netcdf.Dataset(path) as held:
            for name, variable in held.variables.items():
                said = {key: variable.getncattr(key) for key in variable.ncattrs()}
                words = str(said.get("long_name", ""))
                if name not in WORDS["variables"] and not words:
                    words = "?"
                unit = str(said.get("units", ""))
                unit = "days since a day" if unit.startswith("days since") else unit
                variables[name] = [
                    ", ".join(variable.dimensions) or "-",
                    str(variable.dtype),
                    unit,
                    "" if name in WORDS["variables"] else words,
                ]
            attributes |= {name: [] for name in held.ncattrs()}
    return {"variables": variables, "attributes": attributes}


def _vectors(folder: Path) -> dict[str, dict[str, list[str]]]:
    import pandas as pd
    import pyogrio

    latest, found = folder / "mornings" / "latest", dict[str, dict[str, list[str]]]()
    packages = {"fires": folder / "fires.gpkg", **{
        f"mornings: {layer}": latest / "M_fires.gpkg" for layer in ("fires", "perimeters", "growth", "gone")
    }}  # fmt: skip
    for kind, path in packages.items():
        about = pyogrio.read_info(path, layer=kind.removeprefix("mornings: "))
        found[kind] = {
            name: [_type(str(dtype))] for name, dtype in zip(about["fields"], about["dtypes"], strict=True)
        }
        if about["geometry_type"]:
            found[kind]["geometry"] = [str(about["geometry_type"])]
    found["growth"] = {name: ["text"] for name in pd.read_csv(folder / "growth.csv").columns}
    revisions = pd.read_parquet(latest / "M_revisions.parquet")
    found["mornings: revisions"] = {name: [_type(str(kind))] for name, kind in revisions.dtypes.items()}
    return found


def _type(dtype: str) -> str:
    kinds = {"datetime": "day", "int": "whole number", "float": "number"}
    return next((words for start, words in kinds.items() if dtype.startswith(start)), "text")


def unlike(found: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return what files hold without words, and words that no file holds."""
    lines = []
    for kind, words in WORDS.items():
        held = set(found[kind])
        if kind == "variables":
            held = {name for name, cells in found[kind].items() if not cells[-1]} | (held & set(words))
            lines += [
                f"{kind}: {name} has no words" for name, cells in found[kind].items() if cells[-1] == "?"
            ]
        lines += [
            f"{kind}: {name} has no words in tools/product_tables.py" for name in sorted(held - set(words))
        ]
        lines += [f"{kind}: {name} is in no file" for name in sorted(set(words) - held)]
    return lines


_COLUMNS = ("column", "type", "says")
_HEADS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "bands": (
        "Rasters",
        "`{region}_{period}_NAME.tif`, cloud-optimised GeoTIFF, EPSG:4326, one band.",
        ("file", "type", "unit", "no data", "values"),
    ),
    "tags": ("Tags of the rasters", "", ("tag", "in", "says")),
    "variables": (
        "Variables of the NetCDF file",
        "`{region}_{period}.nc`, CF. `days_since` is in mornings alone. Products and truths may hold more: "
        "[Products](products.md#further-variables-of-the-netcdf-file).",
        ("variable", "dimensions", "type", "unit", "says"),
    ),
    "attributes": ("Attributes of the NetCDF file", "", ("attribute", "says")),
    "fires": (
        "Fires",
        "`banet events` and `banet run`: GeoPackage (layer `fires`), GeoParquet, GeoJSON and shapefile hold "
        "the same columns; GeoJSON holds days as text.",
        _COLUMNS,
    ),
    "growth": ("Growth", "`{region}_growth.csv` of `banet run`: a row a fire and day.", _COLUMNS),
    "mornings: fires": (
        "Mornings: fires",
        "`{region}_fires.gpkg`, layer `fires`, and `.parquet`, `.geojson`.",
        _COLUMNS,
    ),
    "mornings: perimeters": (
        "Mornings: perimeters",
        "Layer `perimeters`: a row a fire and day on which it grew.",
        _COLUMNS,
    ),
    "mornings: growth": ("Mornings: growth", "Layer `growth`: the same without outlines.", _COLUMNS),
    "mornings: gone": (
        "Mornings: gone",
        "Layer `gone`: fires of these days that the map no longer shows.",
        _COLUMNS,
    ),
    "mornings: revisions": (
        "Mornings: revisions",
        "`{region}_revisions.parquet`: a row a cell that changed.",
        _COLUMNS,
    ),
}
_TOP = """# Columns and attributes

<!-- Made by tools/product_tables.py from files that it writes; a test holds this page to them. -->

What each product holds, read from files made for this page with calibrated weights, whose shares stand here
as N %. How a map is made, and what its numbers mean with other weights, is on the page
[Products](products.md); the fields of `status.json` are on [Every morning](mornings.md#status)."""
# Shares that the calibration of the weights sets.
_SHARE = re.compile(r"\b\d[\d.]* %(?= of the)")


def page(found: dict[str, dict[str, list[str]]]) -> str:
    """Return the page as Markdown."""
    parts = [_TOP]
    for kind, (title, words, head) in _HEADS.items():
        rows = []
        for name, cells in found[kind].items():
            said = WORDS.get(kind, {}).get(name)
            filled = (
                [*cells[:-1], said] if kind == "variables" and said else [*cells, *([said] if said else [])]
            )
            rows.append([f"`{name}`", *filled])
        lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
        parts += [f"## {title}", *([words] if words else []), "\n".join(lines)]
    return _SHARE.sub("N %", "\n\n".join(parts)) + "\n"


def main() -> None:
    """Make the files, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        make_products(Path(folder))
        found = tables(Path(folder))
    if lines := unlike(found):
        sys.exit("\n".join(lines))
    PAGE.write_text(page(found), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
