"""Score weights and baselines on the real Greek scene of August 2021, against VNP64A1.

    python benchmarks/greek_scene.py [--weights NAME_OR_PATH ...] [--real FOLDER] [--out FILE.json]

Prints one table: accumulated active fires and the other baselines, then for each set of weights a map made
from everything, one with the hot spots withheld and one with the images withheld. The protocol is that of
`banet.evaluation.benchmark.greek`. Without --weights only the baselines are scored.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from banet.errors import BanetError
from banet.evaluation.baselines import active_fires, grown_fires, index_drop
from banet.evaluation.benchmark.greek import GREEK_DAYS, greek_cube, greek_reference, greek_scores, need_real
from banet.evaluation.benchmark.methods import WITHHELD
from banet.evaluation.scores import Scores
from banet.io.files import writing
from banet.io.tables import to_markdown

LAST_DAY = str(GREEK_DAYS[1] - 1)
FIRST_DAY = str(GREEK_DAYS[0])


def baselines(real: Path, folder: Path) -> list[Scores]:
    """Score what needs no network, and how the protocol bears on the first of them."""
    reference = greek_reference(real)
    cube = greek_cube(real, folder / "baselines.zarr")
    fires = active_fires(cube, FIRST_DAY, LAST_DAY)
    grown = grown_fires(cube, FIRST_DAY, LAST_DAY, days=5)
    hybrid = grown_fires(cube, FIRST_DAY, LAST_DAY, days=5, confirm=True)
    drop = index_drop(cube, FIRST_DAY, LAST_DAY, days=4)
    return [
        greek_scores(fires, reference, name="active fires"),
        greek_scores(fires, reference, name="active fires, no cell left out", exclude_within=None),
        greek_scores(fires, reference, name="active fires, at least 0.25 burned", reference_threshold=0.25),
        greek_scores(grown, reference, name="grown active fires"),
        greek_scores(hybrid, reference, name="grown and confirmed active fires"),
        greek_scores(drop, reference, name="index drop"),
    ]


def networks(real: Path, folder: Path, weights: list[str], length: int) -> list[Scores]:
    """Score maps by a network, with all inputs and with each kind withheld."""
    from banet.mapping import map_burned

    reference = greek_reference(real)
    found = []
    whole = greek_cube(real, folder / "networks.zarr")
    for inputs, withheld in WITHHELD.items():
        cube = whole.without(*withheld)
        # The seamless tiling maps only what was observed; without images nothing is.
        tiling = "original" if inputs == "no images" else "seamless"
        for one in weights:
            burnmap = map_burned(cube, "2021-08", "2021-08", one.split(","), length=length, tiling=tiling)
            found.append(greek_scores(burnmap, reference, name=f"{Path(one).stem}, {inputs}"))
    return found


def report(scores: list[Scores]) -> str:
    return to_markdown([s.row() for s in scores])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", nargs="*", default=[], help="names or paths; an ensemble joined by commas"
    )
    parser.add_argument("--real", type=Path, help="folder of the real data")
    parser.add_argument("--length", type=int, default=64, help="days that the network sees")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args(arguments)
    try:
        real = need_real(given.real)
        with tempfile.TemporaryDirectory() as folder:
            scores = baselines(real, Path(folder))
            if given.weights:
                scores += networks(real, Path(folder), given.weights, given.length)
    except BanetError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(report(scores))
    if given.out:
        write(given.out, [s.to_dict() for s in scores])
    return 0


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    with writing(path) as part:
        part.write_text(json.dumps({"scene": "Greece, August 2021", "scores": rows}, indent=2) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
