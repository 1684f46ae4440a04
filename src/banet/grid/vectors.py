"""Polygons of vector files in every container that agencies deliver, in degrees and with counts."""

from __future__ import annotations

import json
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.polygons import areas_of, long_edged, unwrapped, within_180
from banet.grid.whole_vectors import answer_of_gml, answer_of_json, check_answer, check_kml, check_shapefile
from banet.io.containers import Member, inner_suffix, unpacked
from banet.io.files import PathLike

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["SUFFIXES", "Polygons", "is_vector", "read_polygons", "read_shapes", "read_vector", "zone_names"]

SUFFIXES = (
    ".shp",
    ".gpkg",
    ".geojson",
    ".json",
    ".geojsonl",
    ".parquet",
    ".geoparquet",
    ".fgb",
    ".gdb",
    ".kml",
    ".gml",
)
"""Endings of the vector files that are read; each may lie in a ZIP or be packed with gzip."""
_PACKED = (".zip", ".kmz")
_MOST_ROWS_NAMED = 4
_JUMP = 350.0
"""Degrees of longitude: a longer edge of a zone is a step across the antimeridian."""
_NAMES = ("name", "NAME", "Name", "region", "id", "ID")
_SHORT_YEAR = re.compile(rb'"\s*(\d{1,2}(?:-|\\?/)\d{1,2}(?:-|\\?/)\d{1,2})(?!\d)')
_CHOOSE = "name one with --layer (layer=), of zones with --zone-layer, or save it as a file of its own"
_BETWEEN_RECORDS = b"\x1e"
"""Byte before each feature of a sequence (RFC 8142); most have lines alone."""


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons of a file and the fields that go with them.

    Attributes:
        table: the fields, one row a polygon.
        geometry: (n,) shapely polygons and multipolygons in longitude and latitude, valid, within
            180 degrees.
        rows: (n,) int64, number of each in the file, from 1.
        name: of the file, such as `fires.zip/fires.shp`.
        read: number of features in the file.
        left_out: reason and number of the features that are no polygon here.
        notes: what was repaired.
    """

    table: pd.DataFrame
    geometry: npt.NDArray[np.object_]
    rows: npt.NDArray[np.int64]
    name: str
    read: int
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


def is_vector(path: PathLike) -> bool:
    """Return whether a file's ending is that of a vector file or of an archive that may hold one."""
    return Path(path).suffix.lower() in _PACKED or inner_suffix(path) in SUFFIXES


def read_polygons(
    path: PathLike | gpd.GeoDataFrame, *, layer: str | None = None, wide: bool = False
) -> Polygons:
    """Read the polygons of a vector file, of a folder that holds one, or of either in a ZIP or gzip file.

    A GeoDataFrame is taken as it is.

    Features without geometry, without an area, or whose coordinates are no places on earth are left out and
    counted; rings that are not closed or cross themselves are repaired where that can be done.

    Args:
        path: where the file is, or its content.
        layer: name of the layer, where the file has several with polygons.
        wide: whether polygons in degrees may be wider than half the globe, as zones may. A ring with edges of
            350 degrees or more, which old files do not split at 180 degrees, is taken to cross there; one
            with a shorter edge of more than 180 is taken as it is drawn; both are noted. Otherwise each such
            ring is taken to cross 180 degrees.

    Raises:
        NotFoundError: if there is no such file, or the folder or archive holds none.
        UnreadableFileError: if it is no vector file, is damaged, a part of a server's answer, or has no
            coordinate reference system.
        InputError: if it holds no polygon, or several layers or files to choose from.
    """
    table, shapes, name, crs, broken = _features(path, layer)
    if crs is None:
        raise UnreadableFileError(f"{name} has no coordinate reference system (is its .prj missing?)")
    sorting = _Sorting(len(shapes))
    null = np.array([shape is None for shape in shapes], bool) & ~broken
    sorting.out(null, "without geometry")
    shapes, closed = _closed(shapes, broken)
    sorting.out(broken & ~closed, "with a ring that is not closed or too short")
    sorting.note(broken & closed, "with rings that were not closed: closed")
    jump = _JUMP if wide and crs.is_geographic else 180.0
    if crs.is_geographic:  # before repairs, which take edges across the whole map at their word
        shapes, crossing = _in_one_piece(shapes, jump)
        if wide:
            sorting.note(crossing, "with a ring that is not split at 180 degrees: taken to cross there")
    areas, kinds, mended = _areas(shapes, sorting.kept)
    sorting.note(mended, "with rings that cross themselves: repaired")
    found = np.array([area is not None for area in areas], bool)
    sorting.out(~found, "without an area (points, lines)")
    if len(shapes) and not found.any() and kinds:
        raise InputError(f"{name} holds {', '.join(sorted(kinds))}; perimeters must be polygons")
    placed = _in_degrees(areas, sorting, crs, jump)
    sorting.out(np.array([shape is None for shape in placed], bool), "with coordinates that are no place")
    return Polygons(
        table[sorting.kept].reset_index(drop=True),
        np.array([shape for shape in placed if shape is not None], object),
        np.flatnonzero(sorting.kept) + 1,
        name,
        len(shapes),
        tuple(sorting.left_out),
        tuple(sorting.notes),
    )


def zone_names(found: Polygons, field: str | None = None) -> npt.NDArray[np.object_]:
    """Return the name of each polygon, (n,); one without a name has the number of its row.

    Args:
        found: the polygons.
        field: with the names; by default the first of name, region, id that there is, or else the rows are
            numbered.

    Raises:
        InputError: if there is no such field.

    Warns:
        BanetWarning: if there is no field of names.
    """
    columns = found.table.columns
    if field is not None and field not in columns:
        raise InputError(f"{found.name} has no field {field}; it has {', '.join(columns) or 'none'}")
    column = field or next((name for name in _NAMES if name in columns), None)
    if column is not None:
        held = found.table[column]
        if held.dtype.kind == "f" and (held.dropna() % 1 == 0).all():
            held = held.astype("Int64")  # whole numbers, of which some are missing
        named = held.astype(str).str.strip()
        missing = held.isna() | (named == "")
        return np.where(missing, [f"row {row}" for row in found.rows], named.to_numpy(object))
    warnings.warn(
        f"{found.name} has none of the fields {', '.join(_NAMES)}: its zones are numbered by row; name a "
        "field with --zone-field (zone_field=)",
        BanetWarning,
        stacklevel=3,
    )
    return np.array([str(row) for row in found.rows], object)


class _Sorting:
    """Features that are kept, and the reasons why the others are not."""

    def __init__(self, count: int) -> None:
        self.kept = np.ones(count, bool)
        self.left_out: list[tuple[str, int]] = []
        self.notes: list[str] = []

    def out(self, which: npt.NDArray[np.bool_], reason: str) -> None:
        gone = which & self.kept
        if gone.any():
            self.left_out.append((f"{reason} ({_rows(gone)})", int(gone.sum())))
            self.kept &= ~gone

    def note(self, which: npt.NDArray[np.bool_], words: str) -> None:
        if (which & self.kept).any():
            self.notes.append(f"{int(which.sum())} {words} ({_rows(which)})")


def _rows(which: npt.NDArray[np.bool_]) -> str:
    rows = (np.flatnonzero(which) + 1).tolist()
    shown = ", ".join(str(row) for row in rows[:_MOST_ROWS_NAMED])
    more = ", ..." if len(rows) > _MOST_ROWS_NAMED else ""
    return f"row {shown}{more}" if len(rows) == 1 else f"rows {shown}{more}"


def _closed(
    shapes: npt.NDArray[np.object_], broken: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    """Sort out polygons that shapely closed: those whose last vertex lies far off are not repaired."""
    good = np.zeros(len(shapes), bool)
    result = shapes.copy()
    for row in np.flatnonzero(broken):
        good[row] = shapes[row] is not None and not any(map(_strays, _rings(shapes[row])))
        if not good[row]:
            result[row] = None
    return result, good


def _rings(shape: Any) -> list[npt.NDArray[np.float64]]:
    import shapely

    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return [np.asarray(ring.coords)[:, :2] for part in polygons for ring in (part.exterior, *part.interiors)]


def _strays(ring: npt.NDArray[np.float64]) -> bool:
    """Return whether the vertex before the closing one lies further off than the others reach."""
    last, others = ring[-2], ring[:-2]
    if len(others) < 3:
        return False
    size = float(np.linalg.norm(others.max(axis=0) - others.min(axis=0)))
    return float(np.linalg.norm(others - last, axis=1).min()) > size


def _areas(
    shapes: npt.NDArray[np.object_], kept: npt.NDArray[np.bool_]
) -> tuple[list[Any], set[str], npt.NDArray[np.bool_]]:
    """Return the polygons of each shape or None, the kinds that have none, and where rings were mended."""
    import shapely

    areas: list[Any] = [None] * len(shapes)
    kinds: set[str] = set()
    mended = np.zeros(len(shapes), bool)
    for row in np.flatnonzero(kept):
        flat = shapely.force_2d(shapes[row])
        try:
            areas[row] = areas_of(flat)
        except (shapely.errors.GEOSException, ValueError):
            continue
        mended[row] = areas[row] is not None and not flat.is_valid
        if areas[row] is None and not flat.is_empty:
            kinds.add(flat.geom_type)
    return areas, kinds, mended


def _in_one_piece(
    shapes: npt.NDArray[np.object_], jump: float
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    """Carry the rings of polygons in degrees on where they jump, and return which did."""
    result, crossing = shapes.copy(), np.zeros(len(shapes), bool)
    for row, shape in enumerate(shapes):
        if shape is not None and shape.geom_type in ("Polygon", "MultiPolygon"):
            result[row] = unwrapped(shape, jump)
            crossing[row] = result[row] is not shape
    return result, crossing


def _in_degrees(areas: list[Any], sorting: _Sorting, crs: Any, jump: float) -> list[Any]:
    """Return the polygons in longitude and latitude, in one piece across 180 degrees and cut there."""
    import geopandas as gpd
    import shapely

    rows = np.flatnonzero(sorting.kept)
    series = gpd.GeoSeries([areas[row] for row in rows], crs=crs).to_crs("EPSG:4326")
    result: list[Any] = [None] * len(areas)
    doubtful = np.zeros(len(areas), bool)
    for row, shape in zip(rows, series.array, strict=True):
        west, south, east, north = shape.bounds
        if not np.isfinite([west, south, east, north]).all() or south < -90.001 or north > 90.001:
            continue
        if max(abs(west), abs(east)) > 540:
            continue
        whole = unwrapped(shape, jump)
        doubtful[row] = long_edged(whole)
        if whole is not shape or west < -180 or east > 180 or not shape.is_valid:
            whole = within_180(areas_of(shapely.make_valid(whole)) or shape)
        result[row] = areas_of(whole) if whole.geom_type not in ("Polygon", "MultiPolygon") else whole
    sorting.note(
        doubtful,
        "with an edge over more than 180 degrees of longitude: taken as drawn; what crosses 180 degrees "
        "must be split there",
    )
    return result


def _features(
    path: PathLike | gpd.GeoDataFrame, layer: str | None
) -> tuple[pd.DataFrame, npt.NDArray[np.object_], str, Any, npt.NDArray[np.bool_]]:
    """Return fields, shapes (None where there is none), name, reference system, and which are broken."""
    if isinstance(path, str | os.PathLike):
        with unpacked(path) as members:
            member = _only(Path(path), members, layer)
            frame, broken = read_vector(member, layer=layer)
        name = member.name
    else:
        frame, name = _given(path, layer), "the GeoDataFrame"
        broken = np.zeros(len(frame), bool)
    fields = frame.drop(columns=frame.geometry.name).reset_index(drop=True)
    shapes = np.asarray(frame.geometry.array, object)
    return fields, shapes, name, frame.crs, broken


def _given(frame: Any, layer: str | None) -> gpd.GeoDataFrame:
    """Make sure that what was given in the place of a path is a table with shapes."""
    import geopandas as gpd

    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        raise InputError(f"a {type(frame).__name__} is neither the path of a vector file nor a GeoDataFrame")
    if layer is not None:
        raise InputError("a GeoDataFrame has no layers; leave the layer out")
    return frame


def _only(path: Path, members: list[Member], layer: str | None) -> Member:
    """Return the one vector file among members; the layer may be the name of a file in an archive."""
    found = [each for each in members if each.suffix in SUFFIXES or each.path == path]
    # A file .json beside others says something of them, more often than that it holds shapes.
    found = [each for each in found if each.suffix != ".json"] or found
    found = [each for each in found if each.path.stem == layer] or found
    what = "folder" if path.is_dir() else "archive"
    if not found:
        raise NotFoundError(f"the {what} {path} holds no vector file ({', '.join(SUFFIXES)})")
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:5])
        raise InputError(
            f"the {what} {path} holds {len(found)} vector files ({names}); give one of them, "
            "in an archive by --layer NAME (layer=)"
        )
    return found[0]


def read_shapes(path: PathLike, *, layer: str | None = None) -> tuple[gpd.GeoDataFrame, str]:
    """Read the features of a vector file, points too, in longitude and latitude, and the file's name.

    Raises:
        NotFoundError: if there is no such file, or the folder or archive holds none.
        UnreadableFileError: if it is no vector file, is damaged, or has no coordinate reference system.
        InputError: if there are several layers or files to choose from.
    """
    with unpacked(path) as members:
        member = _only(Path(path), members, layer)
        frame, _ = read_vector(member, layer=layer)
    if frame.crs is None:
        raise UnreadableFileError(f"{member.name} has no coordinate reference system (is its .prj missing?)")
    return frame.to_crs("EPSG:4326"), member.name


def read_vector(
    member: Member, *, layer: str | None = None, advice: str = _CHOOSE
) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_]]:
    """Read one vector file whole: its fields and shapes, and where a shape was broken.

    Text in JSON stays text, also where it looks like a date.

    Args:
        member: the file.
        layer: its name, where the file has several.
        advice: end of the error where it has several and none was named: how to choose one.

    Raises:
        UnreadableFileError: if it is no vector file, damaged, or a part of a server's answer.
        InputError: if it has several layers with shapes and none was named, or none of that name, or its
            driver would guess which day text with two digits of the year means.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what GDAL says of single shapes is counted here
            if member.suffix == ".kml":
                check_kml(member)
            if member.suffix == ".shp":
                check_shapefile(member)
            if member.suffix in (".parquet", ".geoparquet"):
                return _of_parquet(member, layer)
            return _of_gdal(member, layer, advice)
    except (InputError, UnreadableFileError):
        raise
    except Exception as error:  # GDAL, Arrow, GEOS and PROJ raise errors of many kinds of damaged files
        said = str(error).replace(str(member.path), member.name).split("; It might")[0]
        why = (said.splitlines() or [type(error).__name__])[0]
        raise UnreadableFileError(f"{member.name} is no readable vector file: {why}") from error


def _of_parquet(member: Member, layer: str | None) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_]]:
    import geopandas as gpd

    if layer not in (None, member.path.stem):
        raise InputError(f"{member.name} has no layers; leave --layer out")
    frame = gpd.read_parquet(member.path.absolute())
    return frame, np.zeros(len(frame), bool)


def _of_gdal(
    member: Member, layer: str | None, advice: str
) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_]]:
    import geopandas as gpd
    import pyogrio
    import shapely

    said = answer_of_gml(member) if member.suffix == ".gml" else {}
    source, chosen, options = _as_text(member, _layer(member, layer, advice))
    if isinstance(source, Path) and _is_json(source):
        said = answer_of_json(source)
    fields = pyogrio.read_dataframe(source, layer=chosen, read_geometry=False, **options)
    meta, _, packed, _ = pyogrio.raw.read(source, layer=chosen, columns=[])
    if packed is None:
        raise InputError(f"{member.name} is a table without shapes")
    check_answer(member.name, said, len(packed))
    shapes = shapely.from_wkb(packed, on_invalid="ignore")
    there = np.array([bytes_ is not None for bytes_ in packed], bool)
    broken = there & np.array([shape is None for shape in shapes], bool)
    if broken.any():
        shapes = np.array(shapes, object)
        shapes[broken] = shapely.from_wkb(packed[broken], on_invalid="fix")
    frame = gpd.GeoDataFrame(fields, geometry=gpd.GeoSeries(shapes, crs=meta["crs"]))
    return frame, broken


def _as_text(member: Member, layer: str | None) -> tuple[Path | bytes, str | None, dict[str, str]]:
    """Return a source, its layer and the options with which GDAL leaves text in JSON as it is.

    JSON has no dates. GDAL takes text for some wherever it can, and 15/08/20 for 2015-08-20; only its driver
    of whole GeoJSON can be told not to.
    """
    import pyogrio

    if not _is_json(member.path):
        return member.path, layer, {}
    about = pyogrio.read_info(member.path, layer=layer)
    if about["driver"] == "GeoJSON":
        return member.path, layer, {"DATE_AS_STRING": "YES"}
    if about["driver"] == "GeoJSONSeq":
        return _collected(member), None, {"DATE_AS_STRING": "YES"}
    guessed = about["driver"] in ("TopoJSON", "JSONFG") and any(
        "datetime" in each for each in about["dtypes"]
    )
    if guessed and (found := _SHORT_YEAR.search(member.path.read_bytes())):
        shown = found[1].decode().replace("\\", "")
        raise InputError(
            f"{member.name} holds dates such as {shown!r}, whose year cannot be told in {about['driver']}; "
            "save it as GeoJSON or GeoPackage"
        )
    return member.path, layer, {}


def _is_json(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        begin = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n" + _BETWEEN_RECORDS)
    return begin.startswith((b"{", b"["))


def _collected(member: Member) -> bytes:
    """Return the features of a sequence as one GeoJSON collection.

    Raises:
        UnreadableFileError: if one is cut off or damaged; GDAL would leave it out and say nothing.
    """
    content = member.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    features: list[bytes] = []
    for text in content.split(_BETWEEN_RECORDS if _BETWEEN_RECORDS in content else b"\n"):
        if not text.strip():
            continue
        try:
            held = json.loads(text)
            kind = held["type"]
            if kind == "FeatureCollection":
                features += [json.dumps(each).encode() for each in held["features"]]
            else:
                shape_alone = b'{"type": "Feature", "properties": {}, "geometry": %b}'
                features.append(text if kind == "Feature" else shape_alone % text)
        except (ValueError, TypeError, KeyError) as error:
            raise UnreadableFileError(
                f"{member.name}: its feature {len(features) + 1} is cut off or damaged; get the file again"
            ) from error
    return b'{"type": "FeatureCollection", "features": [' + b",".join(features) + b"]}"


def _layer(member: Member, layer: str | None, advice: str) -> str | None:
    import pyogrio

    layers = [(str(name), kind) for name, kind in pyogrio.list_layers(member.path)]
    names = [name for name, _ in layers]
    if layer in names:
        return layer
    if layer not in (None, member.path.stem):  # the name of the file itself may have chosen it in an archive
        raise InputError(f"{member.name} has no layer {layer}; it has {', '.join(names)}")
    shaped = [name for name, kind in layers if kind is not None]
    if len(shaped) > 1:
        raise InputError(f"{member.name} has {len(shaped)} layers ({', '.join(shaped)}); {advice}")
    return shaped[0] if shaped else (names[0] if names else None)
