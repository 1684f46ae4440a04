"""Run the benchmarks that need no data of others, and record each under `benchmarks/results/`.

python -m benchmarks
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS = (
    "main_job",
    "engine_tile",
    "tile_stages",
    "less_work",
    "reuse",
    "margin",
    "scaling",
    "large_region",
    "granule_to_grid",
    "sources",
    "four_sources",
)


def main() -> int:
    failed = []
    for name in RUNS:
        print(f"== {name}", flush=True)
        words = [sys.executable, str(HERE / f"{name}.py"), "--out", str(HERE / "results" / f"{name}.json")]
        if subprocess.run(words, check=False).returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all done")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
