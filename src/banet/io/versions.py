"""Version of an installed package."""

from __future__ import annotations

import importlib.metadata

__all__ = ["version"]


def version(package: str = "banet") -> str | None:
    """Return the version of an installed package, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
