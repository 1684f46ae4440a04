"""Draw a simulated season as a filmstrip: colour, 3.7 um, hot spots, and what truly burned.

python benchmarks/season_picture.py --out docs/pictures/simulator_season.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from banet.grid.region import Region
from banet.io.files import writing
from banet.simulation import simulate

ROWS = ("colour", "3.7 µm", "hot spots", "truly burned")


def natural(red: np.ndarray, nir: np.ndarray) -> np.ndarray:
    """Colours near the natural ones; the bands that banet meets hold no green and no blue."""
    image = np.stack([red, 0.7 * red + 0.13 * nir, 0.85 * red], -1)
    return np.nan_to_num(np.clip((image - 0.03) / 0.2, 0, 1) ** 0.85, nan=0.5)


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--climate", default="cerrado")
    parser.add_argument("--bbox", type=float, nargs=4, default=(-47.8, -14.6, -46.52, -13.32))
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    region = Region("SEASON", tuple(given.bbox), 0.01)
    scene = simulate(region, "2021-07-20", 48, given.seed, given.climate)
    clear = np.isfinite(scene.red).mean((1, 2)) - (np.nan_to_num(scene.red) > 0.3).mean((1, 2))
    days = [int(part[np.argmax(clear[part])]) for part in np.array_split(np.arange(48), 8)]
    date = np.where(scene.burned_fraction > 0.05, scene.burned_fraction_daily.argmax(0), np.nan)
    figure, axes = plt.subplots(4, len(days), figsize=(13, 7), constrained_layout=True)
    for column, day in enumerate(days):
        top, mir, hot, truth = axes[:, column]
        top.imshow(natural(scene.red[day], scene.nir[day]))
        mir.imshow(scene.mir[day], vmin=0, vmax=0.25, cmap="inferno")
        glow = (scene.frp[max(day - 5, 0) : day + 1] > 0).any(0)
        hot.imshow(np.where(glow, 1.0, np.nan), cmap="autumn", vmin=0, vmax=2, interpolation="nearest")
        truth.imshow(np.where(date <= day, date, np.nan), vmin=0, vmax=47, cmap="viridis")
        top.set_title(str(scene.days[day]), fontsize=9)
    for row, name in enumerate(ROWS):
        axes[row, 0].set_ylabel(name if name != "hot spots" else "hot spots,\nlast six days", fontsize=9)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_facecolor("#f2f0ea")
    with writing(given.out) as part:
        figure.savefig(part, format="png", dpi=85)
    plt.close(figure)


if __name__ == "__main__":
    main()
