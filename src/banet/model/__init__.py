"""The network, its weights and its inference engines; knows no satellite files.

Names are imported when they are first used, so that reading a config does not cost an import of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from banet.model.config import BANetConfig, InputSpec
    from banet.model.engine import Engine, choose_backend
    from banet.model.inputs import normalise
    from banet.model.network import BANet, pad_to_multiple
    from banet.model.weights import list_weights, load_model, load_models, save_weights

_HOME = {
    "BANetConfig": "config",
    "InputSpec": "config",
    "Engine": "engine",
    "choose_backend": "engine",
    "normalise": "inputs",
    "BANet": "network",
    "pad_to_multiple": "network",
    "list_weights": "weights",
    "load_model": "weights",
    "load_models": "weights",
    "save_weights": "weights",
}

__all__ = [
    "BANet",
    "BANetConfig",
    "Engine",
    "InputSpec",
    "choose_backend",
    "list_weights",
    "load_model",
    "load_models",
    "normalise",
    "pad_to_multiple",
    "save_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
