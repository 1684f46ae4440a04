"""`banet region`: write and show regions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from banet.cli.progress import caution, say


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    group = App(name="region", help="Write, list and show regions.")
    group.command(new)
    group.command(show)
    group.command(names, name="list")
    root.command(group)


def new(
    name: str,
    *,
    bbox: Annotated[str, Parameter(allow_leading_hyphen=True)],
    pixel_size: float = 0.01,
    dir: Path = Path(),  # noqa: A002
    force: bool = False,
) -> None:
    """Write R_NAME.json. A box that holds no whole number of cells grows to the next ones.

    Args:
        name: letters, digits, '_' and '-'.
        bbox: west,south,east,north in degrees; west may be greater than east across the antimeridian.
        pixel_size: edge of a cell in degrees.
        dir: folder to write to.
        force: write over a file that holds another region.
    """
    from banet.errors import InputError
    from banet.grid.region import Region

    try:
        numbers = tuple(float(part) for part in bbox.split(","))
    except ValueError as error:
        raise InputError(f"--bbox {bbox!r} is not W,S,E,N in degrees") from error
    if len(numbers) != 4:
        raise InputError(f"--bbox {bbox!r} has {len(numbers)} numbers; W,S,E,N are four")
    made = Region.around(name, numbers, pixel_size)
    target = dir / f"R_{name}.json"
    if target.exists() and not force and Region.load(target) != made:
        raise InputError(f"{target} holds another region; give another --dir, or --force to replace it")
    path = made.save(dir)
    if any(abs(mine - asked) % 360 > 1e-9 for mine, asked in zip(made.bbox, numbers)):
        caution(f"the box grew to whole cells of {pixel_size:g} degree")
    say(f"{path}: {_describe(made)}")


def show(region: str) -> None:
    """Show the grid and area of a region.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
    """
    from banet.grid.region import Region

    say(_describe(Region.load(region)))


def names() -> None:
    """List the regions that ship with banet."""
    from banet.grid.region import Region

    for name in Region.shipped():
        say(_describe(Region.load(name)))


def _describe(region: object) -> str:
    from banet.grid.region import Region

    assert isinstance(region, Region)
    rows, cols = region.shape
    area = float(region.cell_area_ha.sum()) * cols / 1e2
    box = ",".join(f"{value:g}" for value in region.bbox)
    return f"{region.name} [{box}] {rows} x {cols} cells of {region.pixel_size:g} degree, {area:,.0f} km2"
