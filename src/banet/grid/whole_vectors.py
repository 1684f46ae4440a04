"""Signs of vector files that are not whole: cut off, damaged, or the first part of a server's answer.

GDAL reads as much of such files as it can, and says nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from banet.errors import UnreadableFileError
from banet.io.containers import Member

__all__ = ["answer_of_gml", "answer_of_json", "check_answer", "check_kml", "check_shapefile"]

_COORDINATES = re.compile(rb"<(?:\w+:)?coordinates[^>]*>([^<]*)")
_NO_NUMBERS = re.compile(rb"[^\d\s,.eE+-][^\s,]*")
_FEATURES = re.compile(r'"features"\s*:\s*\[')
_LIST_ENDS = re.compile(r'\](?=\s*(?:\}|,\s*"))')
_LAST_COMMA = re.compile(r",\s*\}\s*$")
_BESIDE = 1 << 16
"""Bytes at the begin and at the end of GeoJSON in which an answer may say something of itself."""
_HEADER, _RECORD, _NO_SHAPE = 100, 8, 4
"""Bytes of the header of a shapefile's files, of the head of each record, and of a record without shape."""


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


def answer_of_json(path: Path) -> dict[str, Any]:
    """Return the members of GeoJSON before and after its features, which are not read.

    What is not strict JSON there, as GDAL takes some, counts as nothing.
    """
    with path.open("rb") as stream:
        begin = stream.read(_BESIDE).decode("latin-1")
        features = _FEATURES.search(begin)
        if features is None:
            return {}
        stream.seek(max(features.end(), stream.seek(0, os.SEEK_END) - _BESIDE))
        end = _LAST_COMMA.sub("}", stream.read().decode("latin-1"))
    said = _members(begin[begin.find("{") : features.start()].rstrip(", \t\r\n") + "}")
    # After the list of features, and no list within it, what follows ends the one object.
    after = (_members('{"features": 0' + end[found.end() :]) for found in _LIST_ENDS.finditer(end))
    return said | next(filter(None, after), {})


def _members(text: str) -> dict[str, Any]:
    try:
        held = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def check_answer(name: str, said: Mapping[str, Any], held: int) -> None:
    """Make sure that a file is the whole answer of a server, and not its first part.

    Args:
        name: of the file, for messages.
        said: members of an answer in JSON, or attributes of a GML's first element.
        held: number of features in the file.

    Raises:
        UnreadableFileError: if the answer says that there are more (`exceededTransferLimit` of ArcGIS,
            `numberMatched` or `totalFeatures` of a WFS; where it gives no number, `next` or a link of that
            name).
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
    links = links if isinstance(links := said.get("links"), list) else []
    named = [each.get("rel") for each in links if isinstance(each, Mapping)]
    if not matched and (said.get("next") or "next" in named):
        raise UnreadableFileError(
            f"{name} is a part of the answer: after these {held:,} features the server names a next page "
            "(next); ask for the rest page by page, and join all in one file without that mark"
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
    content = index.read_bytes()[_HEADER:]
    # Lengths count words of two bytes.
    words = np.frombuffer(content[: len(content) // 8 * 8], ">u4").astype(np.int64).reshape(-1, 2)
    listed = words.any(axis=1)
    begin, length = 2 * words[listed].T
    told = 2 * int.from_bytes(shapes[24:28].tobytes(), "big")
    whole = max(told, int((begin + _RECORD + length).max(initial=0)))
    if size < whole:
        raise UnreadableFileError(f"{member.name} is cut off ({size:,} of {whole:,} bytes); get it again")
    stored = shapes[begin[:, None] + np.arange(4, _RECORD)].view(">u4").astype(np.int64)[:, 0] * 2
    odd = np.zeros(len(words), bool)
    odd[listed] = (begin < _HEADER) | (stored < length) | (stored < _NO_SHAPE)
    # Zeros are padding or stand for no shape, unless more is stored than what the index lists.
    if told - _HEADER - int((length + _RECORD).sum()) > (_RECORD + _NO_SHAPE) * int((~listed).sum()):
        odd |= ~listed
    if odd.any():
        raise UnreadableFileError(
            f"{member.name} is damaged: its record {odd.argmax() + 1} is not what {index.name} says of it; "
            "get the files again"
        )
