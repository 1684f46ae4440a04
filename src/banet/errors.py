"""Errors that a user can act on.

Every error says what was asked, what was found, and how to mend it, in one line. Each also inherits the
builtin that a caller would expect to catch. `exit_code` is what the command line returns for it.
"""

from __future__ import annotations


def one_line(error: BaseException) -> str:
    """Return what an error says, its lines joined to one."""
    return " ".join(str(error).split())


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its name: some libraries say very much."""
    return (str(error) or type(error).__name__).splitlines()[0]


class BanetError(Exception):
    """Base of every error that banet raises on purpose."""

    exit_code = 1


class InputError(BanetError, ValueError):
    """An argument, a setting or the content of a file is not what was asked for."""

    exit_code = 2


class NotFoundError(BanetError, FileNotFoundError):
    """A file, folder, day or name that was asked for is not there."""

    exit_code = 2

    def __str__(self) -> str:
        return Exception.__str__(self)


class UnreadableFileError(BanetError, OSError):
    """A file is there but is truncated, of another format, or lacks what its name promises."""

    exit_code = 2

    def __str__(self) -> str:
        return Exception.__str__(self)


class OutputError(BanetError, OSError):
    """An output could not be written."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class BusyError(OutputError):
    """Another run is at work on what was to be written."""


class CorruptError(UnreadableFileError):
    """Stored data are not what was written: a damaged disk, memory or transfer."""


class PartialFailureError(BanetError, RuntimeError):
    """Some of the parts that were asked for failed; the rest is there."""

    exit_code = 3


class BanetWarning(UserWarning):
    """Something that was given was left out, or the result holds less than it seems to.

    Python users get it through `warnings`; the command line prints the same words in one line.
    """
