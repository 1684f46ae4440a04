"""VIIRS files of a region from NASA: swaths with their geolocation, and surface reflectance tiles.

Swaths of NOAA (SDR) are planned by `banet.download.noaa`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from banet.days import Day, as_day
from banet.download.client import Client
from banet.download.cmr import CatalogueEntry, search
from banet.download.flights import flown
from banet.download.noaa import plan_sdr
from banet.download.plan import Plan
from banet.download.pool import Failure
from banet.download.settings import Settings, Streams
from banet.download.transfer import FileJob
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.sinusoidal import tiles_of_region
from banet.io.files import PathLike
from banet.observations import product_name

__all__ = ["Stream", "plan_viirs"]

Stream = Literal["auto", "standard", "nrt"]
_SCENE = re.compile(r"\.(A\d{7})\.(\d{4}|h(\d{2})v(\d{2}))\.")
_MOST_NOTES = 20


@dataclass(frozen=True)
class _Scene:
    """The files of one overpass or tile and day, in the order of their collections."""

    key: tuple[str, str]
    granules: tuple[CatalogueEntry, ...]


def plan_viirs(
    client: Client,
    region: Region,
    start: Day,
    end: Day,
    out: PathLike,
    *,
    product: str = "viirs750-swath",
    satellites: Sequence[str] = (),
    stream: Stream = "auto",
    night: bool = False,
) -> Plan:
    """Search the VIIRS files of a region.

    Data come only with all that belongs to them: of a swath without its geolocation, or the other way round,
    a note says so and neither is fetched. Of several productions of a granule the newest is taken.

    Args:
        client: connections and settings.
        region: its box is searched; of surface reflectance its tiles are taken.
        start: first UTC day.
        end: last UTC day, included.
        out: folder for the files.
        product: `viirs750-swath`, `viirs375-swath` or `surface`, of NASA, or `viirs750-sdr` or
            `viirs375-sdr`, of NOAA and without a login; or another name of one of these.
        satellites: of the settings; by default those that they name.
        stream: `standard`, `nrt`, or `auto` for near real time where the standard files are not there yet;
            of NASA's.
        night: also take granules that the catalogue flags as night.

    Raises:
        InputError: if the product, a satellite or the days are not known or empty.
        NotFoundError: if the catalogue has nothing at all.
        TransferError: if the catalogue cannot be asked.
    """
    settings, product = client.settings.viirs, product_name(product)
    first, stop = as_day(start), as_day(end) + 1
    if product in client.settings.noaa.products:
        chosen = satellites or settings.satellites
        return plan_sdr(client, region, first, stop - 1, out, product, chosen, night=night)
    jobs: list[FileJob] = []
    notes: list[str] = []
    failed: list[Failure] = []

    def tell(name: str, fault: str) -> None:
        failed.append(Failure(name, fault))

    for satellite, streams in _chosen(client.settings, product, satellites).items():
        since, until, line = flown(client.settings, satellite, first, stop - 1)
        if line:
            notes.append(line)
        if until < since:
            continue
        scenes: dict[tuple[str, str], _Scene] = {}
        alone: dict[tuple[str, str], str] = {}
        for name, collections in _in_order(streams, stream):
            for scene in _scenes(client, collections, region, since, until + 1, night, tell):
                if len(scene.granules) == len(collections):
                    scenes.setdefault(scene.key, scene)
                else:
                    alone.setdefault(scene.key, _alone(scene, collections, name))
        if not scenes:
            notes.append(
                f"{satellite}: nothing of product {product} ({stream}) from {since} to {until} in "
                f"{region.name}"
            )
        lonely = [text for key, text in sorted(alone.items()) if key not in scenes]
        notes.extend(lonely[:_MOST_NOTES])
        if len(lonely) > _MOST_NOTES:
            notes.append(f"{satellite}: and {len(lonely) - _MOST_NOTES} more left out alike")
        jobs.extend(job_of(granule, out) for key in sorted(scenes) for granule in scenes[key].granules)
    if not jobs and not failed:
        raise NotFoundError(
            f"the catalogue has no {product} files for region {region.name} from {first} to "
            f"{stop - 1}: "
            f"{'; '.join(notes)}; try other days, --stream or --satellites, or set viirs.products in your "
            "settings"
        )
    return Plan(tuple(jobs), tuple(notes), tuple(failed))


def job_of(granule: CatalogueEntry, out: PathLike) -> FileJob:
    """Return what fetches a granule into a folder, with the login."""
    return FileJob(
        granule.url,
        Path(out) / granule.name,
        size=granule.size,
        checksum=granule.checksum,
        about=granule.about,
        login=True,
    )


def _chosen(settings: Settings, product: str, satellites: Sequence[str]) -> dict[str, Streams]:
    known = settings.viirs.products.get(product)
    if known is None:
        raise InputError(f"no VIIRS product {product!r} to fetch; known are {', '.join(settings.fetched)}")
    wanted = satellites or settings.viirs.satellites
    if strange := [name for name in wanted if name not in known]:
        raise InputError(
            f"product {product} has no satellite {', '.join(strange)}; known are {', '.join(known)}"
        )
    return {name: known[name] for name in wanted}


def _in_order(streams: Streams, stream: Stream) -> Iterable[tuple[str, tuple[str, ...]]]:
    if stream not in {"auto", "standard", "nrt"}:
        raise InputError(f"no stream {stream!r}; known are auto, standard, nrt")
    if stream in {"auto", "standard"} and streams.standard:
        yield "standard", streams.standard
    if stream in {"auto", "nrt"} and streams.nrt:
        yield "nrt", streams.nrt


def _scenes(
    client: Client,
    collections: tuple[str, ...],
    region: Region,
    start: Day,
    stop: Day,
    night: bool,
    broken: Callable[[str, str], None],
) -> list[_Scene]:
    """Bring together what belongs to an overpass, whole or not."""
    found: dict[tuple[str, str], dict[int, CatalogueEntry]] = defaultdict(dict)
    tiles = set(tiles_of_region(region))
    dark = set()
    for part, collection in enumerate(collections):
        for granule in search(client, collection, region, start, stop, broken=broken):
            name = _SCENE.search(granule.name)
            if name is None or (name[3] and (int(name[3]), int(name[4])) not in tiles):
                continue
            key = (name[1], name[2])
            # Names end in the time of production and come sorted: the last is the newest.
            found[key][part] = granule
            if granule.night:
                dark.add(key)
    return [
        _Scene(key, tuple(parts[i] for i in sorted(parts)))
        for key, parts in sorted(found.items())
        if night or key not in dark
    ]


def _alone(scene: _Scene, collections: tuple[str, ...], stream: str) -> str:
    names = [granule.name for granule in scene.granules]
    prefixes = [collection.split("/")[0] for collection in collections]
    lacking = [prefix for prefix in prefixes if not any(name.startswith(f"{prefix}.") for name in names)]
    what, when = " or ".join(lacking), ".".join(scene.key)
    return f"{names[0]}: the catalogue has no {what} of {when} ({stream}); left out"
