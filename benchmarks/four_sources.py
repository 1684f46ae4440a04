"""One simulated season mapped from four kinds of files, scored against its truth.

    OMP_NUM_THREADS=1 python benchmarks/four_sources.py [--weights default] [--days 64]
        [--out benchmarks/results/four_sources.json] [--docs docs/sources.md]
    python benchmarks/four_sources.py --recorded benchmarks/results/four_sources.json --docs docs/sources.md

Ground, fires, weather and hot spots are the same for all; what differs is who looks and what is delivered:
gridded 750 m files of S-NPP, 750 m swaths of NOAA-20 and NOAA-21 together, 375 m swaths of S-NPP, and surface
reflectance tiles of S-NPP (M11 in the MIR slot). Each goes through files, reader, cube and map; the baseline
takes every cell with a hot spot for burned. `--docs` writes the table into a page, between two marks, and
`--recorded` does so from an earlier run. Six minutes of one core, and up to 2 GB on disk at a time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from about import about
from pages import put_into

from banet.evaluation import score
from banet.evaluation.baselines import active_fires
from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.io.files import writing
from banet.io.tables import plain
from banet.mapping import map_burned
from banet.simulation import simulate, write_scene

REGION = Region("FOUR", (-8.4, 39.5, -7.0, 40.7), 0.01)
START, MONTH, SEED, CLIMATE = "2020-07-15", "2020-08", 2020, "mediterranean"


class Case(NamedTuple):
    """One kind of files."""

    title: str
    satellites: tuple[str, ...]
    source: str
    mir_band: str = "M12"


CASES = (
    Case("750 m gridded, S-NPP", ("N",), "viirs750-gridded"),
    Case("750 m swaths, NOAA-20 and NOAA-21", ("N20", "N21"), "viirs750-swath"),
    Case("375 m swaths, S-NPP", ("N",), "viirs375-swath"),
    Case("surface reflectance tiles, S-NPP", ("N",), "surface", "M11"),
)


def run(case: Case, weights: str, days: int, folder: Path) -> tuple[dict[str, Any], Any]:
    """Simulate, write, read, map and score one kind of files; the files of the season go afterwards."""
    clock = time.process_time()
    # NOAA-21 did not fly in 2020: the figures compare sources on one season.
    scene = simulate(
        REGION, START, days, SEED, CLIMATE, satellites=case.satellites, mir_band=case.mir_band, any_time=True
    )
    written = write_scene(scene, folder, formats=(case.source, "hotspots"))
    files = written[case.source]
    seconds = {"simulate and write": time.process_time() - clock}

    clock = time.process_time()
    cube = build_cube(REGION, files[0].parent, folder / "hotspots", folder / "cube.zarr", source=case.source)
    seconds["read into a cube"] = time.process_time() - clock
    size = sum(path.stat().st_size for path in files)

    clock = time.process_time()
    burnmap = map_burned(cube, MONTH, MONTH, weights)
    seconds["map a month"] = time.process_time() - clock

    truth = scene.truth().between(burnmap.start, burnmap.stop)
    scores = score(burnmap, truth, name=case.title, draws=1000)
    baseline = score(active_fires(cube, MONTH, MONTH), truth, name="accumulated active fires", draws=1000)
    window = cube.read(burnmap.start, burnmap.stop, variables=("red", "nir", "mir", "count"))
    row = {
        "case": case._asdict(),
        "files": len(files),
        "megabytes": round(size / 1e6, 1),
        "mir_band": cube.mir_band,
        "satellites": dict(cube.info().satellites),
        "observed_share": float(window.observed.mean()),
        "looks_a_day": float(window.count.mean()),
        "notes": list(burnmap.attrs["notes"]),
        "weights": burnmap.attrs["weights"],
        "cpu_seconds": {name: round(value, 1) for name, value in seconds.items()},
        "scores": scores.to_dict(),
    }
    about = {
        "hot_spots": len(scene.hotspots),
        "frp_mw": float(scene.frp.sum()),
        "truth_ha": truth.burned_area_ha,
    }
    return row, (about, baseline)


def table(rows: list[dict[str, Any]], baseline: dict[str, Any]) -> str:
    lines = [
        "| from | MIR slot | looks a day | Dice | commission | omission | bias | mean abs. date error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        about = f"{row['case']['title']} | {row['mir_band']} | {row['looks_a_day']:.1f}"
        lines.append(f"| {about} | {_measures(row['scores'])} |")
    lines.append(f"| {baseline['name']} | - | - | {_measures(baseline)} |")
    return "\n".join(lines)


def _measures(scores: dict[str, Any]) -> str:
    hard = scores["hard"]
    low, high = scores["intervals"]["dice"]
    return (
        f"{hard['dice']:.3f} ({low:.3f}-{high:.3f}) | {hard['commission']:.3f} | {hard['omission']:.3f} | "
        f"{hard['relative_bias']:+.3f} | {scores['dating']['mean_absolute_days']:.2f} d"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default")
    parser.add_argument("--days", type=int, default=64)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--recorded", type=Path, help="results of an earlier run; nothing is mapped")
    parser.add_argument("--docs", type=Path, help="page with the two marks to put the table between")
    asked = parser.parse_args()
    content = (
        json.loads(asked.recorded.read_text()) if asked.recorded else measured(asked.weights, asked.days)
    )
    text = table(content["rows"], content["baseline"])
    print(text)
    if asked.docs:
        put_into(asked.docs, "four sources", text)
    if asked.out:
        with writing(asked.out) as part:
            part.write_text(json.dumps(content, indent=1) + "\n")


def measured(weights: str, days: int) -> dict[str, Any]:
    """Map all four and return what to record."""
    rows, seen = [], []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            row, more = run(case, weights, days, Path(folder))
        rows.append(row)
        seen.append(more)
        print(f"{case.title}: {row['cpu_seconds']}", flush=True)
    # The season is the same for all, or the table compares nothing.
    season, baseline = seen[0]
    for other, _ in seen[1:]:
        assert other == season, (other, season)
    scene = {"region": REGION.to_dict(), "start": START, "days": days, "seed": SEED, "climate": CLIMATE}
    content = {
        **about(),
        "scene": {**scene, "month": MONTH, **season},
        "numpy": np.__version__,
        "rows": rows,
        "baseline": baseline.to_dict(),
    }
    return dict(plain(content))


if __name__ == "__main__":
    main()
