"""Burned-area tiles of a region: MCD64A1 and VNP64A1, one file a tile and month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from banet.days import as_month, month_range
from banet.download.client import Client
from banet.download.cmr import CatalogueEntry, search
from banet.download.flights import flown
from banet.download.plan import Plan
from banet.download.pool import Failure
from banet.download.viirs import job_of
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.sinusoidal import tile_of, tiles_of_region
from banet.io.counts import listed
from banet.io.files import PathLike

__all__ = ["plan_labels"]

Slot = tuple[tuple[int, int], np.datetime64]


def plan_labels(
    client: Client, region: Region, start: Any, end: Any, out: PathLike, *, product: str = "MCD64A1"
) -> Plan:
    """Search the burned-area tiles that touch a region.

    Args:
        client: connections and settings.
        region: its tiles are taken.
        start: first month, or a day in it.
        end: last month, included, or a day in it.
        out: folder for the files.
        product: `MCD64A1` or `VNP64A1`, as the settings name them.

    Raises:
        InputError: if the product is not known.
        NotFoundError: if the catalogue has nothing.
        TransferError: if the catalogue cannot be asked.
    """
    collection = client.settings.labels.get(product)
    if collection is None:
        raise InputError(
            f"no label product {product!r} to download; known are {', '.join(client.settings.labels)}"
        )
    months = month_range(as_month(start), as_month(end))
    first, stop = months[0].astype("datetime64[D]"), (months[-1] + 1).astype("datetime64[D]")
    satellite = client.settings.label_satellites.get(product, "")
    since, until, line = flown(client.settings, satellite, first, stop - 1)
    if until < since:
        raise NotFoundError(f"{product} ends with its satellite: {line}; take MCD64A1 or earlier months")
    tiles = set(tiles_of_region(region))
    failed: list[Failure] = []

    def tell(name: str, fault: str) -> None:
        failed.append(Failure(name, fault))

    newest: dict[Slot, CatalogueEntry] = {}
    for granule in search(client, collection, region, since, until + 1, broken=tell):
        if tile_of(granule.name) in tiles:
            newest[tile_of(granule.name), granule.day.astype("datetime64[M]")] = granule
    if not newest and not failed:
        raise NotFoundError(
            f"the catalogue has no {product} tile for region {region.name} from {months[0]} to {months[-1]}; "
            "the latest months come about two months late, or set labels in your settings"
        )
    jobs = tuple(job_of(newest[slot], out) for slot in sorted(newest))
    notes = [*([line] if line else []), *_gaps(product, newest, list(months))]
    return Plan(jobs, tuple(notes), tuple(failed))


def _gaps(product: str, newest: Mapping[Slot, CatalogueEntry], months: list[np.datetime64]) -> list[str]:
    """Months that a tile lacks while it has others; a tile without any may be all sea."""
    notes = []
    for h, v in sorted({tile for tile, _ in newest}):
        lacking = [str(month) for month in months if ((h, v), month) not in newest]
        if lacking:
            notes.append(f"{product} h{h:02}v{v:02}: the catalogue has no file of {listed(lacking, 6)}")
    return notes
