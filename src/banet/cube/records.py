"""Record of each day of a cube: where it came from, what was missing, and what it holds.

Records are small JSON files in `time/days` (a day that is there, named by slot) and `time/gaps` (a day that
is not, named by date). They lie inside the `time` array because a reader of Zarr lists what is in the root,
and would warn of anything that is no array.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.cube.chunks import put_file
from banet.errors import CorruptError
from banet.io.integrity import check_record, seal_record

__all__ = ["DayRecord", "Summary", "content_hash", "read_record", "summarise", "write_record"]


@dataclass(frozen=True)
class Summary:
    """Content of a plane: number of cells with a value, the smallest and the largest (None of none)."""

    cells: int
    low: float | None
    high: float | None


@dataclass(frozen=True)
class DayRecord:
    """Record of a day in a cube.

    Attributes:
        day: UTC, as text `YYYY-MM-DD`.
        inputs: names of the files that were read.
        gaps: one line for each thing that is missing, and why.
        notes: one line for each thing worth knowing that is not missing.
        fingerprint: of the inputs, by which a builder knows that nothing changed; empty if unknown.
        content: SHA-256 of the stored planes; empty for a day without planes.
        summaries: of each variable.
        satellites: those that the day was seen from, as far as they are known.
    """

    day: str
    inputs: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    content: str = ""
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    satellites: tuple[str, ...] = ()


def content_hash(planes: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of stored planes, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(planes):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(planes[name]).data)
    return digest.hexdigest()


def summarise(plane: npt.NDArray[Any]) -> Summary:
    """Return what a plane of physical values holds; of a plane of counts, how many are not 0."""
    if np.issubdtype(plane.dtype, np.integer):
        return Summary(int(np.count_nonzero(plane)), float(plane.min()), float(plane.max()))
    values = plane[np.isfinite(plane)]
    if not values.size:
        return Summary(0, None, None)
    return Summary(int(values.size), float(values.min()), float(values.max()))


def write_record(path: Path, record: DayRecord) -> None:
    """Write a record, with its checksum, in one rename."""
    put_file(path, (json.dumps(seal_record(_plain(record))) + "\n").encode())


def read_record(path: Path, day: str | None = None) -> DayRecord:
    """Read a record.

    Args:
        path: of the file.
        day: that it must be of, `YYYY-MM-DD`.

    Raises:
        CorruptError: if it is damaged, missing or of another day.
    """
    try:
        fields = check_record(json.loads(path.read_bytes()))
        if day is not None and fields["day"] != day:
            raise ValueError(f"it is of {fields['day']}")
        summaries = {name: Summary(**summary) for name, summary in fields.pop("summaries").items()}
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return DayRecord(**{**fields, **lists}, summaries=summaries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptError(f"{day}: the cube's record {path} is missing or damaged: {error}") from error


def _plain(record: DayRecord) -> dict[str, Any]:
    """Return the fields as JSON gives them back."""
    fields: dict[str, Any] = json.loads(json.dumps(asdict(record)))
    return fields
