"""Draw the real Greek scene: VNP64A1, the map of given weights, active fires, and where they agree.

python benchmarks/greek_picture.py [--weights default] [--real FOLDER] --out FILE.png
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from banet.evaluation.baselines import active_fires
from banet.evaluation.benchmark.greek import (
    GREEK_DAYS,
    greek_cube,
    greek_reference,
    greek_scores,
    need_real,
)
from banet.export import comparison_picture
from banet.mapping import map_burned

_STOP = np.datetime64("2021-08-15")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    real = need_real(asked.real)
    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder, "cube.zarr"))
        maps = {"banet": map_burned(cube, "2021-08", "2021-08", asked.weights)}
        maps["Active fires"] = active_fires(cube, "2021-08-01", "2021-09-01")
        reference = greek_reference(real)
        scores = [greek_scores(each, reference, draws=0) for each in maps.values()]
        water = maps["banet"].water
        # What VNP64A1 dates after the last image cannot be in any map of the scene.
        truth = dataclasses.replace(reference.between(GREEK_DAYS[0], _STOP), water=np.asarray(water))
        panels = [truth.named("VNP64A1"), *(one.named(title) for title, one in maps.items())]
        comparison_picture(
            panels,
            asked.out,
            start=GREEK_DAYS[0],
            stop=_STOP,
            title="Attica and the Peloponnese, August 2021",
            notes=("reference", *(f"Dice {each.dice:.3f} on 2 to 9 August" for each in scores)),
        )
    print(asked.out)


if __name__ == "__main__":
    main()
