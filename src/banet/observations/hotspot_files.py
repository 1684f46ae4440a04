"""Files that hold hot spots, in every form that people have: one raw table a file.

Text, shapefile, GeoJSON, JSON, GeoPackage and NetCDF granules, each plain, in a ZIP or packed with gzip.
"""

from __future__ import annotations

import codecs
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from banet.days import Day, as_day, day_of_name
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.grid.vectors import SUFFIXES as VECTORS
from banet.grid.vectors import read_vector
from banet.grid.whole_vectors import check_answer
from banet.io.containers import Member, unpacked
from banet.io.hdf5 import dataset, opened
from banet.observations.file_names import OWN_TABLE
from banet.observations.firms import ABOVE, CUT_OFF, NOTED, heads_a_table, no_rows
from banet.observations.satellites import letters_of

__all__ = ["Named", "named", "raw_tables"]

_TEXT = (".csv", ".txt", ".dat", ".tsv")
_PARQUET = (".parquet", ".geoparquet")
# Forms that name columns in their rows alone: a quiet day has none.
_NAMED_BY_ROWS = (".geojson", ".json", ".geojsonl")
_LINES = (".ndjson", ".jsonl")
_NETCDF = (".nc", ".nc4", ".h5")
_LONGEST_ROW = 4096
# A line of a text file that says nothing; Excel writes an empty row as separators alone.
_BLANK = " \t\r\n,;|"
_SEPARATORS = ",;\t|"
_COMMENT = "#"
_SEPARATOR_TOLD = "sep="  # Excel's word for the separator
_MARK = "\ufeff"
_ENCODINGS = {
    # The mark of UTF-32 begins with that of UTF-16.
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_ONE_LAYER = "hot spots are read from a file of one layer; save each layer of them as a file of its own"
_KNOWN = (*_TEXT, *_NETCDF, ".json", *_LINES, *VECTORS)

_GRANULE = re.compile(
    r"(?P<satellite>VNP|VJ1|VJ2)14(?:IMG|MOD)?(?:_NRT)?\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})\..*",
    re.IGNORECASE,
)
_SPARSE = {
    "latitude": "FP_latitude",
    "longitude": "FP_longitude",
    "frp": "FP_power",
    "confidence": "FP_confidence",
}
_OF_NO_DAY = "its name says a day that its year does not have; it is left out"


def raw_tables(paths: Iterable[Path]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Read the files among paths, the folders' and archives' too: name and table of each, as it is stored.

    Raises:
        NotFoundError: if a path is not there, or a folder or archive holds no table.
        UnreadableFileError: if a file is empty, a web page, damaged, a part of an answer, or no table.
    """
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"the hot-spot file {path} does not exist")
        with unpacked(path) as members:
            wanted = [each for each in members if _wanted(each)] if _holds_several(path) else members
            if not wanted:
                raise NotFoundError(f"{path} holds no hot-spot table ({', '.join(_KNOWN)})")
            undated = [each for each in wanted if _of_no_day(each)]
            for member in wanted:
                left_out = member in undated and len(undated) < len(wanted)
                yield member.name, _noted(no_rows(), _OF_NO_DAY) if left_out else _read(member)


@dataclass(frozen=True)
class Named:
    """Days and place in the name of a granule or of a table of our own download.

    Attributes:
        first, last: days that it covers. The last day of a piece that was still open when it was fetched had
            not ended; it is not covered, so a piece of that day alone ends before it begins.
        place: what all files of one place have in common: region and mark of its box, or `granules`, of which
            each holds a swath.
        region: that the download was for; empty for granules.
    """

    first: Day
    last: Day
    place: str
    region: str = ""


def named(name: str) -> Named | None:
    """Return what the name of a file tells, None for one that we do not know."""
    file = name.rpartition("/")[2]
    if granule := _GRANULE.fullmatch(file):
        day = day_of_name(granule["year"], granule["doy"])
        return None if day is None else Named(day, day, "granules")
    found = OWN_TABLE.fullmatch(file)
    if found is None:
        return None
    try:
        first, last = as_day(found["first"]), as_day(found["last"])
    except InputError:
        return None
    return Named(first, last - 1 if found["open"] else last, found["place"], found["region"])


def _holds_several(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in (".zip", ".kmz")


def _wanted(member: Member) -> bool:
    name = member.path.name.lower()
    packed = name.removesuffix(".gz")
    return packed.endswith(_KNOWN) and not name.startswith("readme")


def _of_no_day(member: Member) -> bool:
    """Return whether a file is named like a granule of a day that its year does not have."""
    found = _GRANULE.fullmatch(member.path.name)
    return found is not None and day_of_name(found["year"], found["doy"]) is None


def _read(member: Member) -> pd.DataFrame:
    suffix = member.suffix
    if suffix in _NETCDF:
        return _granule(member)
    if suffix in (".json", *_LINES):
        rows = _json_rows(member)
        if rows is not None:
            return rows
    if suffix in _PARQUET:
        rows = _parquet(member)
        if rows is not None:
            return rows
    if suffix in (*VECTORS, *_LINES):
        return _points(member)
    return _text(member)


def _json_rows(member: Member) -> pd.DataFrame | None:
    """Return the rows of a JSON list, or of one a line; None where the file holds shapes."""
    try:
        text = member.path.read_text(encoding="utf-8-sig")
        lines = [line for line in text.split("\n") if line.strip()] if member.suffix in _LINES else []
        held = [json.loads(line) for line in lines] or json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableFileError(f"the hot-spot file {member.name} is no JSON: {error}") from error
    if isinstance(held, dict) and "features" in held:
        return None
    if lines and all(isinstance(row, dict) and "geometry" in row for row in held):
        return None
    rows = held.get("data", held.get("rows")) if isinstance(held, dict) else held
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableFileError(f"the hot-spot file {member.name} is JSON, but no list of detections")
    if isinstance(held, dict):
        check_answer(member.name, held, len(rows))
    return pd.DataFrame(rows) if rows else no_rows()


def _points(member: Member) -> pd.DataFrame:
    """Return the fields of a vector file, with latitude and longitude of its points where it has none.

    Raises:
        InputError: if it has several layers with shapes, or none.
        UnreadableFileError: as `read_vector`.
    """
    frame, _ = read_vector(member, advice=_ONE_LAYER)
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    if not len(table) and table.columns.empty and member.suffix in _NAMED_BY_ROWS:
        return no_rows()
    names = {str(name).lower() for name in table.columns}
    if not {"latitude", "longitude"} <= names and not {"lat", "lon"} <= names:
        placed = frame.geometry if frame.crs is None else frame.geometry.to_crs("EPSG:4326")
        middle = placed.centroid if not (placed.geom_type == "Point").all() else placed
        table["longitude"], table["latitude"] = middle.x.to_numpy(), middle.y.to_numpy()
    return _with_days_as_text(table)


def _parquet(member: Member) -> pd.DataFrame | None:
    """Return the rows of a Parquet table without shapes; None where it has shapes."""
    import pyarrow
    import pyarrow.parquet

    try:
        if b"geo" in (pyarrow.parquet.read_schema(member.path).metadata or {}):
            return None
        return _with_days_as_text(pd.read_parquet(member.path.absolute()))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        why = " ".join(str(error).replace(str(member.path), member.name).split())
        raise UnreadableFileError(f"the hot-spot file {member.name} is no Parquet file: {why}") from error


def _with_days_as_text(table: pd.DataFrame) -> pd.DataFrame:
    for name in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            stamps = pd.to_datetime(table[name], utc=True).dt.tz_localize(None)
            whole = (stamps.dropna() == stamps.dropna().dt.normalize()).all()
            table[name] = stamps.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S")
    return table


def _granule(member: Member) -> pd.DataFrame:
    """Return the fire pixels of a VNP14IMG or VJ114IMG granule (sparse arrays `FP_*`)."""
    found = _GRANULE.fullmatch(member.path.name)
    day = day_of_name(found["year"], found["doy"]) if found else None
    if found is None or day is None:
        raise InputError(
            f"the hot-spot file {member.name} is not named like VNP14IMG.AYYYYDDD.HHMM.*.nc, so its time is "
            "not known"
        )
    with opened(member.path) as file:
        if "FP_latitude" not in file:
            # A granule without a fire has no such arrays.
            columns: dict[str, Any] = {name: np.zeros(0) for name in _SPARSE}
        else:
            columns = {name: dataset(file, field)[()] for name, field in _SPARSE.items()}
    table = pd.DataFrame({name: np.ravel(values) for name, values in columns.items()})
    table["confidence"] = table["confidence"].map({7: "l", 8: "n", 9: "h"})
    return table.assign(
        acq_date=str(day),
        acq_time=found["time"],
        satellite=letters_of(found["satellite"]),
    )


def _text(member: Member) -> pd.DataFrame:
    """Read a table of text, in the encoding of its mark, in UTF-8, or in Latin-1 where it is in neither."""
    try:
        encoding = _marked(member.path)
        try:
            return _table(member, encoding or "utf-8")
        except UnicodeDecodeError:
            if encoding is not None or not _is_text(member.path):
                raise
        table = _table(member, "latin-1")
    except UnreadableFileError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        why = str(error).replace(str(member.path), member.name)
        raise UnreadableFileError(f"the hot-spot file {member.name} cannot be read as text: {why}") from error
    return _noted(table, "it is not in UTF-8, and is read as Latin-1")


def _noted(table: pd.DataFrame, what: str) -> pd.DataFrame:
    table.attrs[NOTED] = what
    return table


def _marked(path: Path) -> str | None:
    """Return the encoding that the mark at the begin of a file tells; None without one."""
    with path.open("rb") as stream:
        begin = stream.read(4)
    return next((encoding for mark, encoding in _ENCODINGS.items() if begin.startswith(mark)), None)


def _is_text(path: Path) -> bool:
    """Return whether a file holds no byte that is none of a text."""
    with path.open("rb") as stream:
        return not any(_NO_TEXT.search(piece) for piece in iter(lambda: stream.read(2**20), b""))


@contextmanager
def _behind_mark(path: Path, encoding: str) -> Iterator[IO[str]]:
    with path.open(encoding=encoding) as stream:
        if stream.read(1) != _MARK:
            stream.seek(0)
        yield stream


def _table(member: Member, encoding: str) -> pd.DataFrame:
    with _behind_mark(member.path, encoding) as stream:
        head, above = stream.readline(), 0
        while head and _says_nothing(head):
            head, above = stream.readline(), above + 1
    if not head:
        raise UnreadableFileError(f"the hot-spot file {member.name} is empty; download it again")
    if head.lstrip().startswith("<"):
        raise UnreadableFileError(
            f"the hot-spot file {member.name} is a web page, not a table; download it again"
        )
    separator = max(_SEPARATORS, key=head.count)
    if head.count(separator):
        return _csv(member, encoding, separator, head, above)
    if len(head.split()) > 5 and re.match(r"\s*(yyyymmdd|lat)", head, re.IGNORECASE):
        return _csv(member, encoding, r"\s+", head, above)
    begin = head.strip()[:60]
    raise UnreadableFileError(f"the hot-spot file {member.name} is no table; it begins with {begin!r}")


def _says_nothing(line: str) -> bool:
    """Return whether a line above a header is none of the table; one that names columns may be the header."""
    if line.startswith(_COMMENT):
        return not heads_a_table(line.lstrip(_COMMENT))
    return not line.strip(_BLANK) or line.lower().startswith(_SEPARATOR_TOLD)


def _csv(member: Member, encoding: str, separator: str, head: str, above: int) -> pd.DataFrame:
    """Read a table, given its encoding, its header and the number of lines above that."""
    with warnings.catch_warnings():
        # Where rows are longer than the header, pandas only warns, and drops what is too much.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            with _behind_mark(member.path, encoding) as stream:
                for _ in range(above):
                    stream.readline()
                table = pd.read_csv(
                    stream, sep=separator, index_col=False, low_memory=False, skipinitialspace=True
                )
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise UnreadableFileError(
                f"the hot-spot file {member.name}: rows have more fields than the header "
                f"(decimal commas in a comma-separated file?): {str(error).strip()}"
            ) from error
        except UnicodeDecodeError:
            raise
        except (ValueError, OverflowError) as error:
            raise UnreadableFileError(f"the hot-spot file {member.name} is no text: {error}") from error
    table.attrs[ABOVE] = above
    if len(table) and _ends_in_a_row(member.path, encoding, separator, head):
        table.attrs[CUT_OFF] = 1
    return table


def _ends_in_a_row(path: Path, encoding: str, separator: str, head: str) -> bool:
    """Return whether a file ends within a row: without an end of line, and with fewer fields than its header.

    A file that was cut off between two rows can not be told from a whole one.
    """
    with path.open("rb") as stream:
        # A character of UTF-32 has 4 bytes.
        stream.seek(max(0, path.stat().st_size - _LONGEST_ROW) // 4 * 4)
        last = re.split(r"[\r\n]", stream.read().decode(encoding, "replace"))[-1]
    if not last:
        return False
    between = separator if len(separator) > 1 else re.escape(separator)
    names, fields = (re.split(between, line.strip(" \r\n")) for line in (head, last))
    return len(fields) < len(names) or not fields[-1]
