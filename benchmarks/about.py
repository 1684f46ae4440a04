"""Record of a benchmark: the machine and commit it ran on, and the memory a process held."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path


def about() -> dict[str, object]:
    """Return processor, cores, memory, versions, commit, and the load of the last minutes."""
    import torch

    words = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=10"]
    commit = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    build = f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {build}",
        "commit": commit,
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def record(out: Path | None, **content: object) -> None:
    """Write a result file, `about` first; nothing where no file is asked for."""
    if out is not None:
        out.write_text(json.dumps({**about(), **content}, indent=1) + "\n")


def titled(weights: Sequence[str]) -> dict[str, str]:
    """Return weights, given by name or path, by a name of which no two are alike.

    Runs all call their file weights.safetensors: those are told apart by their folders.
    """
    from banet.evaluation.benchmark import candidates

    return dict(zip((one.name for one in candidates(weights)), weights, strict=True))


def peak_mib() -> int:
    """Return the most memory that this process has held, MiB.

    On Linux not by `ru_maxrss`: a process starts with that of its parent.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(most / (2**20 if platform.system() == "Darwin" else 2**10))
    return round(int(status.split("VmHWM:")[1].split()[0]) / 2**10)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
