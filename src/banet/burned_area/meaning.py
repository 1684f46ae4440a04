"""Meaning of every number of a burned-area source: names, units, codes and what made it, said in one place.

Rasters, NetCDF files, QGIS styles, pictures, pages and STAC items take their words from here. What a number
means depends on what made it: with calibrated weights the confidence is what the burned fraction turned out
to mean, and the interval of a date holds the share of the probability that the calibration found; without,
the confidence is the burned fraction itself; products state their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from banet.burned_area import confidence
from banet.burned_area.burned_planes import (
    BURNED,
    NO_CONFIDENCE,
    NOT_OBSERVED,
    UNBURNED,
    WATER,
    BurnedPlanes,
)
from banet.burned_area.dating import NO_UNCERTAINTY, DatingRule
from banet.burned_area.evidence import CLASSES, NO_EVIDENCE, WITHIN

__all__ = [
    "BURNED",
    "DAYS_SINCE",
    "LAND",
    "NOT_OBSERVED",
    "NO_CONFIDENCE",
    "STAYS",
    "UNBURNED",
    "WATER",
    "Code",
    "Meaning",
    "burned_from",
    "by_network",
    "made_by",
    "meanings",
    "rows",
]


@dataclass(frozen=True)
class Code:
    """One value with a meaning of its own.

    Attributes:
        value: in rasters.
        flag: word of `flag_meanings`, without blanks.
        label: in legends.
    """

    value: int
    flag: str
    label: str


STATUS = (
    Code(UNBURNED, "unburned", "not burned"),
    Code(BURNED, "burned", "burned"),
    Code(NOT_OBSERVED, "not_observed", "not observed"),
    Code(WATER, "water", "water"),
)
# As in MCD64A1 (Giglio et al. 2018, user guide of collection 6.1, section 4).
_LAND = {code.value: code.flag.replace("_", " ") for code in STATUS if code.value != BURNED}
LAND = {code.value: code.label for code in STATUS}
"""Label of each status in legends, by value."""


@dataclass(frozen=True)
class Meaning:
    """Meaning of one plane.

    Attributes:
        name: of the plane, in files and in `BurnedArea`.
        title: a few words: band description, head of a column, title of an asset.
        words: what a value says, without the values that stand for something else.
        unit: for people.
        cf_unit: for UDUNITS; empty where values are dates or flags.
        span: first and last value that a raster of whole numbers may hold; None for other planes.
        codes: what single values stand for.
        nodata: value of a raster that means no data; None where NaN, NaT or nothing does.
        method: how the value was found; empty where it needs no words.
        attrs: further CF attributes.
    """

    name: str
    title: str
    words: str
    unit: str = ""
    cf_unit: str = ""
    span: tuple[int, int] | None = None
    codes: Mapping[int, str] = field(default_factory=dict)
    nodata: int | None = None
    method: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Line that explains all values of a raster, such as `0-100 = ...; 255 = not observed or water`."""
        codes = [f"{value} = {meaning}" for value, meaning in self.codes.items()]
        said = self.words if self.span is None else f"{self.span[0]}-{self.span[1]} = {self.words}"
        return "; ".join([said, *codes])

    def cf(self) -> dict[str, Any]:
        """Return the CF attributes of the plane."""
        held = {"long_name": self.words, "units": self.cf_unit, "comment": self.method}
        return {name: value for name, value in held.items() if value} | dict(self.attrs)


DAYS_SINCE = Meaning(
    "days_since",
    "days observed after burning",
    "days on which the cell was observed after its burn date, up to the last day of the map",
    "days",
    "1",
    span=(0, 254),
    codes={NO_UNCERTAINTY: "not burned"},
    nodata=NO_UNCERTAINTY,
    method="the more such days, the less the date and the burning itself will change",
)
"""Plane of a map in near real time that says how far each burned cell is settled."""

STAYS = Meaning(
    "stays",
    "chance to stay",
    "share of the cells seen since on as many days that were still burned 30 days later, in a replay",
    "percent",
    "percent",
    span=(0, 100),
    codes={NO_UNCERTAINTY: "not burned"},
    nodata=NO_UNCERTAINTY,
    method="follows from days_since alone",
)
"""Plane of a map in near real time with the precision that a replay measured for each age."""


def meanings(source: BurnedPlanes) -> dict[str, Meaning]:
    """Return the meaning of each plane of a source by its name, from what made it."""
    dating = DatingRule.of(source.attrs.get("calibration")) if by_network(source) else None
    found = (
        _burned_fraction(dating, capped=source.attrs.get("water") in _WATER_KNOWN),
        _burn_date(dating),
        _burn_doy(dating),
        _uncertainty(dating, source.attrs.get("calibration")),
        _confidence(source),
        *([_OVER_TENTH] if confidence.has_tenth(source) else []),
        *([] if source.evidence is None else [_EVIDENCE]),
        *([] if source.first_look is None else [_FIRST_LOOK]),
        _OBSERVED_DAYS,
        _WATER,
        _STATUS,
    )
    return {meaning.name: meaning for meaning in found}


def made_by(source: BurnedPlanes) -> str:
    """Return what a source was made from, in words."""
    if by_network(source):
        return "banet: daily satellite images and active fires, read by a neural network (BA-Net)"
    return f"banet: {source.attrs.get('method', source.name)}"


def burned_from(source: BurnedPlanes) -> str:
    """Return from which part of a cell on it counts as burned, in words.

    A map with a threshold of 0.5 says `at least 50 % of the cell`.
    """
    if source.threshold:
        return f"at least {source.threshold:.0%} of the cell"
    if source.dated_from:
        return f"any part, from cells of its first grid that burned by at least {source.dated_from:.0%}"
    return "any part of the cell"


def rows(source: BurnedPlanes) -> list[dict[str, str]]:
    """Return a row a plane for tables: name, unit, what the values say and how they were found."""
    return [
        {"layer": meaning.title, "unit": meaning.unit, "values": meaning.text, "found as": meaning.method}
        for meaning in meanings(source).values()
    ]


def by_network(source: BurnedPlanes) -> bool:
    """Return whether a network made it, so that its burned fractions are probabilities."""
    return "calibration" in source.attrs or "weights" in source.attrs


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _burned_fraction(dating: DatingRule | None, *, capped: bool) -> Meaning:
    most = "the part of the cell that is land" if capped else "1"
    whole = "" if dating is None or dating.quantile is None else ", burns across an edge of the period whole"
    return Meaning(
        "burned_fraction",
        "burned fraction",
        "fraction of the cell that burned",
        "0-1",
        "1",
        method=""
        if dating is None
        else f"sum of the daily probabilities of the network{whole}, at most {most}",
        attrs={"standard_name": "burned_area_fraction", "cell_methods": "time: sum area: mean"},
    )


def _method_of_date(dating: DatingRule | None) -> str:
    if dating is None:
        return "as the source dates it"
    if dating.quantile is None:
        return "the day of the largest daily probability"
    share = _percent(dating.quantile)
    return (
        f"the first day of the period by which {share} of the summed daily probability is reached, as "
        "calibrated: the day of the fire itself, not of the first look at burned ground"
    )


def _burn_date(dating: DatingRule | None) -> Meaning:
    return Meaning(
        "burn_date",
        "burn date",
        "UTC day on which the cell burned",
        "day",
        method=_method_of_date(dating),
        attrs={"standard_name": "time", "units_metadata": "leap_seconds: none"},
    )


def _burn_doy(dating: DatingRule | None) -> Meaning:
    return Meaning(
        "burn_doy",
        "burn date",
        "day of year on which the cell burned (UTC)",
        "day of year",
        span=(1, 366),
        codes=_LAND,
        nodata=NOT_OBSERVED,
        method=_method_of_date(dating),
    )


def _uncertainty(dating: DatingRule | None, calibration: Mapping[str, Any] | None) -> Meaning:
    if dating is None:
        said = "days before or after the burn date, as the source states"
    else:
        said = f"days before or after the burn date that hold {_percent(dating.mass)} of the probability"
        if calibration:
            said += f", calibrated to hold {_percent(calibration.get('date_coverage', 0.8))} of true dates"
        said += ", 0 = the day itself, half a day either way"
    return Meaning(
        "uncertainty",
        "burn date uncertainty",
        said,
        "days",
        # xarray would read a variable in "days" as a span of time, not as a number.
        "day",
        span=(0, 254),
        codes={NO_UNCERTAINTY: "not burned" if dating is not None else "not burned or not stated"},
        nodata=NO_UNCERTAINTY,
    )


def _confidence(source: BurnedPlanes) -> Meaning:
    if source.stated_confidence is not None:
        said = "confidence in percent that the cell burned, as the source states it"
    elif source.attrs.get("calibration"):
        said = "confidence in percent that at least half of the cell burned, by the weights' calibration"
    else:
        said = "burned fraction of the cell in percent (not calibrated)"
    return Meaning(
        "confidence",
        "confidence",
        said,
        **_PERCENT,
    )


_PERCENT: dict[str, Any] = {
    "unit": "%",
    "cf_unit": "percent",
    "span": (0, 100),
    "codes": {NO_CONFIDENCE: "not observed or water"},
    "nodata": NO_CONFIDENCE,
    "attrs": {"valid_range": np.array([0, 100], np.uint8)},
}

_OVER_TENTH = Meaning(
    "over_tenth",
    "over a tenth burned",
    "probability in percent that more than a tenth of the cell burned, by the weights' calibration",
    method="from the cell and its eight neighbours; from 50 % on, more of the cells burned by more than a "
    "tenth than did not",
    **_PERCENT,
)

_EVIDENCE = Meaning(
    "evidence",
    "evidence",
    "what was known about the day of the cell: whether somebody looked for hot spots on at least half of the "
    f"days within {WITHIN} of it, and the looks, clouds or not, in {WITHIN} days on its poorer side",
    codes={number: words.replace("_", " ") for number, words in enumerate(CLASSES)}
    | {NO_EVIDENCE: "not known"},
    nodata=NO_EVIDENCE,
    method="confidence is calibrated by it where the weights hold a table for it",
    attrs={
        "flag_values": np.arange(len(CLASSES), dtype=np.uint8),
        "flag_meanings": " ".join(CLASSES),
    },
)

_FIRST_LOOK = Meaning(
    "first_look",
    "days to first look",
    "days from the burn date to the first look at the cell on a later day: what dates by the first look at "
    "burned ground, as VNP64A1 and MCD64A1 do, gives the burn date or a day up to so many later",
    "days",
    "day",
    span=(1, 254),
    codes={NO_UNCERTAINTY: "not burned or not seen again"},
    nodata=NO_UNCERTAINTY,
    method="the first later day on which red, NIR and MIR were all observed, red below 0.3",
)

_WATER_KNOWN = ("given", "cube", "estimated")
"""Sources of the water in a map of which what burned is at most its land."""

_OBSERVED_DAYS = Meaning("observed_days", "observed days", "days on which the cell was observed", "days", "1")
_WATER = Meaning(
    "water",
    "water",
    "whether the cell is water",
    attrs={"flag_values": np.array([0, 1], np.int8), "flag_meanings": "land water"},
)
_STATUS = Meaning(
    "status",
    "status",
    "what is known of the cell",
    codes=LAND,
    attrs={
        "standard_name": "status_flag",
        "flag_values": np.array([code.value for code in STATUS], np.int8),
        "flag_meanings": " ".join(code.flag for code in STATUS),
    },
)
