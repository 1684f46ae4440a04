"""Memory that the C library keeps for the engine, and gives back when asked."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from banet.parallel.malloc import MMAP_THRESHOLD, TRIM_THRESHOLD, give_back, set_malloc

def held():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) // 1024

set_malloc({MMAP_THRESHOLD: 2**28, TRIM_THRESHOLD: 2**29})
before = held()
blocks = [np.ones(2**20) for _ in range(40)]  # 8 MiB each
last = np.ones(2**10)
del blocks
kept = held() - before
give_back()
print(kept, held() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what was freed")
def test_what_was_freed_is_given_back():
    words = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    kept, still = map(int, said.split())
    assert kept > 200
    assert still < 50
