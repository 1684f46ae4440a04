"""Fires as vector files: GeoPackage, GeoParquet, GeoJSON and shapefile."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.burned_area.fires import Events
from banet.errors import InputError, OutputError
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["FORMATS", "write_events", "write_growth", "write_layers"]

FORMATS = (".gpkg", ".parquet", ".geoparquet", ".geojson", ".json", ".shp")


def write_events(events: Events | gpd.GeoDataFrame, path: PathLike) -> Path:
    """Write fires in the format that the suffix names, and return the path.

    GeoJSON and shapefiles hold days as text `YYYY-MM-DD`.

    Args:
        events: what `trace_events` or `find_events` returned.
        path: `.gpkg`, `.parquet` or `.geoparquet`, `.geojson` or `.json`, or `.shp`.

    Raises:
        InputError: if the suffix is none of these.
        OutputError: if it cannot be written.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"cannot write fires as {target.name}; choose one of {', '.join(FORMATS)}")
    table = events.table if isinstance(events, Events) else events
    if kind == ".shp":
        _write_shapefile(table, target)
        return target
    with writing(target) as part, _one_line(target):
        if kind in (".parquet", ".geoparquet"):
            table.to_parquet(part, index=False)
        elif kind == ".gpkg":
            _write(table, part, "GPKG", layer="fires", geometry_type="MultiPolygon")
        else:
            _write(_with_text_days(table), part, "GeoJSON", geometry_type="MultiPolygon")
    return target


def write_growth(events: Events, path: PathLike) -> Path:
    """Write as CSV how many hectares each fire burned on each day, and return the path.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    with writing(target) as part:
        events.growth.to_csv(part, index=False, date_format="%Y-%m-%d", float_format="%.3f")
    return target


def write_layers(layers: Mapping[str, pd.DataFrame], path: PathLike, *, stamp: str) -> Path:
    """Write several tables as layers of one GeoPackage, and return the path.

    Equal input gives equal bytes: the file says that it was written at `stamp`.

    Args:
        layers: table by name; those with geometry hold polygons.
        path: of the GeoPackage.
        stamp: time of writing to put into the file, `YYYY-MM-DDTHH:MM:SSZ`.

    Raises:
        OutputError: if it cannot be written.
    """
    import pyogrio

    target = Path(path)
    with writing(target) as part, _one_line(target):
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
        try:
            for name, table in layers.items():
                shape = {"geometry_type": "MultiPolygon"} if hasattr(table, "geometry") else {}
                _write(table, part, "GPKG", layer=name, **shape)
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return target


def _write_shapefile(table: gpd.GeoDataFrame, target: Path) -> None:
    """Write the several files of a shapefile, the .shp last."""
    with tempfile.TemporaryDirectory() as folder, _one_line(target):
        made = Path(folder) / target.name
        _write(_with_text_days(table), made, "ESRI Shapefile", geometry_type="Polygon", ENCODING="UTF-8")
        for file in sorted(made.parent.iterdir(), key=lambda f: f.suffix == ".shp"):
            with writing(target.with_suffix(file.suffix)) as part:
                shutil.copyfile(file, part)


def _write(table: pd.DataFrame, path: Path, driver: str, **options: Any) -> None:
    import pyogrio

    pyogrio.write_dataframe(table, path, driver=driver, **options)


def _with_text_days(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    days = table.select_dtypes("datetime").columns
    return table.assign(**{name: table[name].dt.strftime("%Y-%m-%d").astype(object) for name in days})


@contextlib.contextmanager
def _one_line(target: Path) -> Iterator[None]:
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError

    try:
        yield
    except (DataLayerError, DataSourceError, FeatureError, FieldError) as error:
        raise OutputError(f"cannot write {target}: {str(error).splitlines()[0]}") from error
