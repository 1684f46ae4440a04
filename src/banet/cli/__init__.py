"""The `banet` command: one file a group of commands, thin, with heavy imports inside the functions."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from banet.cli.progress import quiet
from banet.errors import BanetError, BanetWarning, InputError, one_line
from banet.io.files import at_home
from banet.io.streams import steady

if TYPE_CHECKING:
    from cyclopts import App, Argument

__all__ = ["app", "given", "main", "run_guarded"]

EXIT_FAILURE, EXIT_INTERRUPTED = 1, 130

_WESTERN_BOX = re.compile(r"-[\d.]+(,-?[\d.]+)+")


def app() -> App:
    """Build the application with all its commands."""
    from cyclopts import App, Parameter

    from banet.cli import (
        benchmark,
        cube,
        demo,
        doctor,
        download,
        evaluation,
        maps,
        operations,
        products,
        region,
        simulation,
        summary,
        training,
        weights,
    )

    root = App(
        name="banet",
        help="Map where vegetation burned, and on which day, from daily satellite images. "
        "Add --quiet to any command to see results and errors alone, --debug for the traceback of an error.",
        version=lambda: __import__("banet").__version__,
        suppress_keyboard_interrupt=False,
        config=_whole_numbers,
        default_parameter=Parameter(negative_iterable=()),
    )
    groups = (
        region,
        download,
        cube,
        maps,
        operations,
        products,
        summary,
        evaluation,
        benchmark,
        training,
        weights,
        simulation,
        demo,
        doctor,
    )
    for group in groups:
        group.register(root)
    root.command(completion)
    return root


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print the script by which a shell completes commands and options.

    For bash: `banet completion bash > ~/.local/share/bash-completion/completions/banet`.

    Args:
        shell: bash, zsh or fish.
    """
    from banet.cli.progress import say

    say(app().generate_completion(shell=shell))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    It is 0, 2 for wrong input, 3 where a part failed and the rest is there, 1 for another failure, or 130
    when interrupted.
    """
    tokens = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in tokens or bool(os.environ.get("BANET_DEBUG"))
    silent = "--quiet" in tokens
    tokens = [token for token in tokens if token not in ("--debug", "--quiet")]
    # A box such as -9,36,-6,42 begins like an option; with a blank before it, it is taken as a value.
    tokens = [f" {token}" if _WESTERN_BOX.fullmatch(token) else token for token in tokens]
    with quiet(silent):
        return run_guarded(lambda: _run(tokens), debug=debug)


def _run(tokens: list[str]) -> int:
    from cyclopts import CycloptsError

    root = app()
    try:
        result = root(given(tokens), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise _usage_error(error) from error
    return result if isinstance(result, int) else 0


def given(tokens: Sequence[str]) -> list[str]:
    """Return what was given on a command line, with the home folder in full where it is `~`.

    Raises:
        InputError: if one is empty: to leave an option out and to give it nothing are not the same.
    """
    for before, token in zip(["", *tokens], tokens, strict=False):
        option, equals, value = token.partition("=") if token.startswith("--") else (before, "=", token)
        if equals and not value.strip():
            what = f"what follows {option}" if option.startswith("-") else "an argument"
            raise InputError(f"{what} is empty; a variable of the shell may not be set")
    return [at_home(token) for token in tokens]


def _whole_numbers(root: App, commands: tuple[str, ...], arguments: Iterable[Argument]) -> None:
    """Refuse a fraction where a whole number belongs: it would be rounded without a word.

    Raises:
        InputError: if one is given.
    """
    for argument in arguments:
        for token in argument.tokens if _is_whole(argument.hint) else ():
            if _is_fraction(token.value):
                name = argument.name if argument.index is None else argument.name.lstrip("-").upper()
                raise InputError(f"{name} takes a whole number, found {token.value}")


def _is_whole(hint: Any) -> bool:
    """Tell whether values of this type are whole numbers, one or several."""
    parts = [part for part in get_args(hint) if part not in (type(None), Ellipsis)]
    return hint is int or (bool(parts) and all(map(_is_whole, parts)))


def _is_fraction(text: str) -> bool:
    """Tell whether a text is a number that is not whole."""
    try:
        return not float(text).is_integer()
    except ValueError:  # no number at all, which is told later
        return False


def _usage_error(error: Exception) -> BanetError:
    """Return the error in words; what is given by its place has the name that the help gives it."""
    from cyclopts import MissingArgumentError, UnusedCliTokensError

    words = one_line(error)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        words = f"nothing takes {' '.join(map(repr, error.unused_tokens))}; see --help"
    if isinstance(error, MissingArgumentError) and error.argument and error.argument.index is not None:
        words = words.replace(error.argument.name, error.argument.name.lstrip("-").upper())
    return InputError(words)


def run_guarded(action: Callable[[], int], *, debug: bool = False) -> int:
    """Run `action`; print the error of a failed one in one line, or its whole traceback with `debug`."""
    steady()
    try:
        with _notes_printed():
            return action()
    except BanetError as error:
        _say(traceback.format_exc().rstrip() if debug else f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt as end:
        _say(str(end) or "interrupted; what was finished is kept")
        return EXIT_INTERRUPTED
    except Exception as error:
        reason = f"error: {type(error).__name__}: {one_line(error)} (run with --debug for the traceback)"
        _say(traceback.format_exc().rstrip() if debug else reason)
        return EXIT_FAILURE


@contextlib.contextmanager
def _notes_printed() -> Iterator[None]:
    """Print each BanetWarning as a note of one line, also where its text repeats."""
    from banet.cli.progress import caution

    with warnings.catch_warnings():
        warnings.simplefilter("always", BanetWarning)
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *more: Any, **named: Any) -> None:
            if issubclass(category, BanetWarning):
                caution(" ".join(str(message).split()))
            else:
                others(message, category, *more, **named)

        warnings.showwarning = show
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def console() -> None:
    """Entry point of the `banet` script."""
    sys.exit(main())
