"""The command line as a module: `python -m banet`."""

from __future__ import annotations

from banet.cli import console

console()
