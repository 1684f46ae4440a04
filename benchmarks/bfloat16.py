"""Changes by bfloat16 in a map of the real Greek scene of August 2021 by the weights that ship.

    python benchmarks/bfloat16.py [--real FOLDER] [--out FILE.json]

The map is made in float32 and in bfloat16. Given are the largest and mean difference of the daily
probabilities, the cells burned in one map alone, how many cells that both burn are dated apart, and the
scores of both against VNP64A1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))


def mapped(cube, engine: str):
    """Return the map and the daily probabilities by block."""
    from banet.mapping import map_burned
    from banet.model import Engine, load_model

    blocks = []
    member = Engine([load_model("default")], engine)
    # Tiles of one size for both, so that their blocks are the same.
    burnmap = map_burned(cube, "2021-08", "2021-08", member, tile=448, on_block=blocks.append)
    return burnmap, [block.probability for block in blocks]


def measure(real: Path) -> dict[str, object]:
    from banet.evaluation.benchmark.greek import greek_cube, greek_reference, greek_scores

    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder) / "G.zarr")
        (exact, ours), (brief, theirs) = mapped(cube, "torch"), mapped(cube, "bfloat16")
    apart = np.concatenate([np.abs(a - b).ravel() for a, b in zip(ours, theirs, strict=True)])
    both = exact.burned & brief.burned
    reference = greek_reference(real)
    return {
        "largest_difference": float(apart.max()),
        "mean_difference": float(apart.mean()),
        "burned": [int(exact.burned.sum()), int(brief.burned.sum())],
        "burned_in_one_alone": int((exact.burned != brief.burned).sum()),
        "dated_apart": int((exact.burn_date != brief.burn_date)[both].sum()),
        "scores": [
            greek_scores(m, reference, name=n).to_dict() for n, m in (("float32", exact), ("bfloat16", brief))
        ],
    }


def main() -> None:
    from banet.evaluation.benchmark.greek import need_real

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, help="folder of the real data")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = measure(need_real(args.real))
    for name, value in found.items():
        print(name, {row["name"]: row["hard"]["dice"] for row in value} if name == "scores" else value)
    record(args.out, scene="Greece, August 2021", **found)


if __name__ == "__main__":
    main()
