"""Share of large changes that are no fire which weights map as burned, without hot spots, on other land.

    python benchmarks/large_changes.py WEIGHTS... [--places 3]

Round places of 6 and 25 cells' radius in images of `banet.simulation.other_land` are flooded, ploughed,
harvested, dried, shaded or were under snow that melts; records have 12 or 48 days, the change begins in their
middle. A pair of columns for each of the weights: nobody looked for hot spots, or looked and saw none.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from stress_chips import burned

from banet.model import load_model
from banet.simulation.other_land import images_of

Floats = npt.NDArray[np.float32]
SIZE, RADII, RECORDS = 80, (6, 25), (12, 48)
Change = Callable[[Floats, Floats, Floats], Floats]


def towards(colour: tuple[float, float, float], lasting: float) -> Change:
    """Return a change of the ground into a colour of red, NIR and MIR within some days."""

    def change(images: Floats, ground: Floats, age: Floats) -> Floats:
        return np.clip(age / lasting, 0, 1) * (np.reshape(colour, (3, 1, 1)) - ground)[:, None]

    return change


def drying(images: Floats, ground: Floats, age: Floats) -> Floats:
    """Grass that dries within 15 days."""
    return np.clip(age / 15, 0, 1) * (np.reshape((0.6, -0.25, 0.8), (3, 1, 1)) * ground)[:, None]


def shade(images: Floats, ground: Floats, age: Floats) -> Floats:
    """Half of the light for four days."""
    return -0.5 * ((age > 0) & (age <= 4)) * images


def melting(images: Floats, ground: Floats, age: Floats) -> Floats:
    """Thin snow that melts within three days."""
    return np.clip(1 - age / 3, 0, 1) * (np.reshape((0.55, 0.5, 0.05), (3, 1, 1)) - ground)[:, None]


CHANGES: dict[str, Change] = {
    "flood": towards((0.06, 0.05, 0.015), 1),
    "ploughing in a day": towards((0.085, 0.13, 0.16), 1),
    "ploughing in 5 days": towards((0.085, 0.13, 0.16), 5),
    "harvest": towards((0.185, 0.29, 0.24), 2),
    "drying": drying,
    "shade": shade,
    "snow melt": melting,
}


def changed(change: Change, share: Floats, record: int, seed: int) -> Floats:
    """Return images (3, days, rows, columns) of a record whose ground changes in a place."""
    days = np.arange("2021-08-01", np.datetime64("2021-08-01") + record)
    images = np.stack(images_of(np.full(share.shape, np.datetime64("NaT")), 0 * share, days, seed))
    ground = np.nan_to_num(np.nanmedian(images, 1))
    age = (np.arange(record) - record // 2 + 1).reshape(-1, 1, 1)
    return np.maximum(images + share * change(images, ground, age), 0.003).astype(np.float32)


def main() -> None:
    """Print a line for each change, radius and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--places", type=int, default=3)
    given = parser.parse_args()
    models = [load_model(name).eval() for name in given.weights]
    away = np.hypot(*(np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2))
    found: dict[str, list[list[float]]] = defaultdict(list)
    for radius, record, place in itertools.product(RADII, RECORDS, range(given.places)):
        share = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
        for name, change in CHANGES.items():
            images = changed(change, share, record, 500 + 7 * place + radius)
            told = itertools.product(models, (np.nan, 0.0))
            row = [float(burned(model, images, hotspots)[share > 0.5].mean()) for model, hotspots in told]
            found[f"{name}, radius {radius}, {record} days"].append(row)
    for name, rows in found.items():
        print(f"{name:42s}" + "".join(f"{share:8.2f}" for share in np.mean(rows, 0)))


if __name__ == "__main__":
    main()
