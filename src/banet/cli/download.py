"""`banet download`: satellite files, hot spots, label tiles and weights into a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from banet.cli.progress import progress, say

if TYPE_CHECKING:
    from cyclopts import App

    from banet.download import Client, Plan, Report


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    from cyclopts import App

    group = App(name="download", help="Fetch satellite files, hot spots, label tiles and weights.")
    for command in (viirs, hotspots, labels, weights):
        group.command(command)
    root.command(group)


def viirs(
    region: str,
    *,
    start: str,
    end: str,
    out: Path,
    product: str = "viirs750-swath",
    satellites: str = "",
    stream: Literal["auto", "standard", "nrt"] = "auto",
    night: bool = False,
    dry_run: bool = False,
    plan: bool = False,
    report: Path | None = None,
    config: Path | None = None,
) -> None:
    """Fetch VIIRS files of a region from NASA Earthdata, or from NOAA's public archive.

    The archive of NOAA wants no login. For NASA the login comes from EARTHDATA_TOKEN, or EARTHDATA_USERNAME
    and EARTHDATA_PASSWORD, or ~/.netrc, or is asked for on a terminal. What is there already is not fetched
    again.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        start: first day, YYYY-MM-DD.
        end: last day, included.
        out: folder for the files.
        product: viirs750-swath or viirs375-swath (or 750, 375), swaths with their geolocation; surface,
            tiles of surface reflectance; viirs750-sdr or viirs375-sdr (or sdr, sdr375), swaths of NOAA.
            `banet cube build --source` takes the same names.
        satellites: some of snpp,noaa20,noaa21; all that the settings name if left out.
        stream: standard files, near-real-time ones, or auto: the latter where the former are not there yet.
        night: also fetch granules that the catalogue flags as night.
        dry_run: print the files and their bytes and fetch nothing; needs no login.
        plan: print one line, files and bytes and the disk's room, and fetch nothing; needs no login.
        report: write what became of each file to this JSON file.
        config: settings that differ from the defaults, YAML.
    """
    from banet.days import as_day
    from banet.download import connected, load_settings, plan_viirs
    from banet.grid.region import Region

    box, settings = Region.load(region), load_settings(config)
    with connected(settings, login=settings.needs_login(product) and not (dry_run or plan)) as client:
        found = plan_viirs(
            client,
            box,
            as_day(start),
            as_day(end),
            out,
            product=product,
            satellites=_listed(satellites),
            stream=stream,
            night=night,
        )
        carry_out(client, found, "viirs", dry_run=dry_run, summary=plan, report_to=report)


def labels(
    region: str,
    *,
    start: str,
    end: str,
    out: Path,
    product: str = "MCD64A1",
    dry_run: bool = False,
    plan: bool = False,
    report: Path | None = None,
    config: Path | None = None,
) -> None:
    """Fetch monthly burned-area tiles of a region from NASA Earthdata.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        start: first month, YYYY-MM.
        end: last month, included.
        out: folder for the files.
        product: MCD64A1 or VNP64A1.
        dry_run: print the files and their bytes and fetch nothing; needs no login.
        plan: print one line, files and bytes and the disk's room, and fetch nothing; needs no login.
        report: write what became of each file to this JSON file.
        config: settings that differ from the defaults, YAML.
    """
    from banet.download import connected, load_settings, plan_labels
    from banet.grid.region import Region

    box = Region.load(region)
    with connected(load_settings(config), login=not (dry_run or plan)) as client:
        found = plan_labels(client, box, start, end, out, product=product)
        carry_out(client, found, "labels", dry_run=dry_run, summary=plan, report_to=report)


def hotspots(
    region: str = "",
    *,
    start: str,
    end: str,
    out: Path,
    satellites: str = "",
    country: str = "",
    dry_run: bool = False,
    plan: bool = False,
    report: Path | None = None,
    config: Path | None = None,
) -> None:
    """Fetch active fires from FIRMS: of a region with the key in FIRMS_MAP_KEY, or a country's years.

    Standard rows are taken where they exist and near-real-time ones after. Days that may still get rows are
    fetched again by the next run.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet; not needed with --country.
        start: first day, YYYY-MM-DD.
        end: last day, included.
        out: folder for the tables.
        satellites: some of snpp,noaa20,noaa21,modis; those that the settings name if left out.
        country: take the yearly archives of this country, which need no key.
        dry_run: print the tables that would be fetched.
        plan: print one line, files and bytes and the disk's room, and fetch nothing; needs no login.
        report: write what became of each file to this JSON file.
        config: settings that differ from the defaults, YAML.
    """
    from banet.days import as_day
    from banet.download import connected, firms_key, load_settings, plan_archives, plan_hotspots
    from banet.errors import InputError
    from banet.grid.region import Region

    if bool(region) == bool(country):
        raise InputError("give a region, or a country with --country, and not both")
    first, last, chosen = as_day(start), as_day(end), _listed(satellites)
    with connected(load_settings(config)) as client:
        if country:
            found = plan_archives(client, country, first, last, out, satellites=chosen)
        else:
            box = Region.load(region)
            found = plan_hotspots(client, firms_key(), box, first, last, out, satellites=chosen)
        carry_out(client, found, "hotspots", dry_run=dry_run, summary=plan, report_to=report)


def weights(
    *names: str,
    url: str = "",
    name: str = "",
    sha256: str = "",
    dry_run: bool = False,
    plan: bool = False,
    report: Path | None = None,
    config: Path | None = None,
) -> None:
    """Fetch published weights into the cache, verified and converted, or weights of your own from an address.

    Args:
        names: published files, years such as banetv0.20-val2017, or all; the default ensemble if left out.
        url: address of a .safetensors, .pth or .pt file instead.
        name: what to call it.
        sha256: checksum that it must have.
        dry_run: print what would be fetched.
        plan: print one line, files and bytes and the disk's room, and fetch nothing; needs no login.
        report: write what became of each file to this JSON file.
        config: settings that differ from the defaults, YAML.
    """
    from banet.download import connected, load_settings
    from banet.download.weights import DEFAULT_ENSEMBLE, fetch_weights, plan_address, plan_weights
    from banet.errors import InputError

    if url and names:
        raise InputError("give names of published weights or --url, not both")
    if (name or sha256) and not url:
        raise InputError("--name and --sha256 go with --url; published weights have both already")
    with connected(load_settings(config)) as client:
        if url:
            found = plan_address(url, name=name or None, sha256=sha256 or None)
        else:
            found = plan_weights(client, names or (DEFAULT_ENSEMBLE,))
        if dry_run or plan:
            _print(found, summary=plan)
            return
        with progress("weights") as tell:
            result = fetch_weights(client, found, progress=tell)
    for file in result.fetched:
        say(f"{file}: {file.stat().st_size:,} bytes")
    _conclude(result, report)


def carry_out(
    client: Client,
    plan: Plan,
    title: str,
    *,
    dry_run: bool = False,
    summary: bool = False,
    report_to: Path | None = None,
) -> None:
    """Fetch what is planned, or print it; say what is missing and why.

    Raises:
        PartialFailureError: if files are missing.
        OutputError: if the folder or the disk stopped it.
    """
    from banet.download import fetch_all, remove_superseded

    if dry_run or summary:
        _print(plan, summary=summary)
        return
    with progress(title) as tell:
        result = fetch_all(client, plan.jobs, progress=tell)
    result = result.with_notes(*plan.notes).with_failures(*plan.failed)
    if title == "hotspots":
        remove_superseded((*result.fetched, *result.present))
    _conclude(result, report_to)


def _print(plan: Plan, *, summary: bool) -> None:
    for line in [plan.summary()] if summary else plan.lines():
        say(line)


def _conclude(result: Report, report_to: Path | None) -> None:
    if report_to is not None:
        result.write(report_to)
    for line in result.lines():
        sys.stderr.write(f"{line}\n")
    say(f"{len(result.fetched)} files fetched, {len(result.present)} were there")
    result.check()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
