"""The download commands of the original, with its positional arguments, on today's archives.

The original ordered files cut to the region from a service that is gone; these fetch the whole swaths, which
`banet cube build` cuts to the region: of S-NPP, of all satellites on days that it lacks, or of those that
--satellites names.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.compat import _command, _parser, _region

if TYPE_CHECKING:
    from banet.days import Day
    from banet.download import Settings


def viirs750_download() -> None:
    """`banet_viirs750_download`: VIIRS swaths at 750 m."""
    run("750")


def viirs375_download() -> None:
    """`banet_viirs375_download`: VIIRS swaths at 375 m; their angles come in the same files."""
    run("375")


def run(product: str, argv: Sequence[str] | None = None) -> None:
    """Run one of the two commands and exit with its status."""
    parser = _parser(
        f"banet_viirs{product}_download",
        [
            ("region", "region name"),
            ("tstart", "first moment, 'yyyy-mm-dd' or 'yyyy-mm-dd HH:MM:SS'"),
            ("tend", "last moment; a day alone is included, 00:00:00 ends before that day"),
            ("path_save", "folder for the files"),
            ("regions_path", "folder with R_{region}.json"),
        ],
    )
    parser.add_argument(
        "--satellites", default="", help="some of snpp,noaa20,noaa21; S-NPP, or all on days that it lacks"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the files and fetch nothing")
    parser.add_argument("--config", type=Path, help="settings that differ from the defaults, YAML")
    _command(lambda arguments: _download(arguments, product), parser, argv)


def _download(arguments: argparse.Namespace, product: str) -> int:
    from banet.cli.download import Fetching, carry_out
    from banet.download import connected, load_settings, plan_viirs

    region = _region(arguments.regions_path, arguments.region)
    first, last = _days(arguments.tstart, arguments.tend)
    with connected(load_settings(arguments.config), login=not arguments.dry_run) as client:
        plan = plan_viirs(
            client,
            region,
            first,
            last,
            arguments.path_save,
            product=product,
            satellites=_satellites(arguments.satellites, client.settings, first, last),
        )
        carry_out(client, plan, "viirs", Fetching(dry_run=arguments.dry_run))
    return 0


def _satellites(asked: str, settings: Settings, first: Day, last: Day) -> tuple[str, ...]:
    """Satellites that were asked for, else S-NPP, or those of the settings where it lacks days."""
    from banet.download.flights import flown

    if asked:
        return tuple(asked.split(","))
    return () if flown(settings, "snpp", first, last)[2] else ("snpp",)


def _days(tstart: str, tend: str) -> tuple[Day, Day]:
    """First and last day of two moments, both included.

    Raises:
        InputError: if one is no moment, or the last is before the first.
    """
    from banet.days import as_day
    from banet.errors import InputError

    for moment in (tstart, tend):
        try:
            datetime.fromisoformat(moment)
        except ValueError as error:
            raise InputError(
                f"{moment!r} is no moment, such as '2020-08-01' or '2020-08-01 12:00:00'"
            ) from error
    first, last = as_day(tstart[:10]), as_day(tend[:10])
    if last > first and tend[10:].strip(" T") in {"00:00:00", "00:00"}:
        last = last - 1
    if last < first:
        raise InputError(f"tend {tend!r} is before tstart {tstart!r}")
    return first, last
