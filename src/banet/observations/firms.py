"""The dialects of hot-spot tables: one raw table in, one table of the same columns out.

Standard rows (SP) write the time as a number without leading zeros (`5` is 00:05), near-real-time ones (NRT)
as `HH:MM`; VIIRS gives confidence as a letter or a word, MODIS as 0-100; NRT files have no `type` and often
no `instrument`; satellites are letters, numbers or names. Field list: FIRMS, "Active Fire Data Attributes".
The monthly files of the University of Maryland (VNP14IMGML, MCD14ML) say the same in other words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Container
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.errors import InputError
from banet.io.counts import Counts
from banet.observations.physics import BOUNDS
from banet.observations.satellites import letters_of
from banet.observations.superseded import rank_of, rank_of_name

__all__ = ["ABOVE", "CUT_OFF", "NOTED", "heads_a_table", "no_rows", "table_of"]

CUT_OFF = "cut_off"
"""Attribute of a raw table: rows at its end that the file does not hold whole."""
ABOVE = "above"
"""Attribute of a raw table: lines of the file above its header."""
NOTED = "noted"
"""Attribute of a raw table: what is odd about the file, in words."""

_ALIASES = {
    "lat": "latitude",
    "lon": "longitude",
    "long": "longitude",
    "lng": "longitude",
    "date": "acq_date",
    "acq_datetime": "datetime",
    "data_hora_gmt": "datetime",
    "yyyymmdd": "acq_date",
    "hhmm": "acq_time",
    "sat": "satellite",
    "satelite": "satellite",
    "conf": "confidence",
    "dn": "daynight",
    "dnflag": "daynight",
    "inst": "instrument",
}
_NEEDED = ("latitude", "longitude", "frp")  # and a date in one of several columns
_READ = {*_ALIASES.values(), "frp", "type", "version"}
# No satellite counted fires before; years to come are simulated ones.
_FIRST_YEAR, _LAST_YEAR = 1980, 2199
_COLUMN = re.compile(r"\w{1,40}")
_INSTRUMENTS = {"N": "VIIRS", "N20": "VIIRS", "N21": "VIIRS", "Terra": "MODIS", "Aqua": "MODIS"}
# VIIRS gives a class where MODIS gives 0-100. No source equates the two: these values only keep the order and
# leave room on either side.
_CONFIDENCE = {"l": 10.0, "n": 50.0, "h": 90.0, "low": 10.0, "nominal": 50.0, "high": 90.0}
# The monthly VIIRS files give the class of the fire mask.
_MASK_CONFIDENCE = {"7": 10.0, "8": 50.0, "9": 90.0}


def table_of(name: str, raw: pd.DataFrame) -> tuple[pd.DataFrame, Counts]:
    """Turn the raw table of one file into hot spots.

    Rows whose values cannot be read, or are impossible (`banet.observations.physics`), are left out and
    counted.

    Args:
        name: of the file, for messages.
        raw: as it is stored.

    Returns:
        the columns of `banet.observations.hotspots.COLUMNS` and `rank` (see `banet.observations.superseded`),
        in the file's order, and the counts.

    Raises:
        InputError: if the table lacks a column that is needed or has two for one, a row holds two times of
            day, or not one row can be read.
    """
    cut, above = (int(raw.attrs.get(told, 0)) for told in (CUT_OFF, ABOVE))
    noted = str(raw.attrs.get(NOTED, ""))
    raw = raw.iloc[: len(raw) - cut]
    raw = _with_known_names(name, raw)
    _check_columns(name, raw)
    rows = _Rows(name, raw, above)
    satellite = rows.each("satellite", letters_of, "", object)
    instrument = rows.each("instrument", str, "", object)
    guessed = pd.Series(satellite).map(_INSTRUMENTS).fillna("").to_numpy(object)
    kind = rows.each("type", _type, -1, np.int8)
    mask = "t_i4" in raw.columns
    table = pd.DataFrame(
        {
            "longitude": rows.numbers("longitude"),
            "latitude": rows.numbers("latitude"),
            "time": _times(rows),
            "frp": rows.numbers("frp"),
            "satellite": satellite,
            "instrument": np.where(instrument == "", guessed, instrument),
            "confidence": rows.each(
                "confidence", _mask_confidence if mask else _confidence, np.nan, np.float64
            ),
            "type": pd.array(kind, dtype="Int8"),
            "daynight": rows.each("daynight", str.upper, "", object),
            "rank": rows.each("version", rank_of, rank_of_name(name), np.int64),
        }
    )
    table["type"] = table["type"].mask(kind < 0)
    table["longitude"] = _within_180(table["longitude"].to_numpy())
    usable, counts = rows.usable(table)
    if noted:
        counts = counts.noting(f"{name}: {noted}")
    return usable, counts.without(f"cut off at the end of the file ({name})", cut)


def known_rows(table: pd.DataFrame, counts: Counts, name: str) -> tuple[pd.DataFrame, Counts]:
    """Return the rows that have a place and a time, and what is to be told; a power that cannot be is NaN.

    Args:
        table: numbers longitude, latitude and frp, and time.
        counts: of its rows.
        name: of the table, for what is told.
    """
    lost = table[["latitude", "longitude", "time"]].isna().any(axis=1)
    counts = counts.without(f"without position or time ({name})", int(lost.sum()))
    nowhere = ~lost & ~_on_earth(table)
    counts = counts.without(f"with a position that cannot be ({name})", int(nowhere.sum()))
    table = table[~lost & ~nowhere].reset_index(drop=True)
    table["frp"] = table["frp"].where(BOUNDS["frp"].hold(table["frp"].to_numpy(np.float64)))
    unknown = int(table["frp"].isna().sum())
    if unknown:
        counts = counts.noting(f"{name}: {unknown} rows without a fire radiative power count as 0 MW")
    return table, counts


def _on_earth(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    held = [BOUNDS[name].hold(table[name].to_numpy(np.float64)) for name in ("longitude", "latitude")]
    return np.asarray(held[0] & held[1], np.bool_)


def heads_a_table(line: str) -> bool:
    """Return whether a first line names columns alone, and those that a table of hot spots needs.

    >>> heads_a_table("latitude,longitude,acq_date,acq_time,frp")
    True
    >>> heads_a_table("No fires were found between latitude, longitude and frp, acq_date")
    False
    """
    try:
        columns = [column.strip() for column in next(csv.reader([line.strip()]), [])]
    except csv.Error:  # longer than any name
        return False
    return all(map(_COLUMN.fullmatch, columns)) and not _lacking(_names(pd.Index(columns)))


def no_rows() -> pd.DataFrame:
    """Return the raw table of a file without a row whose form names columns in its rows alone."""
    return pd.DataFrame({column: np.zeros(0) for column in (*_NEEDED, "acq_date")})


def _names(columns: pd.Index) -> list[str]:
    """Return the names that columns have here; another word for a column that is there stays as it is."""
    own = [str(column).strip().lower() for column in columns]
    names = [_ALIASES.get(name, name) for name in own]
    # A column `time` is the time of day beside a date, and a whole moment alone.
    time = "acq_time" if "acq_date" in names else "datetime"
    names = [time if name == "time" else name for name in names]
    return [word if name in own else name for word, name in zip(own, names, strict=True)]


def _with_known_names(name: str, raw: pd.DataFrame) -> pd.DataFrame:
    """Return a raw table under the names of `_names`, each once.

    Raises:
        InputError: if two columns that differ may both be one that is read.
    """
    known = raw.set_axis(pd.Index(_names(raw.columns)), axis=1)
    repeated = known.columns.duplicated()
    for column in dict.fromkeys(known.columns[repeated]):
        same = np.flatnonzero(known.columns == column).tolist()
        first = known.iloc[:, same[0]]
        if column in _READ and not all(first.equals(known.iloc[:, other]) for other in same[1:]):
            words = " and ".join(str(raw.columns[one]).strip() for one in same)
            raise InputError(
                f"the hot-spot file {name} has the columns {words}, which differ and may each be {column}; "
                f"keep one, or name one {column}"
            )
    return known.loc[:, ~repeated]


def _check_columns(name: str, raw: pd.DataFrame) -> None:
    if lacking := _lacking(raw.columns):
        raise InputError(
            f"the hot-spot file {name} lacks the column {', '.join(lacking)}; "
            f"it holds {', '.join(map(str, raw.columns))}"
        )


def _lacking(columns: Container[str]) -> list[str]:
    """Return the needed columns that are not among some."""
    lacking = [column for column in _NEEDED if column not in columns]
    dated = "acq_date" in columns or "datetime" in columns
    return lacking if dated else [*lacking, "acq_date"]


class _Rows:
    """The rows of a raw table, and which of them hold something that cannot be read."""

    def __init__(self, name: str, raw: pd.DataFrame, above: int) -> None:
        self.name, self.raw, self.above = name, raw, above
        self.odd = np.zeros(len(raw), bool)
        self.first = ""

    def line(self, row: int) -> int:
        """Return the line of a row in its file, of which the first is 1."""
        return int(row) + self.above + 2

    def each(
        self, column: str, parse: Callable[[str], Any], missing: Any, dtype: npt.DTypeLike
    ) -> npt.NDArray[Any]:
        """Parse the text of a column, each different text once; `missing` where there is none.

        Rows for whose text `parse` raises a ValueError are odd.
        """
        if column not in self.raw:
            return np.full(len(self.raw), missing, dtype)
        codes, texts = pd.factorize(self.raw[column])
        values = np.full(len(texts) + 1, missing, dtype)  # the last is for code -1, missing
        for code, text in enumerate(texts):
            try:
                plain = _plain(text)
                values[code] = parse(plain) if plain else missing
            except (ValueError, OverflowError) as error:
                self._mark(codes == code, f"{column} {text!r} {error}")
        return values[codes]

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        """Return a column of numbers; rows outside the bounds are odd, but for a power below 0."""
        if pd.api.types.is_numeric_dtype(self.raw[column]):
            values = self.raw[column].to_numpy(np.float64, copy=True)
        else:
            values = self.each(column, self._parser(column), np.nan, np.float64)
        bounds = BOUNDS[column]
        low = -np.inf if column == "frp" else bounds.least
        wrong = (values < low) | (values > bounds.greatest) | np.isinf(values)
        for row in np.flatnonzero(wrong)[:1]:
            self._mark(wrong, f"{column} {values[row]:g} is not in {bounds.least:g}..{bounds.greatest:g}")
        return values

    def _parser(self, column: str) -> Callable[[str], float]:
        """Return how to read a number; a comma of a power is a decimal one where those of places are."""
        if column != "frp" or self.raw["latitude"].astype(str).str.contains(",", regex=False).any():
            return _number
        return _power

    def usable(self, table: pd.DataFrame) -> tuple[pd.DataFrame, Counts]:
        """Return the rows that can be used, and the counts.

        Raises:
            InputError: if there were rows and none can be.
        """
        counts = Counts("hot spots", len(table), 0, "read")
        if self.odd.all() and len(table):
            raise InputError(f"the hot-spot file {self.name}, {self.first}")
        counts = counts.without(
            f"with values that cannot be ({self.name}, {self.first})", int(self.odd.sum())
        )
        return known_rows(table[~self.odd], counts, self.name)

    def _mark(self, which: npt.NDArray[np.bool_], words: str) -> None:
        row = int(np.flatnonzero(which)[0])
        self.first = self.first or f"line {self.line(row)}: {words}"
        self.odd |= which


def _plain(value: Any) -> str:
    """Text of a value, empty where it says nothing.

    A whole number in a column that also has empty fields was read as 1.0; `*****` is a number that the
    monthly files could not print.
    """
    return str(value).strip().strip("*").removesuffix(".0")


def _within_180(longitude: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return longitudes in -180 up to, not with, 180; those that were there stay to the last bit.

    The others are rounded to 1e-9 degree, so that 351.845 is the same number as -8.155.
    """
    return np.where(longitude >= 180, np.round(longitude - 360, 9), longitude)


def _power(text: str) -> float:
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
        raise ValueError("may be thousands or a decimal comma")
    return _number(text)


def _number(text: str) -> float:
    if re.fullmatch(r"[-+]?\d*,\d+", text):
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        raise ValueError("is no number") from None


def _times(rows: _Rows) -> npt.NDArray[np.datetime64]:
    """Return the moments of the rows; a time of day that the date holds as well counts once.

    Raises:
        InputError: if date and time of day of a row hold two different times.
    """
    dated = "acq_date" if "acq_date" in rows.raw else "datetime"
    moments = rows.each(dated, _moment, np.datetime64("NaT", "ns"), "datetime64[ns]")
    minutes = rows.each("acq_time", _minutes, 0, "timedelta64[m]")
    clock = moments - moments.astype("datetime64[D]")
    # A date at midnight, or a time of 0, says nothing of its own.
    both = (clock > np.timedelta64(0)) & (minutes > np.timedelta64(0))
    for row in np.flatnonzero(both & (np.abs(clock - minutes) >= np.timedelta64(1, "m")))[:1]:
        date, time = (rows.raw[column].iloc[row] for column in (dated, "acq_time"))
        raise InputError(
            f"the hot-spot file {rows.name}, line {rows.line(row)}: {dated} {date} and acq_time {time} hold "
            "different times of day (UTC); keep the time in one of the two columns"
        )
    return np.where(both, moments, moments + minutes)


def _moment(text: str) -> np.datetime64:
    wrong = ValueError("is no date that can be; write it as YYYY-MM-DD")
    if re.fullmatch(r"\d{13}", text):  # ArcGIS gives milliseconds since 1970, from 2001 on of 13 digits
        text = f"{np.datetime64(int(text), 'ms')}"
    match = re.fullmatch(
        r"(\d{4})([-/]?)(\d\d)\2(\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?"
        r"(?: ?(?:Z|([+-])(\d\d)(?::?(\d\d))?))?",
        text,
    )
    if match is None:
        raise wrong
    year, _, month, day, clock, sign, *offset = match.groups()
    hours, minutes = (int(part or 0) for part in offset)
    ahead = np.timedelta64(hours * 60 + minutes, "m")
    # An offset moves a time of day, not a day.
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR or hours > 14 or minutes > 59 or (ahead and not clock):
        raise wrong
    try:
        moment = np.datetime64(f"{year}-{month}-{day}T{clock or '00:00'}", "ns")
    except ValueError:
        raise wrong from None
    return moment + ahead if sign == "-" else moment - ahead


def _minutes(text: str) -> int:
    """Minutes since midnight of `5`, `0005`, `110`, `01:10`, `01:10:00`."""
    match = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d(?:\.\d*)?)?", text) or re.fullmatch(
        r"(\d{0,2}?)(\d{1,2})", text
    )
    hours, minutes = (int(part or 0) for part in match.groups()) if match else (24, 0)
    if hours > 23 or minutes > 59:
        raise ValueError("is no time; write it as HHMM or HH:MM")
    return hours * 60 + minutes


def _confidence(text: str) -> float:
    if text.lower() in _CONFIDENCE:
        return _CONFIDENCE[text.lower()]
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 <= value <= 100:
        raise ValueError("is neither 0-100 nor low, nominal, high")
    return value


def _type(text: str) -> int:
    if text not in ("0", "1", "2", "3"):
        raise ValueError("is not 0 (vegetation), 1, 2 or 3")
    return int(text)


def _mask_confidence(text: str) -> float:
    return _MASK_CONFIDENCE[text] if text in _MASK_CONFIDENCE else _confidence(text)
