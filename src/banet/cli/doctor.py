"""`banet doctor`: say what this installation can do, and what is in its way."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from banet.cli.progress import say
from banet.io.versions import version

if TYPE_CHECKING:
    from cyclopts import App

_NEEDED = (
    "torch",
    "numpy",
    "xarray",
    "zarr",
    "pyhdf",
    "h5py",
    "rasterio",
    "geopandas",
    "odc-geo",
    "pyresample",
    "distributed",
)
_EXTRA = ("pystac", "tensorboard")


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(doctor)


def doctor() -> int:
    """Check the installation; exit status 1 when something that banet needs is missing or broken."""
    import banet

    say(f"banet {banet.__version__}, Python {platform.python_version()}, {platform.machine()}")
    broken = [name for name in _NEEDED if not _report(name, needed=True)]
    for name in _EXTRA:
        _report(name, needed=False)
    broken += _readers()
    broken += _network()
    say("all is well" if not broken else f"broken or missing: {', '.join(broken)}")
    return 1 if broken else 0


def _report(name: str, *, needed: bool) -> bool:
    found = version(name)
    say(f"  {name:12} {found or ('MISSING' if needed else 'not installed (optional)')}")
    return found is not None


def _readers() -> list[str]:
    """Load the compiled readers: a wheel may be there and still not load."""
    import importlib

    broken = []
    for name in ("pyhdf.SD", "h5py", "rasterio", "pyproj", "pyogrio"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            broken.append(name)
            say(f"  {name} does not load: {error}")
    return broken


def _network() -> list[str]:
    import torch

    from banet.errors import BanetError
    from banet.model.engine import BACKENDS, choose_backend
    from banet.model.weights import load_model

    say(
        f"  cores {os.cpu_count()}, torch threads {torch.get_num_threads()}, CUDA {torch.cuda.is_available()}"
    )
    say(f"  engine {choose_backend()}")
    for name in BACKENDS:
        try:
            choose_backend(name)
        except BanetError as error:
            say(f"    --engine {name:13} {error}")
        else:
            say(f"    --engine {name:13} can run here")
    try:
        model = load_model("default")
    except BanetError as error:
        say(f"  default weights: {error}")
        return ["default weights"]
    say(f"  default weights {model.name}, sha256 {model.weights_sha256[:16]}")
    return []
