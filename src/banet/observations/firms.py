"""The dialects of FIRMS tables: one file in, one table of the same columns out.

Standard rows (SP) write the time as a number without leading zeros (`5` is 00:05), near-real-time ones (NRT)
as `HH:MM`; VIIRS gives confidence as a letter or a word, MODIS as 0-100; NRT files have no `type` and often
no `instrument`; satellites are letters, numbers or names. Field list: FIRMS, "Active Fire Data Attributes".
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.errors import InputError, UnreadableFileError

__all__ = ["read_table"]

_ALIASES = {
    "lat": "latitude",
    "lon": "longitude",
    "long": "longitude",
    "lng": "longitude",
    "date": "acq_date",
    "acq_datetime": "datetime",
}
_SATELLITES = {
    "N": "N",
    "NPP": "N",
    "SNPP": "N",
    "S-NPP": "N",
    "SUOMI NPP": "N",
    "1": "N20",
    "J1": "N20",
    "NOAA20": "N20",
    "NOAA-20": "N20",
    "2": "N21",
    "J2": "N21",
    "NOAA21": "N21",
    "NOAA-21": "N21",
    "T": "Terra",
    "A": "Aqua",
}
_INSTRUMENTS = {"N": "VIIRS", "N20": "VIIRS", "N21": "VIIRS", "Terra": "MODIS", "Aqua": "MODIS"}
# VIIRS gives a class where MODIS gives 0-100. No source equates the two: these values only keep the order and
# leave room on either side.
_CONFIDENCE = {"l": 10.0, "n": 50.0, "h": 90.0, "low": 10.0, "nominal": 50.0, "high": 90.0}
_BOUNDS = {"latitude": (-90, 90), "longitude": (-180, 360)}


def read_table(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read one file of hot spots.

    Returns:
        the columns of `banet.observations.hotspots.COLUMNS` and `near_real_time` (bool), in the file's order,
        and a line for whatever was left out or is unknown.

    Raises:
        UnreadableFileError: if the file is empty, a web page, or no table.
        InputError: if it lacks a column that is needed, or a value is no number, date or time.
    """
    raw = _parse(path)
    raw.columns = pd.Index(_names(raw.columns))
    _check_columns(path, raw)
    satellite = _convert(path, raw, "satellite", lambda text: _SATELLITES.get(text.upper(), text), "", object)
    instrument = _convert(path, raw, "instrument", str, "", object)
    guessed = pd.Series(satellite).map(_INSTRUMENTS).fillna("").to_numpy(object)
    kind = _convert(path, raw, "type", _type, -1, np.int8)
    table = pd.DataFrame(
        {
            "longitude": _numbers(path, raw, "longitude"),
            "latitude": _numbers(path, raw, "latitude"),
            "time": _times(path, raw),
            "frp": _numbers(path, raw, "frp"),
            "satellite": satellite,
            "instrument": np.where(instrument == "", guessed, instrument),
            "confidence": _convert(path, raw, "confidence", _confidence, np.nan, np.float64),
            "type": pd.array(kind, dtype="Int8"),
            "daynight": _convert(path, raw, "daynight", str.upper, "", object),
            "near_real_time": _convert(
                path, raw, "version", lambda text: "RT" in text.upper(), False, np.bool_
            ),
        }
    )
    table["type"] = table["type"].mask(kind < 0)
    return _usable(path, table)


def _parse(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            head = stream.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"the hot-spot file {path.name} cannot be read as text: {error}") from error
    if not head.strip():
        raise UnreadableFileError(f"the hot-spot file {path.name} is empty; download it again")
    if head.lstrip().startswith("<"):
        raise UnreadableFileError(
            f"the hot-spot file {path.name} is a web page, not a table; download it again"
        )
    separator = max(",;\t", key=head.count)
    if not head.count(separator):
        begin = head.strip()[:60]
        raise UnreadableFileError(f"the hot-spot file {path.name} is no table; it begins with {begin!r}")
    return _read_csv(path, separator)


def _read_csv(path: Path, separator: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Where rows are longer than the header, pandas only warns, and drops what is too much.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
                skipinitialspace=True,
            )
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise UnreadableFileError(
                f"the hot-spot file {path.name}: rows have more fields than the header "
                f"(decimal commas in a comma-separated file?): {str(error).strip()}"
            ) from error
        except UnicodeDecodeError as error:
            raise UnreadableFileError(f"the hot-spot file {path.name} is no text: {error}") from error


def _names(columns: pd.Index) -> list[str]:
    names = [str(column).strip().lower() for column in columns]
    names = [_ALIASES.get(name, name) for name in names]
    # A column `time` is the time of day beside a date, and a whole moment alone.
    time = "acq_time" if "acq_date" in names else "datetime"
    return [time if name == "time" else name for name in names]


def _check_columns(path: Path, raw: pd.DataFrame) -> None:
    lacking = [name for name in ("latitude", "longitude", "frp") if name not in raw]
    if "acq_date" not in raw and "datetime" not in raw:
        lacking.append("acq_date")
    if lacking:
        raise InputError(
            f"the hot-spot file {path.name} lacks the column {', '.join(lacking)}; "
            f"it holds {', '.join(map(str, raw.columns))}"
        )


def _convert(
    path: Path,
    raw: pd.DataFrame,
    column: str,
    parse: Callable[[str], Any],
    missing: Any,
    dtype: npt.DTypeLike,
) -> npt.NDArray[Any]:
    """Parse the text of a column, each different text once; `missing` where there is none, or no such column.

    Raises:
        InputError: with the message of the ValueError that `parse` raised, and the line.
    """
    if column not in raw:
        return np.full(len(raw), missing, dtype)
    codes, texts = pd.factorize(raw[column])
    values = np.full(len(texts) + 1, missing, dtype)  # the last is for code -1, missing
    for code, text in enumerate(texts):
        try:
            plain = _plain(text)
            values[code] = parse(plain) if plain else missing
        except ValueError as error:
            line = int(np.flatnonzero(codes == code)[0]) + 2
            raise InputError(
                f"the hot-spot file {path.name}, line {line}: {column} {text!r} {error}"
            ) from error
    return values[codes]


def _plain(value: Any) -> str:
    """Text of a value; a whole number in a column that also has empty fields was read as 1.0."""
    return str(value).strip().removesuffix(".0")


def _numbers(path: Path, raw: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(raw[column]):
        values = raw[column].to_numpy(np.float64)
    else:
        values = _convert(path, raw, column, _number, np.nan, np.float64)
    low, high = _BOUNDS.get(column, (-np.inf, np.inf))
    wrong = np.flatnonzero((values < low) | (values > high) | np.isinf(values))
    if wrong.size:
        raise InputError(
            f"the hot-spot file {path.name}, line {wrong[0] + 2}: {column} {values[wrong[0]]:g} "
            f"is not in {low}..{high}"
        )
    return values


def _number(text: str) -> float:
    if re.fullmatch(r"[-+]?\d*,\d+", text):
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        raise ValueError("is no number") from None


def _times(path: Path, raw: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    unknown = np.datetime64("NaT", "ns")
    if "acq_date" not in raw:
        return _convert(path, raw, "datetime", _moment, unknown, "datetime64[ns]")
    days = _convert(path, raw, "acq_date", _moment, unknown, "datetime64[ns]")
    minutes = _convert(path, raw, "acq_time", _minutes, 0, "timedelta64[m]")
    moments: npt.NDArray[np.datetime64] = days + minutes
    return moments


def _moment(text: str) -> np.datetime64:
    wrong = ValueError("is no date; write it as YYYY-MM-DD")
    match = re.fullmatch(
        r"(\d{4})([-/]?)(\d\d)\2(\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(?:Z|\+00:?00)?", text
    )
    if match is None:
        raise wrong
    year, _, month, day, clock = match.groups()
    try:
        return np.datetime64(f"{year}-{month}-{day}T{clock or '00:00'}", "ns")
    except ValueError:
        raise wrong from None


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


def _usable(path: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    lost = table[["latitude", "longitude", "time"]].isna().any(axis=1)
    if lost.any():
        notes.append(f"{path.name}: {int(lost.sum())} rows without position or time left out")
        table = table[~lost].reset_index(drop=True)
    table["frp"] = table["frp"].where(~(table["frp"] < 0))
    unknown = int(table["frp"].isna().sum())
    if unknown:
        notes.append(f"{path.name}: {unknown} rows without a fire radiative power count as 0 MW")
    return table, notes
