"""Taking credentials and users' names out of what is written down."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["HIDDEN", "scrubbed", "scrubbed_command", "scrubbed_settings"]

HIDDEN = "***"

_SECRET_NAME = re.compile(
    r"token|passw(or)?d|secret|credential|authorization|(api|map|access|private)[_-]?key", re.IGNORECASE
)
_PATTERNS = (
    # user:password@ of a URL
    (re.compile(r"(?<=://)[^/@\s]+@"), f"{HIDDEN}@"),
    # ?token=... of a URL, TOKEN=... of a shell
    (
        re.compile(
            r"(?i)\b((?:\w*[_-])?(?:token|passw(?:or)?d|secret|(?:api|map|access)?key|signature)=)[^&\s'\"]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    # a JSON web token, as Earthdata login gives them
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.?[\w-]*"), HIDDEN),
    # FIRMS carries its key in the path of the address
    (re.compile(r"(?i)(/api/\w+/\w+/)[0-9a-f]{32}\b"), rf"\1{HIDDEN}"),
)
_MIN_SECRET = 6


def scrubbed(text: str, environment: Mapping[str, str] | None = None, home: str | None = None) -> str:
    """Return `text` without credentials, and with `~` for the home folder.

    Args:
        text: anything.
        environment: values of variables that are named like a credential are taken out wherever they
            occur; os.environ where None.
        home: the home folder; the user's where None.

    >>> scrubbed("https://joe:hunter2@example.org/a?token=abc&n=1", {}, "/home/joe")
    'https://***@example.org/a?token=***&n=1'
    """
    variables = os.environ if environment is None else environment
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and len(value) >= _MIN_SECRET:
            text = text.replace(value, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    folder = str(Path.home()) if home is None else home
    return text if len(folder.strip("/")) == 0 else re.sub(rf"{re.escape(folder)}(?=/|$|[\s'\"])", "~", text)


def scrubbed_command(command: Sequence[str] | str) -> tuple[str, ...]:
    """Return the words of a command line without the values of options that hold a credential.

    >>> scrubbed_command("banet download viirs --token abc --days 3")
    ('banet', 'download', 'viirs', '--token', '***', '--days', '3')
    """
    words = _split(command) if isinstance(command, str) else [str(word) for word in command]
    clean: list[str] = []
    hide_next = False
    for word in words:
        name, equals, value = word.partition("=")
        is_option = word.startswith("-") and _SECRET_NAME.search(name) is not None
        if hide_next and not word.startswith("--"):
            clean.append(HIDDEN)
        elif is_option and equals and value:
            clean.append(f"{name}={HIDDEN}")
        else:
            clean.append(scrubbed(word))
        hide_next = is_option and not equals
    return tuple(clean)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def scrubbed_settings(value: Any) -> Any:
    """Turn settings into what JSON can hold, without credentials.

    Mappings and models become dicts, sequences lists, paths and dates text, numbers that are not finite
    text (`nan`, `inf`), and values under a name like `token` or `map_key` are hidden.
    """
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if _holds_secret(key, item) else scrubbed_settings(item)
            for key, item in value.items()
        }
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.dtype.kind not in "mM" else [str(item) for item in value.ravel()]
    if isinstance(value, np.generic):
        value = str(value) if value.dtype.kind in "mM" else value.item()
    if isinstance(value, (list, tuple)):
        return [scrubbed_settings(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((scrubbed_settings(item) for item in value), key=str)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return scrubbed(str(value))


def _holds_secret(key: object, value: object) -> bool:
    return isinstance(value, str) and value != "" and _SECRET_NAME.search(str(key)) is not None
