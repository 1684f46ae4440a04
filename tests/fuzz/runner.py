"""Fuzzing of readers: valid files made anew, damaged by fixed seeds, and what the reader made of each.

    python tests/fuzz/runner.py [--files 1000] [--first-seed 0] [--surfaces NAME ...] [--out FILE]

Each damaged file is read in a process of its own kind, which is started again when it dies. Classes:
`same` (the damage had no effect), `clean` (an error of banet), `gap` (a gap of the day, the rest was read),
`told` (other values, and a warning says what was left out), `silent` (other values, no word: what was damaged
is another value that may be true), `raw` (any other error), `memory`, `crash`, `hang`.
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

CLASSES = ("same", "clean", "gap", "told", "silent", "raw", "memory", "crash", "hang")
SECONDS = 60
"""Time after which a reader hangs; the readers' own limits are below it."""
MEMORY = 6 << 30


def _region():
    from banet.grid.region import Region

    return Region("FUZZ", (-8.1, 39.9, -7.9, 40.1), 0.01)


def make(folder: Path) -> None:
    """Write a scene of two days in all formats, hot spots, and perimeters in their containers."""
    from banet.simulation import simulate, write_scene

    scene = simulate(_region(), "2020-12-31", 2, seed=4, climate="california")
    write_scene(scene, folder, formats=("gridded", "swath750", "surface", "labels"))
    _write_hotspots(folder / "hotspots")
    _write_maps(folder)
    for name in ("geojson", "gpkg", "kml", "shapefile"):
        _write_perimeters(folder / name)


def _write_hotspots(folder: Path) -> None:
    columns = (
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version"
    )
    rng = np.random.default_rng(0)
    rows = [
        f"{39.91 + lat:.5f},{-8.09 + lon:.5f},{kelvin:.2f},0.41,0.37,2020-12-31,{clock:.0f},N,VIIRS,n,2,"
        f"{kelvin - 30:.2f},{power:.2f},{'DN'[clock < 600]},0"
        for lat, lon, kelvin, clock, power in zip(
            *rng.uniform(0, 0.18, (2, 60)),
            rng.uniform(310, 367, 60),
            [112, 1254] * 30,
            rng.uniform(1, 90, 60),
        )
    ]
    folder.mkdir()
    table = "\n".join([f"{columns},bright_ti5,frp,daynight,type", *rows])
    (folder / "fire_archive_SV-C2_1.csv").write_text(f"{table}\n", encoding="utf-8")


def _write_maps(folder: Path) -> None:
    """Write a map as NetCDF and as GeoTIFF, the file of a region, and hot spots as points in a ZIP."""
    import geopandas as gpd
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea
    from banet.burned_area.geotiff import layers, write_cog
    from banet.burned_area.netcdf import write_netcdf

    for name in ("map", "raster", "region", "points"):
        (folder / name).mkdir()
    _region().save(folder / "region")
    start, days = np.datetime64("2020-12-01"), np.full(_region().shape, np.datetime64("NaT", "D"))
    days[3:9, 4:12] = start + np.arange(48).reshape(6, 8) % 31
    burned = BurnedArea.from_dates(_region(), start, start + 31, days)
    write_netcdf(burned, folder / "map" / "m.nc")
    write_cog(layers(burned)[0], _region(), folder / "raster" / "m_burn_date.tif")
    table = pd.read_csv(next((folder / "hotspots").iterdir()), dtype={"acq_time": str})
    points = gpd.points_from_xy(table.longitude, table.latitude)
    fires = gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")
    fires.to_file(folder / "points" / "fires.shp.zip", driver="ESRI Shapefile")


def _write_perimeters(folder: Path) -> None:
    import geopandas as gpd
    import shapely

    folder.mkdir()
    corners = np.linspace(0.02, 0.16, 8)
    shapes = [shapely.Point(-8.1 + x, 39.9 + x).buffer(0.01, quad_segs=4) for x in corners]
    days = [f"2020-12-{day:02d}" for day in range(20, 28)]
    fires = gpd.GeoDataFrame({"FIREDATE": days, "Name": days}, geometry=shapes, crs="EPSG:4326")
    if folder.name == "shapefile":
        fires.to_file(folder / "fires.shp.zip", driver="ESRI Shapefile")
    elif folder.name == "kml":
        fires.to_file(folder / "fires.kml", driver="KML")
    else:
        fires.to_file(folder / f"fires.{folder.name}")


def _perimeters(place: str) -> Callable[[Path], tuple[str, bool]]:
    def read(folder: Path) -> tuple[str, bool]:
        from banet.labels import read_perimeters

        (path,) = (folder / place).iterdir()
        found = read_perimeters(path, _region(), "2020-12", "2020-12", required=True)
        return _digest((found.burn_date.astype(int), found.burned_fraction)), False

    return read


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


def _hotspots(place: str) -> Callable[[Path], tuple[str, bool]]:
    def read(folder: Path) -> tuple[str, bool]:
        from banet.observations.hotspots import fires_of, read_hotspots, tell_placed

        table = read_hotspots([folder / place])
        tell_placed(table, _region(), np.array(["2020-12-31"], "datetime64[D]"))
        frp, _ = fires_of(table, _region(), np.datetime64("2020-12-31"), vegetation_only=True)
        return _digest(() if frp is None else (frp,)), False

    return read


def _map(place: str) -> Callable[[Path], tuple[str, bool]]:
    def read(folder: Path) -> tuple[str, bool]:
        from banet.burned_area.geotiff import read_geotiff
        from banet.burned_area.netcdf import read_map

        (path,) = (folder / place).iterdir()
        found = read_map(path) if path.suffix == ".nc" else read_geotiff(path)
        arrays = (found.burn_date.astype(int), found.burned_fraction, found.observed_days)
        return _digest((*arrays, np.array(found.region.bbox))), False

    return read


def _grid(folder: Path) -> tuple[str, bool]:
    from banet.grid.region import Region

    (path,) = (folder / "region").iterdir()
    read = Region.load(path)
    return _digest((np.array([*read.bbox, read.pixel_size]),)), False


SURFACES: dict[str, tuple[str, Callable[[Path], tuple[str, bool]]]] = {
    "gridded HDF4, one day": ("viirs/*A2020366*", _day("viirs750-gridded", "viirs")),
    "cube of gridded HDF4": ("viirs/*", _cube),
    "swath NetCDF, one day": ("swath/*A2020366*", _day("viirs750-swath", "swath")),
    "surface HDF5, one day": ("surface/*A2020366*", _day("surface", "surface")),
    "labels HDF4": ("labels/**/*.hdf", _labels),
    "hot spots CSV": ("hotspots/*", _hotspots("hotspots")),
    "hot spots shapefile, ZIP": ("points/*", _hotspots("points")),
    "map NetCDF": ("map/*", _map("map")),
    "map GeoTIFF": ("raster/*", _map("raster")),
    "region JSON": ("region/*", _grid),
    "perimeters GeoJSON": ("geojson/*", _perimeters("geojson")),
    "perimeters GeoPackage": ("gpkg/*", _perimeters("gpkg")),
    "perimeters KML": ("kml/*", _perimeters("kml")),
    "perimeters shapefile, ZIP": ("shapefile/*", _perimeters("shapefile")),
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

    from banet.errors import BanetError, BanetWarning

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    words: list[str] = []
    warnings.showwarning = lambda message, category, *rest: words.append(str(message))
    warnings.simplefilter("always", BanetWarning)
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
        words.clear()
        try:
            digest, gap = read(folder)
            changed = "told" if words else "silent"
            answer = "gap" if gap else "same" if digest == whole[name] else changed
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
    parser.add_argument("--out", type=Path, help="write the table to this JSON file too")
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.probe:
        with contextlib.suppress(KeyboardInterrupt):
            probe(args.probe)
        return
    begin = time.monotonic()
    found = run(args.surfaces, args.files, args.first_seed, lambda line: print(line, flush=True))
    print(table(found))
    print(f"{time.monotonic() - begin:.0f} s")
    if args.out is not None:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
        from about import record

        record(args.out, files=args.files, first_seed=args.first_seed, surfaces=found)


if __name__ == "__main__":
    main()
