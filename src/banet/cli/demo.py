"""`banet demo`: the whole chain on a simulated scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.progress import say

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(demo)


def demo(
    *, out: Path = Path("demo"), seed: int = 2020, climate: str = "mediterranean", weights: str = "default"
) -> None:
    """Simulate a scene as raw files, map it, score the map against the truth, write a report.

    Args:
        out: folder for files, cube, maps, pictures and report.
        seed: of the scene.
        climate: of the scene, such as mediterranean, california, cerrado, mozambique, australia, boreal.
        weights: name or path.
    """
    from banet.cli.demonstration import run_demo

    result = run_demo(out, seed=seed, climate=climate, weights=weights, say=say)
    say(f"\nreport: {result.report}")
    say(f"map:    {result.page}")
    say(f"maps:   {result.folder / 'maps'}")
