"""`banet download`: satellite files, hot spots, label tiles and weights into a folder."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Parameter

from banet.cli.progress import progress, say

if TYPE_CHECKING:
    from cyclopts import App

    from banet.download import Client, Plan, Report


@Parameter(name="*")
@dataclass(frozen=True)
class Fetching:
    """Options of everything that is fetched.

    Attributes:
        dry_run: print the files and their bytes and fetch nothing; needs no login (hot spots: the FIRMS key).
        plan: print one line, files and bytes and the disk's room, and fetch nothing; needs as little as that.
        report: write what became of each file to this JSON file.
        config: settings that differ from the defaults, YAML.
    """

    dry_run: bool = False
    plan: bool = False
    report: Path | None = None
    config: Path | None = None

    def client(self, product: str | None = None) -> AbstractContextManager[Client]:
        """Give a client, logged in if it is to fetch a product that needs a login.

        Raises:
            InputError: if options do not go together.
        """
        from banet.download import connected, load_settings
        from banet.errors import InputError

        if self.dry_run and self.plan:
            raise InputError("give --dry-run or --plan, not both")
        if self.report is not None and (self.dry_run or self.plan):
            raise InputError("--report tells what became of files; --dry-run and --plan fetch none")
        settings, fetches = load_settings(self.config), not (self.dry_run or self.plan)
        return connected(settings, login=fetches and product is not None and settings.needs_login(product))

    def only_told(self, plan: Plan) -> bool:
        """Print what is planned if that is all that is asked for, and return whether it is."""
        lines = [plan.summary()] if self.plan else plan.lines() if self.dry_run else []
        for line in lines:
            say(line)
        return self.plan or self.dry_run


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
    fetching: Fetching = Fetching(),
) -> None:
    """Fetch VIIRS files of a region from NASA Earthdata, or from NOAA's public archive.

    The archive of NOAA wants no login. For NASA the login comes from EARTHDATA_TOKEN, or EARTHDATA_USERNAME
    and EARTHDATA_PASSWORD, or ~/.netrc, or is asked for on a terminal. What is there already is not fetched
    again.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        start: first day or month, YYYY-MM-DD or YYYY-MM.
        end: last day or month, included.
        out: folder for the files.
        product: viirs750-swath or viirs375-swath (or 750, 375), swaths with their geolocation; surface,
            tiles of surface reflectance; viirs750-sdr or viirs375-sdr (or sdr, sdr375), swaths of NOAA.
            `banet cube build --source` takes the same names.
        satellites: some of snpp,noaa20,noaa21; all that the settings name if left out.
        stream: standard files, near-real-time ones, or auto: the latter where the former are not there yet.
        night: also fetch granules that the catalogue flags as night.
        fetching: whether to fetch, or to say what would be.
    """
    from banet.days import parse_period
    from banet.download import plan_viirs
    from banet.grid.region import Region

    chosen: dict[str, Any] = {"product": product, "satellites": _listed(satellites), "stream": stream}
    box, (first, stop) = Region.load(region), parse_period(start, end)
    with fetching.client(product) as client:
        found = plan_viirs(client, box, first, stop - 1, out, **chosen, night=night)
        carry_out(client, found, "viirs", fetching)


def labels(
    region: str,
    *,
    start: str,
    end: str,
    out: Path,
    product: str = "MCD64A1",
    fetching: Fetching = Fetching(),
) -> None:
    """Fetch monthly burned-area tiles of a region from NASA Earthdata.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        start: first day or month, YYYY-MM-DD or YYYY-MM; the files are of whole months.
        end: last day or month, included.
        out: folder for the files.
        product: MCD64A1 or VNP64A1.
        fetching: whether to fetch, or to say what would be.
    """
    from banet.download import plan_labels
    from banet.grid.region import Region

    box = Region.load(region)
    with fetching.client(product) as client:
        carry_out(client, plan_labels(client, box, start, end, out, product=product), "labels", fetching)


def hotspots(
    region: str = "",
    *,
    start: str,
    end: str,
    out: Path,
    satellites: str = "",
    country: str = "",
    fetching: Fetching = Fetching(),
) -> None:
    """Fetch active fires from FIRMS: of a region with the key in FIRMS_MAP_KEY, or a country's years.

    Standard rows are taken where they exist and near-real-time ones after. Days that may still get rows are
    fetched again by the next run.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet; not needed with --country.
        start: first day or month, YYYY-MM-DD or YYYY-MM.
        end: last day or month, included.
        out: folder for the tables.
        satellites: some of snpp,noaa20,noaa21,modis; those that the settings name if left out.
        country: take the yearly archives of this country, which need no key.
        fetching: whether to fetch, or to say what would be.
    """
    from banet.days import parse_period
    from banet.download import firms_key, plan_archives, plan_hotspots
    from banet.errors import InputError
    from banet.grid.region import Region

    if bool(region) == bool(country):
        raise InputError("give a region, or a country with --country, and not both")
    (first, stop), chosen = parse_period(start, end), _listed(satellites)
    last = stop - 1
    with fetching.client() as client:
        if country:
            found = plan_archives(client, country, first, last, out, satellites=chosen)
        else:
            box = Region.load(region)
            found = plan_hotspots(client, firms_key(), box, first, last, out, satellites=chosen)
        carry_out(client, found, "hotspots", fetching)


def weights(
    *names: str,
    url: str = "",
    name: str = "",
    sha256: str = "",
    fetching: Fetching = Fetching(),
) -> None:
    """Fetch published weights into the cache, verified and converted, or weights of your own from an address.

    Args:
        names: published files, years such as banetv0.20-val2017, or all; the default ensemble if left out.
        url: address of a .safetensors, .pth or .pt file instead.
        name: what to call it.
        sha256: checksum that it must have.
        fetching: whether to fetch, or to say what would be.
    """
    from banet.download.weights import DEFAULT_ENSEMBLE, fetch_weights, plan_address, plan_weights
    from banet.errors import InputError

    if url and names:
        raise InputError("give names of published weights or --url, not both")
    if (name or sha256) and not url:
        raise InputError("--name and --sha256 go with --url; published weights have both already")
    with fetching.client() as client:
        if url:
            found = plan_address(url, name=name or None, sha256=sha256 or None)
        else:
            found = plan_weights(client, names or (DEFAULT_ENSEMBLE,))
        if fetching.only_told(found):
            return
        with progress("weights") as tell:
            result = fetch_weights(client, found, progress=tell)
    for file in result.fetched:
        say(f"{file}: {file.stat().st_size:,} bytes")
    _conclude(result, fetching.report)


def carry_out(client: Client, plan: Plan, title: str, fetching: Fetching = Fetching()) -> None:
    """Fetch what is planned, or print it; say what is missing and why.

    Raises:
        PartialFailureError: if files are missing.
        OutputError: if the folder or the disk stopped it.
    """
    from banet.download import fetch_all, remove_superseded

    if fetching.only_told(plan):
        return
    with progress(title) as tell:
        result = fetch_all(client, plan.jobs, progress=tell)
    result = result.with_notes(*plan.notes).with_failures(*plan.failed)
    if title == "hotspots":
        remove_superseded((*result.fetched, *result.present))
    _conclude(result, fetching.report)


def _conclude(result: Report, report_to: Path | None) -> None:
    if report_to is not None:
        result.write(report_to)
    for line in result.lines():
        sys.stderr.write(f"{line}\n")
    say(f"{len(result.fetched)} files fetched, {len(result.present)} were there")
    result.check()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
