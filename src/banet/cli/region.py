"""`banet region`: write and show regions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from banet.cli.progress import caution, tell
from banet.io.terminal import can_ask

if TYPE_CHECKING:
    from banet.grid.region import Region


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
    bbox: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    polygon: Path | None = None,
    where: str | None = None,
    layer: str | None = None,
    pixel_size: float = 0.01,
    dir: Path = Path(),  # noqa: A002
    force: bool = False,
    json: bool = False,
) -> None:
    """Write R_NAME.json: a box, or the one around polygons. It grows to whole cells.

    Where the file is there with another region, it asks on a terminal before it writes over it.

    Args:
        name: letters, digits, '_' and '-'.
        bbox: west,south,east,north in degrees; west may be greater than east across the antimeridian.
        polygon: vector file, such as one of countries; the box lies around what it holds.
        where: COLUMN=VALUE, to take only such polygons of the file.
        layer: of the file, where it has several.
        pixel_size: edge of a cell in degrees.
        dir: folder to write to.
        force: write over a file that holds another region, without asking.
        json: print the region and its file as JSON.
    """
    from banet.errors import InputError
    from banet.grid.region import Region

    if (bbox is None) == (polygon is None):
        raise InputError("give --bbox W,S,E,N or --polygon FILE, one of them")
    if polygon is None and (where is not None or layer is not None):
        raise InputError("--where and --layer choose polygons of a file: give them with --polygon")
    numbers = _numbers(bbox) if bbox is not None else _box_around(Path(str(polygon)), where, layer)
    made = Region.around(name, numbers, pixel_size)
    target = dir / f"R_{name}.json"
    there = Region.load(target) if target.exists() and not force else made
    if there != made and not _agreed(target, there):
        raise InputError(f"{target} holds another region; give another --dir, or --force to replace it")
    path = made.save(dir)
    if bbox is not None and any(abs(mine - asked) % 360 > 1e-9 for mine, asked in zip(made.bbox, numbers)):
        caution(f"the box grew to whole cells of {pixel_size:g} degree")
    tell({"path": path, **_facts(made)}, f"{path}: {_describe(made)}", json)


def _agreed(target: Path, there: Region) -> bool:
    """Ask on a terminal whether a file may be replaced; without one nobody agrees."""
    if not can_ask():
        return False
    sys.stderr.write(f"{target} holds {_describe(there)}; replace it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _numbers(bbox: str) -> tuple[float, float, float, float]:
    from banet.errors import InputError

    try:
        numbers = tuple(float(part) for part in bbox.split(","))
    except ValueError as error:
        raise InputError(f"--bbox {bbox!r} is not W,S,E,N in degrees") from error
    if len(numbers) != 4:
        raise InputError(f"--bbox {bbox!r} has {len(numbers)} numbers; W,S,E,N are four")
    return numbers


def _box_around(file: Path, where: str | None, layer: str | None) -> tuple[float, float, float, float]:
    """Return the box around the polygons of a file, or those of which a column has a value."""
    import numpy as np

    from banet.errors import InputError
    from banet.grid.polygons import box_around
    from banet.grid.vectors import read_polygons

    found = read_polygons(file, layer=layer, wide=True)
    for words in (*(f"{count} {reason} left out" for reason, count in found.left_out), *found.notes):
        caution(f"{found.name}: {words}")
    kept = np.ones(len(found.geometry), bool)
    if where is not None:
        column, equals, value = where.partition("=")
        if not equals or column not in found.table.columns:
            columns = ", ".join(str(name) for name in found.table.columns)
            raise InputError(f"--where {where!r} is no COLUMN=VALUE of {file.name}; its columns: {columns}")
        kept = (found.table[column].astype(str) == value).to_numpy(bool)
    if not kept.any():
        raise InputError(f"{file.name} holds no polygon{f' with {where}' if where else ''}")
    return box_around(found.geometry[kept])


def show(region: str, *, json: bool = False) -> None:
    """Show the grid and area of a region.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        json: print them as JSON.
    """
    from banet.grid.region import Region

    found = Region.load(region)
    tell(_facts(found), _describe(found), json)


def names(*, json: bool = False) -> None:
    """List the regions that ship with banet.

    Args:
        json: print them as JSON, a line each.
    """
    from banet.grid.region import Region

    for name in Region.shipped():
        show(name, json=json)


def _facts(region: Region) -> dict[str, Any]:
    rows, cols = region.shape
    return {**region.to_dict(), "rows": rows, "columns": cols, "km2": round(region.area_km2)}


def _describe(region: Region) -> str:
    box, facts = ",".join(f"{value:g}" for value in region.bbox), _facts(region)
    cells = f"{facts['rows']} x {facts['columns']} cells of {region.pixel_size:g} degree"
    return f"{region.name} [{box}] {cells}, {facts['km2']:,} km2"
