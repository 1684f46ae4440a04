"""`banet summarise`: hectares, fires and days of polygons, and progressions drawn from maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from banet.cli.progress import progress, say, say_json

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(summarise)


def summarise(
    *maps: Path,
    zones: Path,
    out: Path,
    by: Literal["month", "day", "cover"] | None = None,
    cover: Path | None = None,
    zone_field: str | None = None,
    zone_layer: str | None = None,
    min_hectares: float = 100.0,
    draws: int | None = None,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Sum what burned over polygons: hectares with an interval, fires, first and last day.

    The 80 % interval (low_ha to high_ha) comes from draws of the calibrated probabilities in which errors of
    near cells go together. Cells that were not observed are counted, zones outside the maps are told.

    Args:
        maps: NetCDF maps that 'banet map' wrote, or folders of them, of one region.
        zones: vector file of polygons; features of one name are one zone.
        out: .csv or .parquet file to write.
        by: one row a zone and month, day, or class of land cover; one row a zone if left out.
        cover: GeoTIFF or polygons of land cover, for --by cover.
        zone_field: field of the polygons with their names; the first of name, region, id if left out.
        zone_layer: layer of the file, where it has several.
        min_hectares: fires of less burned area are not counted as fires, and told.
        draws: also write that many whole dated progressions to {out}_draws.nc.
        seed: of the draws.
        json: print the rows of the table as JSON.
    """
    from banet.export.products import gathered
    from banet.io.tables import plain
    from banet.summary import (
        SummaryOptions,
        check_count,
        check_drawn,
        check_table_format,
        write_draws,
        write_table,
    )
    from banet.summary import summarise as table_of

    check_table_format(out)
    fields = {"by": by, "cover": cover, "zone_field": zone_field, "zone_layer": zone_layer}
    settings = {**fields, "min_hectares": min_hectares, "seed": seed}
    SummaryOptions.of_keywords("banet summarise", settings)
    if draws is not None:
        check_count(draws)
    read = gathered(list(maps))
    if draws is not None:
        check_drawn(read)
    table = table_of(read, zones, **settings)
    unseen = table.loc[table["not_observed_cells"].fillna(0) > 0, "zone"].nunique()
    file = write_table(table, out)
    count = f"{len(table)} rows, {table['zone'].nunique()} zones"
    facts = {"file": str(file), "rows": plain(table.to_dict("records")), "zones_not_seen_everywhere": unseen}
    if not json:
        say(f"{file}: {count}; {unseen} of them not observed everywhere")
    if draws is not None:
        with progress("draw") as report:
            path = out.with_name(f"{out.stem}_draws.nc")
            written = write_draws(read, path, draws, seed=seed, progress=report)
        facts["draws"] = str(written)
        if not json:
            say(f"{written}: {draws} progressions")
    if json:
        say_json(facts)
