"""Fires as vector files: GeoPackage with styles, GeoParquet, GeoJSON, shapefile, KML and CSV."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.fires import Events
from banet.burned_area.perimeters import perimeters
from banet.errors import InputError, OutputError, first_line
from banet.export.qml import text_of, write_style
from banet.export.qml_fires import ABOUT, fire_style
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["FORMATS", "check_files", "write_events", "write_growth", "write_layers", "write_perimeters"]

FORMATS = (".gpkg", ".parquet", ".geoparquet", ".geojson", ".json", ".shp", ".kml", ".csv")

_STYLED = (".geojson", ".json", ".shp")
"""Formats that have their QGIS style in a .qml beside them; a GeoPackage holds its own."""
_KML_NAMES = {"id": "Name", "start": "begin", "day": "begin"}
"""Columns that KML shows as name and time span; `end` has its name already."""
_NO_TIME = "1970-01-01T00:00:00Z"


def check_files(files: Mapping[str, PathLike]) -> None:
    """Make sure that tables can be written to files beside each other.

    Args:
        files: path by name of the table, such as `fires`.

    Raises:
        InputError: if a suffix is none of `FORMATS`, or two have their QGIS style in the same file.
    """
    styles = dict[Path, str]()
    for name, file in files.items():
        path = Path(file).absolute()
        if _kind(path, name) in _STYLED:
            style = path.with_suffix(".qml")
            if style in styles:
                both = f"{styles[style]} and {path.name}"
                raise InputError(f"{both} would both have the style {style.name}: give them different names")
            styles[style] = path.name


def write_events(events: Events | gpd.GeoDataFrame, path: PathLike) -> Path:
    """Write fires in the format that the suffix names, and return the path.

    A GeoPackage also holds their perimeters by day and their growth where it is given `Events`, and the
    styles that QGIS opens them with; GeoJSON and shapefiles have a .qml beside them. Days are dates in every
    format, written `YYYY-MM-DD` where it is text; a CSV has no shapes.

    Args:
        events: what `trace_events` or `find_events` returned.
        path: `.gpkg`, `.parquet` or `.geoparquet`, `.geojson` or `.json`, `.shp`, `.kml` or `.csv`.

    Raises:
        InputError: if the suffix is none of these.
        OutputError: if it cannot be written.
    """
    table = events.table if isinstance(events, Events) else events
    if isinstance(events, Events) and Path(path).suffix.lower() == ".gpkg":
        layers = {"fires": table, "perimeters": perimeters(events), "growth": events.growth}
        return write_layers(layers, path)
    return _write_table(table, Path(path), "fires")


def write_perimeters(events: Events, path: PathLike) -> Path:
    """Write all that each fire had burned by each day on which it grew, as `write_events` writes fires."""
    return _write_table(perimeters(events), Path(path), "perimeters")


def write_growth(events: Events, path: PathLike) -> Path:
    """Write as CSV how many hectares each fire burned on each day, and return the path.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    with writing(target) as part:
        events.growth.to_csv(part, index=False, date_format="%Y-%m-%d", float_format="%.3f")
    return target


def write_layers(layers: Mapping[str, pd.DataFrame], path: PathLike) -> Path:
    """Write several tables as layers of one GeoPackage with their QGIS styles, and return the path.

    Equal input gives equal bytes: no time of writing is in the file.

    Args:
        layers: table by name; those with geometry hold polygons. `fires`, `perimeters` and `gone` are styled.
        path: of the GeoPackage.

    Raises:
        OutputError: if it cannot be written.
    """
    import pyogrio

    target = Path(path)
    with writing(target) as part, _one_line(target):
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _NO_TIME})
        try:
            for name, table in layers.items():
                title, abstract = ABOUT.get(name, (name, ""))
                about = {"IDENTIFIER": title, "DESCRIPTION": abstract}
                _write(table, part, "GPKG", layer=name, append=part.exists(), **about)
            _write_styles(layers, part)
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return target


def _write_table(table: gpd.GeoDataFrame, target: Path, name: str) -> Path:
    kind = _kind(target, name)
    if kind == ".gpkg":
        return write_layers({name: table}, target)
    if kind == ".shp":
        _write_shapefile(table, target)
    else:
        with writing(target) as part, _one_line(target):
            if kind in (".parquet", ".geoparquet"):
                _with_dates(table).to_parquet(part, index=False)
            elif kind == ".csv":
                table.drop(columns="geometry").to_csv(part, index=False, date_format="%Y-%m-%d")
            elif kind == ".kml":
                _write(_for_kml(table), part, "LIBKML", layer=name)
            else:
                _write(table, part, "GeoJSON")
    style = fire_style(name, table) if kind in _STYLED else None
    if style is not None:
        write_style(style, target.with_suffix(".qml"))
    return target


def _kind(target: Path, name: str) -> str:
    kind = target.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"cannot write {name} as {target.name}; choose one of {', '.join(FORMATS)}")
    return kind


def _write_styles(layers: Mapping[str, pd.DataFrame], part: Path) -> None:
    """Write the table from which QGIS takes the styles of the layers of a GeoPackage."""
    import pandas as pd

    found = {name: fire_style(name, table) for name, table in layers.items()}
    styled = {name: text_of(style) for name, style in found.items() if style is not None}
    columns: dict[str, Any] = {
        "f_table_catalog": "",
        "f_table_schema": "",
        "f_table_name": list(styled),
        "f_geometry_column": "geom",
        "styleName": list(styled),
        "styleQML": list(styled.values()),
        "styleSLD": "",
        "useAsDefault": True,
        "description": [ABOUT[name][1] for name in styled],
        "owner": "",
        "ui": "",
        "update_time": np.datetime64(_NO_TIME[:-1], "ms"),
    }
    if styled:
        _write(pd.DataFrame(columns), part, "GPKG", layer="layer_styles", append=True, FID="id")


def _write_shapefile(table: gpd.GeoDataFrame, target: Path) -> None:
    """Write the several files of a shapefile, the .shp last."""
    with tempfile.TemporaryDirectory() as folder, _one_line(target):
        made = Path(folder) / target.name
        _write(table, made, "ESRI Shapefile", ENCODING="UTF-8")
        for file in sorted(made.parent.iterdir(), key=lambda f: f.suffix == ".shp"):
            with writing(target.with_suffix(file.suffix)) as part:
                shutil.copyfile(file, part)


def _write(table: pd.DataFrame, path: Path, driver: str, **options: Any) -> None:
    """Write a table with pyogrio; columns of days, which pandas holds as instants, become dates."""
    import pyogrio.raw
    import shapely

    columns = [name for name in table.columns if name != "geometry"]
    shape: dict[str, Any] = {"geometry": None}
    if "geometry" in table:
        kind = "Polygon" if driver == "ESRI Shapefile" else "MultiPolygon"
        # Outer rings run counter-clockwise, as RFC 7946 has it.
        packed = shapely.to_wkb(shapely.orient_polygons(table.geometry.to_numpy()))
        shape = {"geometry": packed, "geometry_type": kind, "crs": "EPSG:4326"}
    pyogrio.raw.write(
        path,
        field_data=[_column(table[name], name) for name in columns],
        fields=columns,
        driver=driver,
        **shape,
        **options,
    )


def _column(values: pd.Series[Any], name: str) -> Any:
    if values.dtype.kind == "M":
        days = values.to_numpy("datetime64[D]")
        whole = name != "update_time" and np.array_equal(days, values.to_numpy(), equal_nan=True)
        return days if whole else values.to_numpy()
    return values.to_numpy() if values.dtype.kind in "iufb" else values.to_numpy(object)


def _for_kml(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table whose columns have the names that KML knows; other days than those are text.

    The time span of a fire ends with its last day, not with the first moment of it.
    """
    named = table.rename(columns=_KML_NAMES)
    if "end" in named:
        named = named.assign(end=named["end"] + np.timedelta64(86_399, "s"))
    days = [name for name in named.select_dtypes("datetime").columns if name not in ("begin", "end")]
    return named.assign(**{name: named[name].dt.strftime("%Y-%m-%d").astype(object) for name in days})


def _with_dates(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table whose columns of days are dates in Arrow too."""
    import pandas as pd
    import pyarrow as pa

    days = table.select_dtypes("datetime").columns
    return table.assign(**{name: table[name].astype(pd.ArrowDtype(pa.date32())) for name in days})


@contextlib.contextmanager
def _one_line(target: Path) -> Iterator[None]:
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError

    try:
        yield
    except (DataLayerError, DataSourceError, FeatureError, FieldError) as error:
        raise OutputError(f"cannot write {target}: {first_line(error)}") from error
