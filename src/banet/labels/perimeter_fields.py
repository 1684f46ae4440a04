"""Names of the fields that hold the dates of fires, by inventory; options override them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = [
    "DAY_OF_YEAR_PARTS",
    "DAY_PARTS",
    "FIELDS",
    "MONTH_PARTS",
    "YEAR_PARTS",
    "DateFields",
    "found_field",
]


@dataclass(frozen=True)
class DateFields:
    """Fields of one inventory, in lower case.

    Attributes:
        inventory: where they are used.
        start: first day of a fire; where the first is empty in a row, the next counts.
        end: last day; likewise.
        needs: a further field that must be there, where the names alone say too little.
    """

    inventory: str
    start: tuple[str, ...]
    end: tuple[str, ...] = ()
    needs: str = ""


FIELDS = (
    DateFields("FEDS", ("tst", "t_st", "t"), ("ted", "t_ed"), needs="fireid"),
    DateFields("FIRED days", ("date",), needs="did"),
    DateFields("EFFIS", ("firedate", "initialdate"), ("finaldate",)),
    DateFields("MTBS", ("ig_date",), ("enddate", "end_date", "last_date")),
    DateFields("ICNF", ("dhinicio", "dh_inicio", "data_inicio", "data_ini"), ("dhfim", "dh_fim", "data_fim")),
    DateFields(
        "WFIGS",
        ("attr_firediscoverydatetime", "firediscoverydatetime", "discoverydatetime"),
        (
            "attr_fireoutdatetime",
            "attr_controldatetime",
            "attr_containmentdatetime",
            "fireoutdatetime",
            "containmentdatetime",
        ),
    ),
    DateFields("NBAC", ("hs_sdate", "ag_sdate"), ("hs_edate", "ag_edate")),
    DateFields("CNFDB", ("rep_date",), ("out_date",)),
    DateFields("FRAP", ("alarm_date",), ("cont_date",)),
    DateFields("FIRED", ("ignition_date", "ig_date"), ("last_date",)),
    DateFields(
        "any",
        (
            "startdate",
            "start_date",
            "initialdat",
            "date_start",
            "begindate",
            "begin_date",
            "fire_date",
            "ignitiondate",
            "burn_date",
            "burndate",
            "detection_date",
            "discovery_date",
            "fecha_inicio",
            "fecha_ini",
            "fecha",
            "date",
        ),
        ("enddate", "end_date", "date_end", "last_date", "finaldate", "fecha_fin", "out_date", "cont_date"),
    ),
    # When a perimeter was drawn or edited says least; taken where there is nothing else.
    DateFields("WFIGS perimeters", ("poly_polygondatetime", "poly_datecurrent", "perimeterdatetime")),
)
YEAR_PARTS = ("year", "fire_year", "fireyear", "year_", "yr")
MONTH_PARTS = ("startmonth", "start_month", "month", "mon")
DAY_PARTS = ("startday", "start_day", "day")
DAY_OF_YEAR_PARTS = ("julian_day", "julianday", "jday", "doy", "day_of_year", "dayofyear")

_SHAPEFILE = 10


def found_field(by_name: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return the fields of a table that have one of some names, in the order of the names.

    A shapefile keeps ten letters of a name.

    Args:
        by_name: the fields of the table by their names in lower case.
        names: in lower case.
    """
    found = []
    for name in names:
        field = by_name.get(name)
        if field is None and len(name) > _SHAPEFILE:
            field = by_name.get(name[:_SHAPEFILE])
        if field is not None and field not in found:
            found.append(field)
    return found
