"""Command for tests that end it: two worker processes that write down their number and go on for ever."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path


class Endless:
    """Takes for ever, asleep or inside a library that gives no other thread a turn; or at once, if idle."""

    def __init__(self, folder: Path, how: str):
        self.folder, self.how = folder, how

    def __call__(self, number: int) -> None:
        (self.folder / f"{os.getpid()}.pid").touch()
        if self.how == "stuck":
            ctypes.PyDLL(None).sleep(600)
        time.sleep(0.5 if self.how == "idle" else 600)


def run() -> int:
    from banet.parallel import spread

    for item, _ in spread(Endless(Path(sys.argv[1]), sys.argv[2]), range(4), workers=2):
        if item == 3:
            (Path(sys.argv[1]) / "idle").touch()
            time.sleep(600)
    return 0


if __name__ == "__main__":
    # A shell has commands in the background ignore Ctrl-C, and so what the tests start from there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from banet.cli import run_guarded

    sys.exit(run_guarded(run))
