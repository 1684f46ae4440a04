"""Cost of mapping by area: arithmetic on results of other benchmarks, as a table for `docs/scale.md`.

    python benchmarks/cost.py [--results benchmarks/results]

From `main_job.json` the seconds of a tile of 64 days x 128 x 128 cells, times the cells of the area, times
what overlapping tiles compute twice; from `large_region.json` the seconds of a whole region-month, times the
cells of the area over those of the region. Land by latitude: shares of each band of ten degrees after
Kossinna (1921), as in Sverdrup, Johnson and Fleming (1942), The Oceans; they sum to the Earth's land area.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

LAND = {
    80: 0.10, 70: 0.288, 60: 0.704, 50: 0.573, 40: 0.524, 30: 0.427, 20: 0.375, 10: 0.264, 0: 0.228,
    -10: 0.236, -20: 0.220, -30: 0.231, -40: 0.112, -50: 0.032, -60: 0.008, -70: 0.10, -80: 0.75, -90: 1.0,
}  # fmt: skip
"""Share of land in the ten degrees north of each latitude."""

RADIUS_KM = 6371.0
MAPPED = range(-60, 80, 10)
"""Bands that are mapped: Antarctica and what lies north of 80 degrees do not burn."""


def band_km2(south: int) -> float:
    """Area of ten degrees of latitude."""
    low, high = math.radians(south), math.radians(south + 10)
    return 2 * math.pi * RADIUS_KM**2 * (math.sin(high) - math.sin(low))


def land_km2() -> float:
    """The Earth's land, as a check of the shares: 149 million km2."""
    return sum(share * band_km2(south) for south, share in LAND.items())


def mapped_km2() -> float:
    return sum(LAND[south] * band_km2(south) for south in MAPPED)


def mapped_cells() -> float:
    """Cells of 0.01 degrees in the land that is mapped."""
    return sum(LAND[south] for south in MAPPED) * 36000 * 1000


def hours(results: Path) -> list[tuple[str, float, str]]:
    """Return what was measured, the hours for all land and a month, and the machine."""
    from engine_tile import network
    from overlap import overlap

    from banet.mapping.ensemble import as_ensemble

    job = json.loads((results / "main_job.json").read_text())
    seconds = {case["case"]: case["median_s"] for case in job["cases"]}
    found = [
        (
            f"{name}, by the tile",
            mapped_cells() / 128**2 * overlap(as_ensemble(network(net))) * seconds[case],
            job["machine"],
        )
        for name, case, net in (
            ("shipped weights", "tile", "shipped"),
            ("BA-Net as published", "tile_original", "width32-lstm"),
        )
    ]
    region = json.loads((results / "large_region.json").read_text())
    _, rows, cols = region["shape"]
    whole = mapped_cells() / (rows * cols) * region["seconds"]
    found.append((f"weights {region['weights']}, {rows} x {cols} cells to files", whole, region["machine"]))
    return [(name, amount / 3600, machine) for name, amount, machine in found]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(__file__).resolve().parent / "results"
    parser.add_argument("--results", type=Path, default=default)
    args = parser.parse_args()
    cells, area = mapped_cells(), mapped_km2()
    print(
        f"land {land_km2() / 1e6:.1f} million km2, mapped {area / 1e6:.1f}: {cells / 1e6:.0f} million cells"
    )
    print(f"{cells / 128**2:,.0f} tiles of 128 x 128 cells\n")
    print("| measured | hours per million km2 and month | hours for all land and a month | machine |")
    print("|---|---|---|---|")
    for name, amount, machine in hours(args.results):
        print(f"| {name} | {amount / area * 1e6:.3f} | {amount:.1f} | {machine} |")


if __name__ == "__main__":
    main()
