"""Fuzzing of readers: valid files made anew, damaged by fixed seeds, and what the reader made of each.

    python tests/fuzz/runner.py [--files 1000] [--first-seed 0] [--surfaces NAME ...]

Each damaged file is read in a process of its own kind, which is started again when it dies. Classes:
`same` (the damage had no effect), `clean` (an error of banet), `gap` (a gap of the day, the rest was read),
`silent` (other values, no word), `raw` (any other error), `memory`, `crash`, `hang`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = ("same", "clean", "gap", "silent", "raw", "memory", "crash", "hang")
SECONDS = 60
"""Time after which a reader hangs; the readers' own limits are below it."""
MEMORY = 6 << 30


def _region():
    from banet.grid.region import Region

    return Region("FUZZ", (-8.1, 39.9, -7.9, 40.1), 0.01)


def make(folder: Path) -> None:
    """Write a scene of two days in all formats, and the table of hot spots."""
    from banet.simulation import simulate, write_scene

    scene = simulate(_region(), "2020-12-31", 2, seed=4, climate="california")
    write_scene(scene, folder, formats=("gridded", "hotspots", "swath750", "surface", "labels"))


def _digest(arrays: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _day(source: str, place: str) -> Callable[[Path], tuple[str, bool]]:
    def read(folder: Path) -> tuple[str, bool]:
        from banet.observations import source as named

        planes = named(source).read_day(folder / place, np.datetime64("2020-12-31"), _region())
        return _digest((planes.red, planes.nir, planes.mir, planes.view_zenith)), bool(planes.gaps)

    return read


def _cube(folder: Path) -> tuple[str, bool]:
    from banet.ingest.folder import build_cube

    with tempfile.TemporaryDirectory() as scratch:
        cube = build_cube(_region(), folder / "viirs", None, Path(scratch) / "cube.zarr")
        window = cube.read(cube.days[0], cube.days[-1] + 1)
        return _digest((cube.days.astype(int), window.red, window.mir)), bool(cube.gaps)


def _labels(folder: Path) -> tuple[str, bool]:
    from banet.labels import read_mcd64a1

    found = read_mcd64a1(
        [folder / "labels"], _region(), np.datetime64("2020-12-01"), np.datetime64("2020-12-31")
    )
    return _digest((found.burn_date.astype(int), found.burned_fraction)), False


def _hotspots(folder: Path) -> tuple[str, bool]:
    from banet.observations.hotspots import fires_of, read_hotspots

    table = read_hotspots([folder / "hotspots"])
    frp, _ = fires_of(table, _region(), np.datetime64("2020-12-31"), vegetation_only=True)
    return _digest(() if frp is None else (frp,)), False


SURFACES: dict[str, tuple[str, Callable[[Path], tuple[str, bool]]]] = {
    "gridded HDF4, one day": ("viirs/*A2020366*", _day("viirs750-gridded", "viirs")),
    "cube of gridded HDF4": ("viirs/*", _cube),
    "swath NetCDF, one day": ("swath/*A2020366*", _day("viirs750-swath", "swath")),
    "surface HDF5, one day": ("surface/*A2020366*", _day("surface", "surface")),
    "labels HDF4": ("labels/**/*.hdf", _labels),
    "hot spots": ("hotspots/*", _hotspots),
}


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file in one of five ways."""
    out = bytearray(data)
    at, kind = int(rng.integers(len(out))), int(rng.integers(5))
    if kind == 0:
        return bytes(out[:at])
    if kind == 1:
        out[at] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        out[at] = int(rng.integers(256))
    elif kind == 3:
        out[at : at + 64] = bytes(len(out[at : at + 64]))
    else:  # the head holds what the library believes
        at = int(rng.integers(min(len(out), 4096)))
        out[at : at + 4] = rng.bytes(len(out[at : at + 4]))
    return bytes(out)


def probe(folder: Path) -> None:
    """Answer each line `surface seed` with the class of what became of that damaged file."""
    import resource
    import warnings

    from banet.errors import BanetError

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    whole: dict[str, str] = {}
    for line in sys.stdin:
        name, seed = json.loads(line)
        pattern, read = SURFACES[name]
        if name not in whole:
            whole[name] = read(folder)[0]
        rng = np.random.default_rng(seed)
        files = sorted(path for path in folder.glob(pattern) if path.is_file())
        path = files[int(rng.integers(len(files)))]
        kept, told = path.read_bytes(), ""
        path.write_bytes(damaged(kept, rng))
        try:
            digest, gap = read(folder)
            answer = "gap" if gap else "same" if digest == whole[name] else "silent"
        except BanetError as error:
            answer = "clean" if "\n" not in str(error) else "raw"
        except MemoryError as error:
            answer, told = "memory", repr(error)
        except Exception as error:
            answer, told = "raw", f"{path.name}: {type(error).__name__}: {error}"
        finally:
            path.write_bytes(kept)
        print(json.dumps([answer, told]), flush=True)


class _Prober:
    """A process that reads damaged files."""

    def __init__(self, folder: Path):
        command = [sys.executable, str(Path(__file__).resolve()), "--probe", str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, name: str, seed: int) -> tuple[str, str]:
        """Return the class of a damaged file, and the error if it is raw."""
        to, answers = self.process.stdin, self.process.stdout
        assert to is not None
        assert answers is not None
        to.write(json.dumps([name, seed]) + "\n")
        to.flush()
        ready, _, _ = select.select([answers], [], [], SECONDS)
        line = answers.readline() if ready else ""
        if line:
            answer, told = json.loads(line)
            return answer, told
        return ("crash", f"status {self.process.wait()}") if ready else ("hang", "")

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def run(
    surfaces: Iterable[str], count: int, first_seed: int = 0, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Counter[str]]:
    """Damage and read a number of files for each surface; return the classes of each."""
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        master = Path(scratch) / "0"
        make(master)
        copies, prober = 0, _Prober(master)
        for name in surfaces:
            found[name] = Counter()
            for seed in range(first_seed, first_seed + count):
                answer, told = prober.ask(name, seed)
                found[name][answer] += 1
                if told:
                    tell(f"{name}, seed {seed}: {answer}: {told}")
                if answer in ("crash", "hang"):  # what it was reading is still damaged
                    prober.end()
                    copies += 1
                    make(Path(scratch) / str(copies))
                    prober = _Prober(Path(scratch) / str(copies))
        prober.end()
    return found


def table(found: dict[str, Counter[str]]) -> str:
    """Return the classes of all surfaces as Markdown."""
    lines = [f"| surface | files | {' | '.join(CLASSES)} |", "|---" * (len(CLASSES) + 2) + "|"]
    for name, counts in found.items():
        cells = " | ".join(str(counts[kind]) for kind in CLASSES)
        lines.append(f"| {name} | {counts.total()} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000, help="damaged files for each surface")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--surfaces", nargs="+", default=list(SURFACES), choices=SURFACES)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.probe:
        with contextlib.suppress(KeyboardInterrupt):
            probe(args.probe)
        return
    begin = time.monotonic()
    print(table(run(args.surfaces, args.files, args.first_seed, lambda line: print(line, flush=True))))
    print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
