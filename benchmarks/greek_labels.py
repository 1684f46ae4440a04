"""The real VNP64A1 tile of August 2021 on the Greek region: banet's cells against look-ups through PROJ.

    python benchmarks/greek_labels.py [--real FOLDER] [--out FILE.json] [--picture FILE.png]

The other side knows nothing of banet: every cell of 0.01 degree is probed at evenly spread points, each is
taken to the tile's grid by PROJ, and the pixel there is counted (20 x 20 points everywhere, 50 x 50 where
something burned). Reported are hectares against the count of burned pixels times 21.4656 ha, the fraction of
each cell, and the day of each cell where one day leads by more than the look-ups can tell.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyproj
from pyhdf.SD import SD

from banet.evaluation.benchmark.greek import GREEK_REGION, greek_reference
from banet.export import comparison_picture
from banet.io.files import writing

TILE = "labels/VNP64A1.A2021213.h19v05.002.2023198172838.hdf"
# UpperLeftPointMtrs of the tile, and its pixel: 1111950.5197 m / 2400.
LEFT, TOP, PIXEL = 1111950.519677, 4447802.078664, 463.31271653
PIXEL_HA = 21.4656
TO_GRID = pyproj.Transformer.from_crs(
    "EPSG:4326", "+proj=sinu +R=6371007.181 +units=m +no_defs", always_xy=True
)
WEST, NORTH, STEP, ROWS, COLS = 21.8, 38.5, 0.01, 133, 280
# Least lead of one day over another, as a share of the cell, that 50 x 50 points tell without doubt.
CLEAR = 0.04


def looked_up(burn: np.ndarray, rows: np.ndarray, cols: np.ndarray, points: int) -> np.ndarray:
    """Burn dates at points of some cells, (cells, points * points)."""
    offset = (np.arange(points) + 0.5) / points * STEP
    lon = WEST + cols[:, None, None] * STEP + offset[None, None, :]
    lat = NORTH - rows[:, None, None] * STEP - offset[None, :, None]
    x, y = TO_GRID.transform(*(part.ravel() for part in np.broadcast_arrays(lon, lat)))
    at = burn[((TOP - y) / PIXEL).astype(int), ((x - LEFT) / PIXEL).astype(int)]
    return at.reshape(len(rows), points * points)


def independent(burn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Burned fraction, date, whether the date leads clearly, and water, (rows, columns)."""
    fraction, lead = np.zeros((ROWS, COLS)), np.zeros((ROWS, COLS))
    day = np.full((ROWS, COLS), np.datetime64("NaT", "D"))
    water = np.zeros((ROWS, COLS), bool)
    every = np.arange(COLS)
    for row in range(ROWS):
        around = looked_up(burn, np.full(COLS, row), every, 20)
        water[row] = (around == -2).mean(1) > 0.5
        for col in np.flatnonzero((around > 0).any(1)):
            at = looked_up(burn, np.array([row]), np.array([col]), 50)[0]
            # Points spread evenly in degrees stand for less area in the north of the cell.
            area = np.cos(np.radians(NORTH - row * STEP - (np.arange(50) + 0.5) / 50 * STEP)).repeat(50)
            shares = np.bincount(np.maximum(at, 0), area, minlength=2) / area.sum()
            days = np.flatnonzero(shares[1:]) + 1
            counts = shares[days]
            if not counts.size:
                continue
            fraction[row, col] = counts.sum()
            day[row, col] = np.datetime64("2020-12-31") + int(days[counts.argmax()])
            ranked = np.sort(counts)[::-1]
            lead[row, col] = ranked[0] - (ranked[1] if counts.size > 1 else 0)
    return fraction, day, lead > CLEAR, water


def pixels_inside(burn: np.ndarray) -> int:
    """Burned pixels whose middle lies in the region."""
    row, col = np.nonzero(burn > 0)
    lon, lat = TO_GRID.transform(LEFT + (col + 0.5) * PIXEL, TOP - (row + 0.5) * PIXEL, direction="INVERSE")
    inside = (lon > WEST) & (lon < WEST + COLS * STEP) & (lat < NORTH) & (lat > NORTH - ROWS * STEP)
    return int(inside.sum())


def main() -> None:
    beside = Path(__file__).resolve().parents[2] / "shared" / "real"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, default=beside)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    burn = SD(str(asked.real / TILE)).select("Burn Date").get()
    ours = greek_reference(asked.real)
    assert ours.region.shape == (ROWS, COLS)
    fraction, day, clear, water = independent(burn)

    pixels = pixels_inside(burn)
    expected = pixels * PIXEL_HA
    got = np.asarray(ours.burned_fraction, float)
    both = (got > 0) & (fraction > 0) & clear
    same = ours.burn_date[both] == day[both]
    found = {
        "tile": Path(TILE).name,
        "pixels_burned_in_region": pixels,
        "pixels_ha": round(expected, 1),
        "banet_ha": round(ours.burned_area_ha, 1),
        "relative_difference": round(ours.burned_area_ha / expected - 1, 5),
        "cells_burned": int((got > 0).sum()),
        "cells_one_side_only": int((((got > 0.004) & (fraction == 0)) | ((fraction > 0) & (got == 0))).sum()),
        "largest_difference_of_fraction": round(float(np.abs(got - fraction).max()), 4),
        "mean_difference_of_fraction": round(float((got - fraction)[got > 0].mean()), 6),
        "cells_with_a_clear_date": int(both.sum()),
        "dates_alike": int(same.sum()),
    }
    print(json.dumps(found, indent=1))
    if asked.out:
        with writing(asked.out) as part:
            part.write_text(json.dumps(found, indent=1) + "\n")
    if asked.picture:
        other = SimpleNamespace(region=GREEK_REGION, burned_fraction=fraction, burn_date=day, water=water)
        comparison_picture(
            [other.named("Look-ups through PROJ"), ours.named("banet")],
            asked.picture,
            start=np.datetime64("2021-08-01"),
            stop=np.datetime64("2021-09-01"),
            title="VNP64A1, tile h19v05, August 2021, on 0.01 degree",
            notes=(
                f"{pixels:,} burned pixels are {expected:,.0f} ha",
                f"{ours.burned_area_ha:,.0f} ha; {same.sum()} of {both.sum()} dates alike",
            ),
        )


if __name__ == "__main__":
    main()
