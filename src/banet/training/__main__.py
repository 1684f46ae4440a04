"""`python -m banet.training CONFIG.yaml --out RUN_DIR [--resume]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from banet.errors import BanetError
from banet.io.files import at_home
from banet.io.streams import steady


class _Lines:
    """Progress as plain lines, one every so many seconds."""

    def __init__(self, seconds: float = 15.0):
        self.seconds, self.last = seconds, 0.0

    def __call__(self, done: int, total: int, message: str) -> None:
        import time

        now = time.monotonic()
        if now - self.last >= self.seconds or done == total:
            self.last = now
            sys.stderr.write(f"{done}/{total} {message}\n")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from a configuration; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m banet.training", description="Train a network.")
    parser.add_argument("config", help="YAML file with the configuration")
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the folder")
    words = sys.argv[1:] if arguments is None else arguments
    asked = parser.parse_args([at_home(word) for word in words])
    steady()
    from banet.training.loop import train
    from banet.training.parallel import is_first

    try:
        result = train(asked.config, asked.out, resume=asked.resume, progress=_Lines())
    except BanetError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    if not is_first():
        return 0
    if result.reason == "interrupted":
        sys.stderr.write(f"{result.note}\n")
        return 130
    sys.stdout.write(f"{result.steps} steps in {result.minutes} minutes, ended by {result.reason}\n")
    sys.stdout.write(f"weights: {result.weights}\n")
    for variant, by_climate in result.scores.items():
        sys.stdout.write(f"{variant}: {by_climate['overall']}\n")
    if result.note:
        sys.stderr.write(f"note: {result.note}\n")
    return 0


if __name__ == "__main__":
    code = main()
    from banet.training.parallel import is_first

    if not is_first():
        # Nothing is left to do, and the threads of gloo now and then abort a process that takes them down.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
