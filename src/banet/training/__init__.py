"""Training: chips in, weights out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from banet.training.config import TrainingConfig, load_config
    from banet.training.loop import TrainingResult, train
    from banet.training.presets import fine_tuning, original

__all__ = ["TrainingConfig", "TrainingResult", "fine_tuning", "load_config", "original", "train"]

_HOMES = {
    "TrainingConfig": "config",
    "load_config": "config",
    "TrainingResult": "loop",
    "train": "loop",
    "fine_tuning": "presets",
    "original": "presets",
}


def __getattr__(name: str) -> Any:
    """Import on first use: torch takes seconds."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
