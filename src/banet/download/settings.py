"""Every host, collection and limit of the downloads, as one frozen value read from YAML."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import os
from collections.abc import Mapping
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field

from banet.io.files import PathLike
from banet.io.settings import Frozen, over, read_fields
from banet.observations import product_name

__all__ = [
    "CONFIG_VARIABLE",
    "EarthdataSettings",
    "FirmsSettings",
    "NoaaSettings",
    "Settings",
    "Streams",
    "TransferSettings",
    "ViirsSettings",
    "WeightsSettings",
    "load_settings",
]

CONFIG_VARIABLE = "BANET_DOWNLOAD_CONFIG"

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError(f"{value!r} is no address; it must begin with https://")
    return value


def _collection(value: str) -> str:
    if len(value.split("/")) != 2 or not all(value.split("/")):
        raise ValueError(f"{value!r} is no collection; write it as SHORT_NAME/VERSION")
    return value


Address = Annotated[str, AfterValidator(_address)]
Collection = Annotated[str, AfterValidator(_collection)]


class TransferSettings(Frozen):
    """Limits and patience of fetching files.

    Attributes:
        parallel, per_host: files at once, in all and from one host.
        attempts: in a row without a byte of progress before a file fails.
        first_wait_s, longest_wait_s: between attempts, doubling.
        longest_retry_after_s: a host that asks for a longer wait fails the file.
        connect_timeout_s, read_timeout_s: of the network.
        header_timeout_s: until the last header of an answer is there, however many reads that takes.
        redirects: followed for one file.
        requests: for one file in all, whether they bring something or not.
        excess_bytes: that a body may bring beyond its announced size before it is cut off.
        largest_bytes: of a file whose size is announced nowhere.
        answer_bytes: of an answer that is held in memory, such as a page of the catalogue.
        refusal_bytes: that are read of the text of a refusal.
        idle_pages: of the catalogue in a row without a new entry.
        slowest_bytes_per_s, slow_window_s: a body slower than that over the window is given up.
    """

    parallel: Positive
    per_host: Positive
    attempts: Positive
    first_wait_s: Seconds
    longest_wait_s: Seconds
    longest_retry_after_s: Seconds
    connect_timeout_s: Seconds
    read_timeout_s: Seconds
    header_timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    redirects: Positive
    requests: Positive
    excess_bytes: Positive
    largest_bytes: Positive
    answer_bytes: Positive
    refusal_bytes: Positive
    idle_pages: Positive
    slowest_bytes_per_s: Seconds
    slow_window_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EarthdataSettings(Frozen):
    """NASA's catalogue and login.

    Attributes:
        search: granule search of the CMR, as `umm_json` (sizes and checksums) or `json`.
        page_size: granules a page.
        login: host of Earthdata login.
        token_path: on that host, gives a token for a user name and password.
        token_hosts: where the token may go; a name stands for itself and the hosts below it.
    """

    search: Address
    page_size: Positive
    login: Address
    token_path: str
    token_hosts: tuple[str, ...]


class Streams(Frozen):
    """Collections of one product and satellite: first the data, then what must come with it."""

    standard: tuple[Collection, ...] = ()
    nrt: tuple[Collection, ...] = ()


class ViirsSettings(Frozen):
    """Collections by product and satellite, and the satellites that are taken by default."""

    satellites: tuple[str, ...]
    products: dict[str, dict[str, Streams]]


class NoaaSettings(Frozen):
    """NOAA's public archive of SDR granules.

    Attributes:
        archives: address by satellite.
        products: for each product the collections of its parts, that of geolocation first.
    """

    archives: dict[str, Address]
    products: dict[str, dict[str, str]]


class FirmsSources(Frozen):
    """Names of a satellite's standard and near-real-time sources; None where there is none."""

    standard: str | None = None
    nrt: str | None = None


class FirmsSettings(Frozen):
    """Active fires; see the comments in `data/download.yaml`."""

    area: Address
    availability: Address | None
    max_days: Positive
    settle_days: Annotated[int, Field(ge=0)]
    standard_lag_days: Positive
    limit_wait_s: Seconds
    sources: dict[str, FirmsSources]
    satellites: tuple[str, ...]
    archive: Address
    archives: dict[str, str]


class WeightsSettings(Frozen):
    """Address of the published weights; `{name}` in it stands for one of them."""

    published: Address


class Settings(Frozen):
    """Settings that decide where downloads come from.

    Attributes:
        flights: first and last UTC day of a satellite's data; None where it still flies.
        label_satellites: the satellite with which a label product ends.
    """

    transfer: TransferSettings
    earthdata: EarthdataSettings
    viirs: ViirsSettings
    noaa: NoaaSettings
    flights: dict[str, tuple[dt.date, dt.date | None]]
    label_satellites: dict[str, str]
    labels: dict[str, Collection]
    firms: FirmsSettings
    weights: WeightsSettings

    @property
    def fetched(self) -> tuple[str, ...]:
        """Products of VIIRS that can be fetched."""
        return (*self.viirs.products, *self.noaa.products)

    def needs_login(self, product: str) -> bool:
        """Return whether a product of VIIRS, by any of its names, is behind the Earthdata login."""
        return product_name(product) not in self.noaa.products


def load_settings(path: PathLike | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the defaults, changed by `path`, or by the file that BANET_DOWNLOAD_CONFIG names.

    A file of one's own holds only what differs: mappings are merged, everything else is replaced.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is not YAML with named fields.
        InputError: if a field does not exist or a value does not fit.
    """
    shipped = importlib.resources.files("banet") / "data" / "download.yaml"
    fields = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    chosen = path or environ.get(CONFIG_VARIABLE)
    if chosen:
        fields = over(fields, _by_name(read_fields(chosen, "download settings")))
    return Settings.parse(fields, str(chosen or "download.yaml"))


def _by_name(fields: Any) -> Any:
    """Return settings with the products of `viirs` under their one name, whichever was written."""
    viirs = fields.get("viirs") if isinstance(fields, dict) else None
    products = viirs.get("products") if isinstance(viirs, dict) else None
    if not isinstance(viirs, dict) or not isinstance(products, dict):
        return fields
    return {**fields, "viirs": {**viirs, "products": {product_name(str(k)): v for k, v in products.items()}}}
