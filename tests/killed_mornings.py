"""Mornings that are killed, or run out of disk, at a step; run as a program of its own, which tests start.

    python killed_mornings.py JSON

JSON holds `before` (folder with `data` and `out` from which each trial starts), `place` (folder to work in),
`words` (of `banet`), `today` and `trials`: {"kill": n} kills the process before its n-th change to the disk,
{"size": n} lets no file grow beyond n bytes, {"twice": true} starts two runs at once, {} disturbs nothing.
After each trial the same command runs undisturbed. One line of JSON a trial says how both ended and what
differs from the files of the first trial, which should be {}.

Every run is forked from this process, which has loaded everything and computed nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

CUBE = "data/M.zarr"
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.link")


def main(task: dict[str, Any]) -> None:
    place, before = Path(task["place"]), Path(task["before"])
    load(task["today"])
    expected = None
    for trial in task["trials"]:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(before, place)
        count = place.parent / "changes"
        ended = run(task["words"], count, **trial)
        changes = count.read_text() if count.exists() else ""
        again = run(task["words"], count)
        found = contents(place)
        if any("size" in one for one in task["trials"]):
            found[CUBE] = cube_of(place)
        expected = expected or found
        differs = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        if "size" in trial:  # a day that did not fit came later, so days lie in another order
            differs = [name for name in differs if not name.startswith(f"{CUBE}/")]
        print(json.dumps({**trial, "ended": ended, "changes": changes, "again": again, "differs": differs}))


def load(today: str) -> None:
    """Import what a morning needs, and set the clock."""
    import geopandas  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import pyogrio  # noqa: F401
    import torch

    import banet.cli.operations
    import banet.observations.surface
    import banet.operations.nrt  # noqa: F401
    from banet import days
    from banet.download import firms

    torch.set_num_threads(1)
    for module in (days, firms):
        module.today_utc = lambda: np.datetime64(today)


def run(
    words: list[str], count: Path, *, kill: int | None = None, size: int | None = None, twice: bool = False
) -> list[int]:
    """Run `banet` in a fork, or in two at once; return the exit codes, -9 where one was killed."""
    children = []
    for _ in range(1 + twice):
        child = os.fork()
        if child == 0:
            os._exit(one(words, count, kill, size))
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def one(words: list[str], count: Path, kill: int | None, most: int | None) -> int:
    from banet.cli import main as banet

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(os.open(count.with_name("messages"), os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    if most is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    number = 0

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal number
        if event in CHANGES:
            number += 1
            if number == kill:
                os.kill(os.getpid(), signal.SIGKILL)

    if most is None:
        sys.addaudithook(watch)
    code = banet(words)
    if kill is None and most is None:
        count.write_text(str(number))
    return code


def contents(place: Path) -> dict[str, str]:
    """Return a digest of each file but locks, times of the day taken out."""
    return {
        str(file.relative_to(place)): hashlib.sha256(told(file)).hexdigest()
        for file in sorted(place.rglob("*"))
        if file.is_file() and not file.name.endswith(".lock")
    }


def cube_of(place: Path) -> str:
    """Return a digest of what a cube holds by day, made in a fork: this process computes nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, digest_of(place / CUBE).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        digest = stream.read()
    os.waitpid(child, 0)
    return digest or "cannot be read"


def digest_of(path: Path) -> str:
    from banet.cube import open_cube

    cube, digest = open_cube(path), hashlib.sha256()
    for day in sorted(cube.days):
        window, record = cube.read(day, day + 1), cube.record(day)
        for name in ("red", "nir", "mir", "frp", "view_zenith", "count"):
            digest.update(getattr(window, name).tobytes())
        digest.update(str(record and sorted(record.inputs)).encode())
    return digest.hexdigest()


def told(file: Path) -> bytes:
    content = file.read_bytes()
    if file.name == "status.json":
        values = json.loads(content)
        values.pop("seconds", None)
        return json.dumps(values).encode()
    if "/time/days/" in str(file):
        values = json.loads(content)
        for name in ("fingerprint", "checksum"):  # both hold the times at which files came
            values.pop(name)
        return json.dumps(values).encode()
    if file.name.endswith("_manifest.json"):
        values = json.loads(content)
        return json.dumps(sorted(values["reproducible"]["products"].items())).encode()
    return content


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
