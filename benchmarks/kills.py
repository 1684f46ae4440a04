"""Builds, tiles and downloads killed at any moment, and what the next run makes of what they left.

    python benchmarks/kills.py [--kills 200] [--seconds 300] [--out FILE]

Each trial starts a job in a process of its own, kills it (SIGKILL) at a random moment of the time that it
takes, one to three times in a row, and then lets it run to its end. The result must be the undisturbed one,
byte for byte, and nothing else may lie beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.server
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from about import about

Job = Callable[[Path], None]


def scene(folder: Path) -> None:
    """Write files of three weeks, hot spots, labels and truth."""
    from banet.grid.region import Region
    from banet.simulation import simulate, write_scene

    region = Region("KILLS", (-8, 40, -7.68, 40.32), 0.01)
    made = simulate(region, "2019-08-01", 20, seed=4, climate="mozambique")
    write_scene(made, folder, formats=("viirs750-gridded", "hotspots", "labels"))


def jobs(data: Path, url: str) -> dict[str, Job]:
    """Return what is killed: each writes into the folder that it is given."""
    from banet.chips import write_cube_chips
    from banet.cube import open_cube
    from banet.download.client import Client
    from banet.download.pool import fetch_all
    from banet.download.settings import load_settings
    from banet.download.transfer import FileJob
    from banet.grid.region import Region
    from banet.ingest.folder import build_cube
    from banet.labels import read_mcd64a1

    region = Region.load(data / "R_KILLS.json")

    def cube(out: Path) -> None:
        build_cube(region, data / "viirs", data / "hotspots", out / "cube.zarr", notice=lambda line: None)

    def tiles(out: Path) -> None:
        held = open_cube(data / "cube.zarr")
        labels = read_mcd64a1(data / "labels", region, held.days[0], held.days[-1])
        write_cube_chips(out / "tiles", held, labels, days=16, size=16, step=8, day_step=2)

    def download(out: Path) -> None:
        with Client(load_settings(environ={})) as client:
            fetch_all(client, [FileJob(f"{url}/{n}.nc", out / f"{n}.nc") for n in range(12)]).check()

    cube(data)
    return {"cube build": cube, "tiles": tiles, "download": download}


def serve() -> str:
    """Serve files over HTTP, with ranges, and return the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = b"\x89HDF\r\n\x1a\n" + self.path.encode() * 40_000
            start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("ETag", f'"{self.path}"')
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            with contextlib.suppress(OSError):
                for at in range(start, len(body), 1 << 14):
                    self.wfile.write(body[at : at + (1 << 14)])
                    time.sleep(0.002)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # killed clients are what is tried
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def start(job: Job, out: Path) -> int:
    """Run a job in a child of this process, which has imported all that it needs; return its id."""
    child = os.fork()
    if child:
        return child
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    code = 1
    with contextlib.suppress(BaseException):
        job(out)
        code = 0
    os._exit(code)


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a folder, hidden ones too, but for locks."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def trial(job: Job, whole: dict[str, str], took: float, rng: np.random.Generator) -> tuple[int, str]:
    """Kill a job one to three times, let it end, and return the kills and what became of it."""
    with tempfile.TemporaryDirectory() as scratch:
        out, kills = Path(scratch), 0
        for _ in range(int(rng.integers(1, 4))):
            child = start(job, out)
            time.sleep(rng.uniform(0, took))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += os.WIFSIGNALED(status)
        _, status = os.waitpid(start(job, out), 0)
        if status:
            return kills, "failed"
        found = contents(out)
        if found == whole:
            return kills, "as undisturbed"
        return kills, "left over" if whole.items() <= found.items() else "other"


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill jobs, and see what the next run makes.")
    parser.add_argument("--kills", type=int, default=200, help="of each job")
    parser.add_argument("--seconds", type=float, default=300, help="in all, at most")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        scene(data)
        todo = jobs(data, serve())
        begin = time.monotonic()
        for number, (name, job) in enumerate(todo.items(), 1):
            rng, counts = np.random.default_rng(number), Counter[str]()
            with tempfile.TemporaryDirectory() as place:
                since = time.monotonic()
                os.waitpid(start(job, Path(place)), 0)
                took, whole = time.monotonic() - since, contents(Path(place))
            until = begin + args.seconds * number / len(todo)
            while counts["kills"] < args.kills and time.monotonic() < until:
                kills, end = trial(job, whole, took, rng)
                counts.update({"kills": kills, "trials": 1, end: 1})
            found[name] = counts
            print(f"{name} ({took:.1f} s undisturbed, {len(whole)} files): {dict(counts)}", flush=True)
    if args.out:
        args.out.write_text(json.dumps({**about(), "jobs": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
