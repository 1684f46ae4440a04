"""Share of thick scars that weights find without hot spots, by cells from the edge, on other land.

    python benchmarks/thick_scars.py WEIGHTS... [--places 6]

Round scars of 5 to 40 cells' radius burn in one day or in four, in images of `banet.simulation.other_land`,
which training never draws from; records have 12 or 48 days, the fire in their middle; nobody looked for hot
spots, or looked and saw none. Beside the weights stands a plain index drop: the largest fall of
(NIR - MIR) / (NIR + MIR) between medians of 5 days on either side, at least 0.2, NIR at least 0.06.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from about import titled
from plain_burns import plain_drop
from scipy.ndimage import distance_transform_edt
from stress_chips import burned

from banet.model import BANet, load_model
from banet.simulation.other_land import images_of

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
SIZE, RADII, RECORDS, LASTING = 112, (5, 10, 20, 40), (12, 48), (1, 4)
DEPTHS = {"1": (0, 1.5), "2-4": (1.5, 4.5), "5-8": (4.5, 8.5), "over 8": (8.5, 99)}


def scars(places: int) -> Iterator[tuple[str, int, Floats, Floats, Mask]]:
    """Yield what is told of a scar, its record's days, images (3, T, H, W), fraction and cells to score."""
    down, across = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    away = np.hypot(down, across)
    for place, radius, record, lasting in itertools.product(range(places), RADII, RECORDS, LASTING):
        fraction = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
        days = np.arange("2021-08-01", np.datetime64("2021-08-01") + record)
        later = np.floor(np.clip(0.5 + across / (2 * radius), 0, 0.999) * lasting).astype(int)
        date = np.where(fraction > 0, days[record // 2 - lasting // 2] + later, np.datetime64("NaT"))
        images = np.stack(images_of(date, fraction, days, 1000 * place + radius))
        yield f"{record} days, radius {radius}", record, images, fraction, away < radius + 12


def main() -> None:
    """Print a line for each record and radius, and one for each depth; a pair of columns for each map."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--places", type=int, default=6)
    given = parser.parse_args()
    models = {title: load_model(name).eval() for title, name in titled(given.weights).items()}
    sums: dict[str, dict[str, npt.NDArray[np.float64]]] = defaultdict(
        lambda: defaultdict(lambda: np.zeros(4))
    )
    for told, record, images, fraction, scored in scars(given.places):
        true, inside = fraction >= 0.5, distance_transform_edt(fraction >= 0.5)
        for name, mapped in maps(models, images):
            counts = [hits(mapped, true & scored), hits(mapped, ~true & scored)]
            sums[told][name] += np.ravel(counts)
            for depth, (low, high) in DEPTHS.items():
                ring = true & (inside > low) & (inside <= high)
                sums[f"{record} days, {depth} from the edge"][name] += (*hits(mapped, ring), 0, 0)
    print(
        f"{'recall, false per 10,000':34s}"
        + "".join(f"{name[-22:]:>24s}" for name in next(iter(sums.values())))
    )
    for told, row in sorted(sums.items()):
        false = (f"{10_000 * v[2] / v[3]:.1f}" if v[3] else "-" for v in row.values())
        cells = (f"{v[0] / max(v[1], 1):16.3f}{one:>8s}" for v, one in zip(row.values(), false, strict=True))
        print(f"{told:34s}" + "".join(cells))


def hits(mapped: Mask, where: Mask) -> tuple[int, int]:
    """Return how many of some cells are mapped, and how many they are."""
    return int((mapped & where).sum()), int(where.sum())


def maps(models: dict[str, BANet], images: Floats) -> Iterator[tuple[str, Mask]]:
    """Yield the name of each map and what it shows burned."""
    yield "index drop", plain_drop(images[1], images[2])[1]
    for name, model in models.items():
        for kind, hotspots in (("nobody looked", np.nan), ("none seen", 0.0)):
            yield f"{name}, {kind}", burned(model, images, hotspots)


if __name__ == "__main__":
    main()
