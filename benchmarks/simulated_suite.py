"""Score baselines and weights on the fixed suite of simulated seasons.

    python benchmarks/simulated_suite.py [--weights NAME_OR_PATH ...] [--small] [--keep FOLDER] [--out FILE]

Prints the table over all seasons and Dice by climate. --small takes one season of each climate.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from banet.errors import BanetError
from banet.evaluation.suite import BASELINES, SMALL, SUITE, network, run_suite
from banet.files import writing


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", nargs="*", default=[], help="names or paths; an ensemble joined by commas"
    )
    parser.add_argument("--small", action="store_true", help="one season of each climate")
    parser.add_argument("--keep", type=Path, help="folder that keeps the simulated cubes")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args(arguments)
    methods = dict(BASELINES) | {Path(w).stem: network(w.split(",")) for w in given.weights}
    begun = time.perf_counter()
    try:
        result = run_suite(methods, SMALL if given.small else SUITE, folder=given.keep, progress=show)
        print(result.markdown())
        if given.out:
            with writing(given.out) as part:
                part.write_text(json.dumps(result.to_dict(), indent=2) + "\n")
    except BanetError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for method in methods:
        print(f"worst for {method}: {', '.join(result.worst(method))}")
    print(f"{time.perf_counter() - begun:.0f} s")
    return 0


def show(done: int, steps: int, message: str) -> None:
    print(f"{done}/{steps} {message}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
