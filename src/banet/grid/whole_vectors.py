"""Signs of vector files that are not whole: cut off, damaged, or the first part of a server's answer.

GDAL reads as much of such files as it can, and says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

import numpy as np

from banet.errors import UnreadableFileError
from banet.io.containers import Member

__all__ = ["answer_of_gml", "answer_of_json", "check_answer", "check_kml", "check_shapefile"]

_COORDINATES = re.compile(rb"<(?:\w+:)?coordinates[^>]*>([^<]*)")
_NO_NUMBERS = re.compile(rb"[^\d\s,.eE+-][^\s,]*")
_SAYS_MORE = re.compile(rb'"(?:exceededTransferLimit|numberMatched|totalFeatures)"\s*:')
_HEADER, _RECORD = 100, 8
"""Bytes of the header of a shapefile's files, and of the head of each of its records."""


def check_kml(member: Member) -> None:
    """Make sure that the coordinates of a KML are numbers."""
    for found in _COORDINATES.finditer(member.path.read_bytes()):
        if odd := _NO_NUMBERS.search(found[1]):
            text = odd[0][:20].decode("utf-8", "replace")
            raise UnreadableFileError(f"{member.name} is damaged: coordinates hold {text!r}; get it again")


def answer_of_gml(member: Member) -> dict[str, Any]:
    """Return the attributes of a GML's first element.

    Raises:
        UnreadableFileError: if the XML is not whole; GDAL would read no feature.
    """
    said: dict[str, Any] = {}

    def first(_: str, attributes: dict[str, str]) -> None:
        said.update(attributes)
        parser.StartElementHandler = None

    parser = expat.ParserCreate()
    parser.StartElementHandler = first
    try:
        with member.path.open("rb") as stream:
            parser.ParseFile(stream)
    except (expat.ExpatError, ValueError) as error:
        raise UnreadableFileError(f"{member.name} is cut off or damaged ({error}); get it again") from error
    return said


def answer_of_json(content: bytes) -> dict[str, Any]:
    """Return the members of one object in JSON, if its text may hold a word of `check_answer`; else none."""
    held = json.loads(content) if _SAYS_MORE.search(content) else None
    return held if isinstance(held, dict) else {}


def check_answer(name: str, said: Mapping[str, Any], held: int) -> None:
    """Make sure that a file is the whole answer of a server, and not its first part.

    Args:
        name: of the file, for messages.
        said: members of an answer in JSON, or attributes of a GML's first element.
        held: number of features in the file.

    Raises:
        UnreadableFileError: if the answer says that there are more (`exceededTransferLimit` of ArcGIS,
            `numberMatched` or `totalFeatures` of a WFS).
    """
    members = [each for each in (said, said.get("properties")) if isinstance(each, Mapping)]
    if any(each.get("exceededTransferLimit") is True for each in members):
        raise UnreadableFileError(
            f"{name} is a part of the answer: the server holds more than these {held:,} features "
            "(exceededTransferLimit); ask for the rest page by page with resultOffset, and join all in one "
            "file without that mark"
        )
    matched, returned = (
        max((int(text) for word in words if (text := str(said.get(word))).isdecimal()), default=0)
        for words in (("numberMatched", "totalFeatures"), ("numberReturned",))
    )
    held = max(held, returned)  # one of several layers may be read, or parts be joined
    if matched > held:
        raise UnreadableFileError(
            f"{name} holds {held:,} of the {matched:,} features that the server has (numberMatched); ask for "
            "the rest page by page with startIndex, and join all in one file"
        )


def check_shapefile(member: Member) -> None:
    """Make sure that a shapefile holds every record that its header and its index tell of.

    Raises:
        UnreadableFileError: if it was cut off, or its records are not what the index says.
    """
    index = next((p for end in (".shx", ".SHX") if (p := member.path.with_suffix(end)).is_file()), None)
    size = member.path.stat().st_size
    if index is None or size < _HEADER:
        return  # GDAL tells
    shapes = np.memmap(member.path, np.uint8, "r")
    listed = index.read_bytes()[_HEADER:]
    # Lengths count words of two bytes.
    begin, length = 2 * np.frombuffer(listed[: len(listed) // 8 * 8], ">u4").astype(np.int64).reshape(-1, 2).T
    told = 2 * int.from_bytes(shapes[24:28].tobytes(), "big")
    whole = max(told, int((begin + _RECORD + length).max(initial=0)))
    if size < whole:
        raise UnreadableFileError(f"{member.name} is cut off ({size:,} of {whole:,} bytes); get it again")
    stored = shapes[begin[:, None] + np.arange(4, _RECORD)].view(">u4").astype(np.int64)[:, 0] * 2
    if (odd := np.flatnonzero((begin < _HEADER) | (stored < length) | (stored < 4))).size:
        raise UnreadableFileError(
            f"{member.name} is damaged: its record {odd[0] + 1} is not what {index.name} says of it; get the "
            "files again"
        )
