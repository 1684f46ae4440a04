"""Places where a network runs: the threads of a processor, or a CUDA device, and the memory they work in."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import Tensor

from banet.parallel.malloc import MMAP_THRESHOLD, TRIM_THRESHOLD, set_malloc

__all__ = ["BLOCK_BYTES", "ThreadTeam"]

BLOCK_BYTES = 4 << 20
"""Aim for the largest array inside a block on a processor; measured, flat between 1 and 8 MB."""

BAND_BYTES = 64 << 20
"""Aim for what the first stage gives at a time on a processor; measured, flat between 32 and 128 MB."""

_COLUMNS = 64
"""Cells across of what a network with a temporal context works on at a time on a processor: high blocks carry
few rows on."""

_CUDA_BYTES = 256 << 20
"""The same on a CUDA device, where blocks only bound the memory."""

_KEPT_BYTES = 32 << 20

_PARTS = 8
"""Rows are cut into at least so many blocks, so that up to so many threads are busy."""


class ThreadTeam:
    """Threads that each run torch on one core, or a CUDA device; and the memory that they work in.

    Networks use it in turn.

    Args:
        threads: how many; none start for a CUDA device.
        device: where to compute.
        whole: blocks as on a CUDA device, one after the other.
    """

    def __init__(self, threads: int, device: str = "cpu", *, whole: bool = False):
        self.threads, self.device = threads, torch.device(device)
        self._whole = whole or self.device.type != "cpu"
        self._pool, self._process = None if self._whole else _start(threads), os.getpid()
        self._kept: dict[int, Tensor] = {}

    @property
    def block_bytes(self) -> int:
        """Aim for the largest array inside a block."""
        return _CUDA_BYTES if self._whole else BLOCK_BYTES

    @property
    def band_bytes(self) -> int:
        """Aim for what the first stage gives at a time."""
        return _CUDA_BYTES if self._whole else BAND_BYTES

    @property
    def columns(self) -> int:
        """Cells across that a network with a temporal context works on at a time."""
        return 1 << 30 if self._whole else _COLUMNS

    @contextlib.contextmanager
    def exact(self) -> Iterator[None]:
        """Keep cuDNN from its own rounding of float32 to ten bits (TF32), and gradients out."""
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield

    def room(self, key: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Give an uninitialised array, in the memory that `key` had before if that is enough.

        Fresh memory costs more than filling it: the system hands it out page by page.
        """
        size = math.prod(shape)
        if key not in self._kept or self._kept[key].dtype != dtype or self._kept[key].numel() < size:
            self._kept.pop(key, None)
            self._kept[key] = torch.empty(size, dtype=dtype, device=self.device)
        return self._kept[key][:size].view(shape)

    def rest(self) -> None:
        """Drop the memory that is kept for arrays to come."""
        self._kept.clear()

    def blocks(self, rows: int, nbytes: int, work: Callable[[int, int], None]) -> None:
        """Run `work(start, stop)` over all rows, in blocks that fit the cache and keep every thread busy.

        Args:
            rows: how many.
            nbytes: size of the largest array that all rows together would take.
            work: called in any order, by any thread, in inference mode.
        """
        if self._whole:
            step = max(1, rows * self.block_bytes // nbytes)
            for start in range(0, rows, step):
                work(start, min(start + step, rows))
            return
        if self._pool is None or self._process != os.getpid():
            # A forked process has this object but none of its threads.
            self._pool, self._process = _start(self.threads), os.getpid()
        pool = self._pool
        # The same blocks for any usual number of threads: sums in another order are other bits.
        step = max(1, min(rows * BLOCK_BYTES // nbytes, -(-rows // max(_PARTS, self.threads))))

        def run(start: int) -> None:
            with torch.inference_mode():
                work(start, min(start + step, rows))

        jobs = [pool.submit(run, start) for start in range(0, rows, step)]
        # All must have stopped before an error goes up: they write to memory that the next tile uses.
        wait(jobs)
        for job in jobs:
            job.result()


def _start(threads: int) -> ThreadPoolExecutor:
    """Start the threads, leaving the caller's own setting of torch as it is."""
    _keep_freed_memory()
    before = torch.get_num_threads()
    ready = threading.Barrier(threads + 1)

    def start() -> None:
        torch.set_num_threads(1)
        ready.wait()

    pool = ThreadPoolExecutor(threads, thread_name_prefix="banet")
    for _ in range(threads):
        pool.submit(start)
    ready.wait()
    # The setting of a thread is also the default of threads to come: put that back.
    torch.set_num_threads(before)
    return pool


def _keep_freed_memory() -> None:
    """Let glibc keep what blocks free for those that follow: pages from the system are cleared every time.

    Its threshold grows to the size of what was mapped and freed, up to 32 MB, unless the environment sets it.
    The workers of dask do, to 64 KB: there it is set anew.
    """
    torch.empty(_KEPT_BYTES // 4 - 4096)
    if "MALLOC_TRIM_THRESHOLD_" in os.environ:
        set_malloc({MMAP_THRESHOLD: _KEPT_BYTES, TRIM_THRESHOLD: 2 * _KEPT_BYTES})
