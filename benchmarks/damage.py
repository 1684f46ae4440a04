"""Damage of a cube and of chips on disk: told, without effect, or read as something else.

    python benchmarks/damage.py [--trials 300]

Bits are flipped one at a time, files cut, 4096 bytes zeroed, and files exchanged. To see another version do
so, put its folder src first on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from banet.chips import ChipEntry, Chips
from banet.cube import Cube, open_cube
from banet.errors import BanetError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("D", (-8, 39, -5, 42), 0.01)
DAY = np.datetime64("2020-12-30")
NAMES = ("red", "nir", "mir", "frp", "view_zenith", "count")
KINDS = ("flips", "cut", "4096 zeros", "swapped")


def make_cube(path: Path) -> None:
    cube = Cube.create(path, REGION, sensor="VIIRS", mir_band="M11")
    rng, shape = np.random.default_rng(0), REGION.shape
    for number in range(4):
        red, nir, mir = rng.normal(0.2, 0.05, (3, *shape)).astype(np.float32)
        frp = np.where(rng.random(shape) < 0.01, 12.5, 0).astype(np.float32)
        zenith = np.broadcast_to(np.linspace(0, 60, shape[1], dtype=np.float32), shape)
        cube.write_day(DAY + number, DayPlanes(red, nir, mir, zenith, np.ones(shape, np.uint8)), frp)
    cube.record_gap(DAY + 4, ["no file"])
    cube.set_water(rng.random(shape) < 0.3)


def show_cube(path: Path) -> object:
    cube = open_cube(path)
    window, info, water = cube.read(DAY, DAY + 5), cube.info(), cube.water
    about = (
        cube.region,
        cube.sensor,
        cube.mir_band,
        cube.days.tolist(),
        cube.gaps,
        info.coverage,
        info.ranges,
    )
    records = [cube.record(day) for day in cube.days]
    planes = [getattr(window, name).tobytes() for name in NAMES]
    summary = info.coverage, info.ranges, None if water is None else water.tobytes()
    return planes, about, summary, records


def make_chips(path: Path) -> None:
    chips, rng = Chips.create(path, 16, 32), np.random.default_rng(0)
    for number in range(3):
        planes = rng.uniform(0, 1, (4, 16, 32, 32)).astype(np.float32)
        target = np.where(rng.random((16, 32, 32)) < 0.1, 0.5, 0).astype(np.float32)
        chips.write(ChipEntry(f"c{number}", climate="a", seed=number), planes, target)


def show_chips(path: Path) -> object:
    chips = Chips.open(path)
    read = [chips.read(number) for number in range(len(chips))]
    return (
        chips.days,
        chips.size,
        chips.entries,
        [(chip.planes.tobytes(), chip.target.tobytes()) for chip in read],
    )


def outcome(path: Path, show: Callable[[Path], object], truth: object) -> str:
    try:
        found = show(path)
    except BanetError:
        return "told"
    except Exception as error:
        return f"raw {type(error).__name__}"
    return "without effect" if found == truth else "silent"


def damaged(kind: str, files: list[Path], trials: int) -> Iterator[None]:
    """Damage one file after another; each is whole again before the next."""
    rng = np.random.default_rng(5)
    if kind == "swapped":
        for one, other in itertools.pairwise(files):
            a, b = one.read_bytes(), other.read_bytes()
            one.write_bytes(b)
            other.write_bytes(a)
            yield
            one.write_bytes(a)
            other.write_bytes(b)
        return
    for _ in range(trials if kind == "flips" else 40):
        file = files[int(rng.integers(len(files)))]
        data = file.read_bytes()
        at = int(rng.integers(len(data)))
        new = {
            "flips": lambda d, p: d[:p] + bytes([d[p] ^ 1 << int(rng.integers(8))]) + d[p + 1 :],
            "cut": lambda d, p: d[:p],
            "4096 zeros": lambda d, p: (d[:p] + bytes(4096) + d[p + 4096 :])[: len(d)],
        }[kind](data, at)
        file.write_bytes(new)
        yield
        file.write_bytes(data)


def run(what: str, make: Callable[[Path], None], show: Callable[[Path], object], trials: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zarr"
        make(path)
        truth = show(path)
        files = sorted(file for file in path.rglob("*") if file.is_file() and file.name != "lock")
        for name, wanted in (("arrays", True), ("metadata", False)):
            chosen = [f for f in files if (f.suffix == ".npy" or f.parts[-5] in NAMES) == wanted]
            for kind in KINDS[: 4 if wanted else 3]:
                found = Counter(outcome(path, show, truth) for _ in damaged(kind, chosen, trials))
                words = ", ".join(f"{result} {number}" for result, number in sorted(found.items()))
                print(f"{what:6} {name:9} {kind:11} {sum(found.values()):4}: {words}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300, help="bits to flip in each group of files")
    trials = parser.parse_args().trials
    run("cube", make_cube, show_cube, trials)
    run("chips", make_chips, show_chips, trials)


if __name__ == "__main__":
    main()
