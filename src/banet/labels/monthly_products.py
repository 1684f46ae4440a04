"""Monthly burned-area products of ESA and Copernicus: names of files and layers, as data.

All of them give a day of year: 1-366 burned, 0 unburned, negative where nothing is known or can burn.
Sources: Fire_cci product user guide D4.2 (`JD`, `CL`, `LC`; -1 not observed, -2 not burnable), the C3S
pixel product (the same layers in one NetCDF), the collections of the Copernicus Land Monitoring Service
(300 m, versions 3 and 4: day of burn, flags below 0). FireCCISFD has tiles where FireCCI has areas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from banet.days import as_day, as_month
from banet.errors import InputError
from banet.labels.monthly_files import MonthlyFile, piece_of

__all__ = ["PRODUCTS", "Product", "named", "product_of", "stranger"]

_TIF = r"\.tiff?"
_FAMILIES = ("L3S_FIRE-BA", "c_gls_BA300")


@dataclass(frozen=True)
class Product:
    """One product in one format.

    Attributes:
        title: such as `FireCCI`; the sensor of the name follows it.
        example: name of a file, for messages.
        pattern: of names, with the groups date, place, version and, if it is in the name, sensor.
        date: names of the layer with the day of year, in a NetCDF.
        confidence: names of the layer with the confidence.
        fraction: names of the layer with the burned part of a pixel.
        beside: for rasters of one layer each: what to put in the place of what in the name for the others.
        water: whether -2 says that nothing can burn there; otherwise all flags say that nothing is known.
    """

    title: str
    example: str
    pattern: re.Pattern[str]
    date: tuple[str, ...] = ()
    confidence: tuple[str, ...] = ()
    fraction: tuple[str, ...] = ()
    beside: tuple[tuple[str, str, str], ...] = ()
    water: bool = True

    @property
    def netcdf(self) -> bool:
        """Whether all layers are in one NetCDF."""
        return bool(self.date)


def _cci(family: str, ending: str) -> re.Pattern[str]:
    return re.compile(
        rf"^(?P<date>\d{{8}})-{family}-L3S_FIRE-BA-(?P<sensor>[A-Za-z0-9_-]+)-(?P<place>AREA_[A-Za-z0-9]+)"
        rf"(?:-v\d+\.\d+)?-fv(?P<version>[\d.]*\d)(?:cds)?{ending}",
        re.IGNORECASE,
    )


def _clms(layer: str, ending: str) -> re.Pattern[str]:
    return re.compile(
        rf"^c_gls_BA300{layer}(?:-NTC)?_(?P<date>\d{{8}})\d{{4}}_(?P<place>[A-Z]+)_S3_V(?P<version>[\d.]*\d)"
        rf"{ending}",
        re.IGNORECASE,
    )


_LAYERS_CCI = (("confidence", r"-JD(?=[._-])", "-CL"),)
_LAYERS_CLMS = (("confidence", r"BA300-DOB", "BA300-CP"), ("fraction", r"BA300-DOB", "BA300-BF"))

PRODUCTS = (
    Product(
        "FireCCI",
        "YYYYMMDD-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif",
        _cci("ESACCI", rf"-JD.*{_TIF}$"),
        beside=_LAYERS_CCI,
    ),
    Product(
        "C3S",
        "YYYYMMDD-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1-JD.tif",
        _cci("C3S", rf"-JD.*{_TIF}$"),
        beside=_LAYERS_CCI,
    ),
    Product(
        "C3S",
        "YYYYMMDD-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1.nc",
        _cci("(?:C3S|ESACCI)", r"\.nc$"),
        date=("JD",),
        confidence=("CL",),
    ),
    Product(
        "CLMS BA300",
        "c_gls_BA300-NTC_YYYYMMDD0000_GLOBE_S3_V4.0.1.nc",
        _clms("", r"\.nc$"),
        date=("day_of_burn", "DOB", "dob", "dob_ntc", "BA_DOB"),
        confidence=("classification_probability", "CP", "cp", "cp_ntc"),
        fraction=("burned_fraction", "BF", "bf", "bf_ntc"),
        water=False,
    ),
    Product(
        "CLMS BA300",
        "c_gls_BA300-DOB-NTC_YYYYMMDD0000_GLOBE_S3_V4.0.1.tiff",
        _clms("-DOB", rf"{_TIF}$"),
        beside=_LAYERS_CLMS,
        water=False,
    ),
)


def product_of(name: str) -> tuple[Product, re.Match[str]] | None:
    """Return the product that a file's name belongs to, and its parts; None if to none."""
    for product in PRODUCTS:
        found = product.pattern.match(name)
        if found:
            return product, found
    return None


def stranger(name: str) -> str:
    """Return why a file of one of these products is none that is read; empty if it is, or of another."""
    family = next((family for family in _FAMILIES if family.lower() in name.lower()), None)
    if family is None or product_of(name) is not None:
        return ""
    read = ", ".join(product.example for product in PRODUCTS if family in product.example)
    return f"is of a burned-area product, but not named like a file of it that is read: {read}"


def named(path: Path) -> MonthlyFile:
    """Return what the name of a file says.

    Raises:
        InputError: if it is named like no product, or for a day that there is not.
    """
    known = product_of(path.name)
    if known is None:
        raise InputError(
            f"{path.name} is not named like {', '.join(product.example for product in PRODUCTS)}"
        )
    product, found = known
    sensor = found.groupdict().get("sensor")
    title = f"{product.title} {sensor}" if sensor else product.title
    if "ESACCI" in path.name.upper():
        title = f"FireCCI {sensor}"
    month = as_month(as_day(found["date"]))
    return MonthlyFile(month, piece_of(path, found["place"]), title, f"v{found['version']}", path)
