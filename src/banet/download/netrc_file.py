"""Logins in a netrc file, whose passwords come out byte for byte.

The grammar is that of Python's `netrc`, which cannot be used: it drops backslashes, loses quotes that are
part of a password, and stumbles over bytes that are no UTF-8 in the entry of another machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["Entry", "NetrcError", "entry_of"]

_VALUES = {"login": "user", "user": "user", "account": "account", "password": "password"}
_TOKEN = re.compile(r'"(?P<quoted>(?:[^"\\\n]|\\[^\n])*)"(?=[ \t\r\n]|$)|(?P<bare>(?:\\[ \t]|[^ \t\r\n])+)')
_MACRO_END = re.compile(r"\n[ \t\r]*\n|$(?![\s\S])")


class NetrcError(ValueError):
    """A word that has no place in a netrc file; it may be a password, so that only its line is told."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True, repr=False)
class Entry:
    """User name and password of a machine.

    Attributes:
        user, password: bytes that are no UTF-8 are kept as surrogates (PEP 383).
        doubtful: the password holds a backslash outside quotes, which programs read in different ways.
        repeated: the machine's first entry, which other programs (curl) take, is another.
    """

    user: str = ""
    password: str = ""
    doubtful: bool = False
    repeated: bool = False


def entry_of(data: bytes, machine: str) -> Entry | None:
    r"""Return the last entry of a machine, or else the default one; None if there is neither.

    The case of a machine's letters does not matter. A default entry without a user name or without a
    password, as for anonymous FTP, counts as none.

    In quotes `\"` is a quote and `\\` a backslash; outside them `\\` is a backslash too, and a backslash
    before a blank keeps the blank. Any other backslash, and a quote that is not closed, stand for themselves.

    Raises:
        NetrcError: if a word has no place.

    >>> entry_of(b'machine a login u password "x y"', "a").password
    'x y'
    """
    entries = _entries(data.decode("utf-8-sig", "surrogateescape"))
    if own := [entry for name, entry in entries if name == machine.lower()]:
        return replace(own[-1], repeated=own[0] != own[-1])
    default = [entry for name, entry in entries if name == "default"][-1:]
    return next((entry for entry in default if entry.user and entry.password), None)


def _entries(text: str) -> list[tuple[str, Entry]]:
    entries: list[tuple[str, Entry]] = []
    name: str | None = None
    at = 0
    while found := _TOKEN.search(text, at):
        at, word = found.end(), found[0]
        if word.startswith("#"):
            at = _line_end(text, found.start())
        elif word == "macdef":
            name, end = None, _MACRO_END.search(text, at)
            at = end.end() if end else len(text)
        elif word == "default":
            name = "default"
            entries.append((name, Entry()))
        elif word == "machine" or (name is not None and word in _VALUES):
            value = _TOKEN.search(text, at)
            if value is None:
                raise NetrcError(text.count("\n", 0, at) + 1)
            at = value.end()
            if word == "machine":
                name = _plain(value).lower()
                entries.append((name, Entry()))
            elif name is not None:
                entries[-1] = (name, _with(entries[-1][1], _VALUES[word], value))
        else:
            raise NetrcError(text.count("\n", 0, found.start()) + 1)
    return entries


def _with(entry: Entry, field: str, value: re.Match[str]) -> Entry:
    if field == "user":
        return replace(entry, user=_plain(value))
    if field == "password":
        bare = value["bare"] or ""
        return replace(entry, password=_plain(value), doubtful="\\" in bare.replace("\\\\", ""))
    return entry


def _plain(value: re.Match[str]) -> str:
    if value["quoted"] is not None:
        return re.sub(r'\\(["\\])', r"\1", value["quoted"])
    return re.sub(r"\\([\\ \t])", r"\1", value["bare"])


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
