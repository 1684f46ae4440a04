"""Progress: a bar on a terminal, plain lines in a log, both on standard error."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from banet.io.progress import Progress
from banet.io.tables import Row, to_markdown, to_text

__all__ = [
    "Progress",
    "caution",
    "failure",
    "is_quiet",
    "progress",
    "quiet",
    "say",
    "say_json",
    "table",
    "tell",
]

_SECONDS_BETWEEN_LINES = 10.0
_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextlib.contextmanager
def quiet(asked: bool = True) -> Iterator[None]:
    """Print neither progress nor notes; results and errors stay."""
    token = _QUIET.set(asked)
    try:
        yield
    finally:
        _QUIET.reset(token)


def is_quiet() -> bool:
    """Tell whether results and errors alone are asked for."""
    return _QUIET.get()


def say(text: str) -> None:
    """Print a result line on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(values: Any) -> None:
    """Print a result as one line of JSON on standard output."""
    say(json.dumps(values, default=str))


def tell(values: Any, text: str, json: bool) -> None:
    """Print a result as one line of JSON, or as text."""
    if json:
        say_json(values)
    else:
        say(text)


def table(rows: Sequence[Row]) -> str:
    """Return rows as columns that fit the terminal, or as Markdown where standard output is none."""
    if not sys.stdout.isatty():
        return to_markdown(rows)
    return to_text(rows, shutil.get_terminal_size().columns)


def failure(text: str) -> None:
    """Print a part that failed on standard error, when quiet too."""
    sys.stderr.write(f"failed: {text}\n")
    sys.stderr.flush()


def caution(text: str) -> None:
    """Print what a user should know of a result on standard error."""
    if _QUIET.get():
        return
    sys.stderr.write(f"note: {text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Give a callable to report progress with."""
    if _QUIET.get():
        yield lambda done, total, message: None
    elif sys.stderr.isatty():
        with _bar(title) as report:
            yield report
    else:
        yield _lines(title)


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int, message: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title} {message}".strip())

        yield report


def _lines(title: str) -> Progress:
    last = time.monotonic() - _SECONDS_BETWEEN_LINES

    def report(done: int, total: int, message: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= total or now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            sys.stderr.write(f"{title}: {done}/{total} {message}".rstrip() + "\n")
            sys.stderr.flush()

    return report
