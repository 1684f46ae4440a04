"""Scripts without a guard start processes that do not run them again."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import spawn
from pathlib import Path

import pytest

from banet.parallel.starting import without_script

BARE = """
from multiprocessing import get_context
from banet.parallel.starting import without_script
print("from the top", flush=True)
with without_script():
    process = get_context("spawn").Process(target=print, args=("child",))
    process.start()
process.join()
"""
DASK = """
from banet.parallel.cluster import connected
def double(number):
    return 2 * number
with connected(workers=1) as client:
    print("from the top", client.submit(double, 4).result(), flush=True)
"""


@pytest.mark.parametrize(("script", "said"), [(BARE, "from the top\nchild\n"), (DASK, "from the top 8\n")])
def test_a_script_without_a_guard_runs_once(tmp_path: Path, script: str, said: str) -> None:
    path = tmp_path / "script.py"
    path.write_text(script)
    command = [sys.executable, str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, said), done.stderr


def test_python_starts_processes_as_before_after_the_last_block() -> None:
    before = spawn.get_preparation_data
    with without_script():
        with without_script():
            assert spawn.get_preparation_data is not before
        assert spawn.get_preparation_data is not before
    assert spawn.get_preparation_data is before
