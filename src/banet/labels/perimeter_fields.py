"""Names of the fields that hold the dates of fires, by inventory; options override them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = [
    "DAY_OF_YEAR_PARTS",
    "DAY_PARTS",
    "FIELDS",
    "MONTH_PARTS",
    "OUTLINES",
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
        single: the first field that is there counts alone, since the others may say something else.
    """

    inventory: str
    start: tuple[str, ...]
    end: tuple[str, ...] = ()
    needs: str = ""
    single: bool = False

    def found(self, by_name: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Return the fields of a table with the first and with the last day; none if it is another's."""
        starts = found_field(by_name, self.start)
        if not starts or (self.needs and self.needs not in by_name):
            return [], []
        ends = found_field(by_name, self.end)
        return (starts[:1], ends[:1]) if self.single else (starts, ends)


OUTLINES = "outlines"
"""Fields that say when an outline was drawn or edited: taken where there is nothing else."""
FIELDS = (
    DateFields("FEDS", ("tst", "t_st", "t"), ("ted", "t_ed"), needs="fireid"),
    DateFields("FIRED days", ("date",), needs="did"),
    DateFields("EFFIS", ("firedate", "initialdate"), ("finaldate",)),
    DateFields("GWIS", ("idate",), ("fdate",), needs="fdate"),
    DateFields("MTBS", ("ig_date",), ("enddate", "end_date", "last_date")),
    DateFields(
        "ICNF",
        (
            "dhinicio",
            "dh_inicio",
            "datainicio",
            "data_inicio",
            "data_ini",
            "datahoraalerta",
            "dataalerta",
            "data_alerta",
        ),
        ("dhfim", "dh_fim", "datafim", "data_fim"),
    ),
    DateFields("CONAF", ("inicio", "fecha_inicio"), ("extincion", "fecha_extincion"), needs="extincion"),
    DateFields("Australia", ("ignition_date",), ("extinguish_date",)),
    DateFields("DBCA", ("fih_date1",)),
    DateFields(
        "WFIGS",
        ("attr_firediscoverydatetime", "firediscoverydatetime", "discoverydatetime", "discovery_datetime"),
        (
            "attr_fireoutdatetime",
            "attr_controldatetime",
            "attr_containmentdatetime",
            "fireoutdatetime",
            "containmentdatetime",
            "fire_out_datetime",
        ),
    ),
    DateFields("NBAC", ("hs_sdate", "ag_sdate"), ("hs_edate", "ag_edate")),
    DateFields("CNFDB", ("rep_date",), ("out_date",)),
    DateFields("FRAP", ("alarm_date",), ("cont_date",)),
    DateFields("FIRED", ("ignition_date", "ig_date"), ("last_date",)),
    DateFields(
        "any",
        (
            "start",
            "startdate",
            "start_date",
            "start_time",
            "startdatetime",
            "fire_start_date",
            "firestart",
            "fire_start",
            "first_day",
            "firstdate",
            "first_date",
            "initialdat",
            "date_start",
            "begindate",
            "begin_date",
            "fire_date",
            "ignitiondate",
            "burn_date",
            "burndate",
            "ignition",
            "detection_date",
            "det_date",
            "discovery_date",
            "discoverydate",
            "disc_date",
            "event_date",
            "eventdate",
            "fecha_inicio",
            "fecha_ini",
            "fechaini",
            "fecha_incendio",
            "fecha",
            "date_debut",
            "datedebut",
            "date_feu",
            "data_incendio",
            "data_incen",
            "data",
            "date",
            "date_",
        ),
        (
            "end",
            "enddate",
            "end_date",
            "date_end",
            "end_time",
            "enddatetime",
            "fire_end_date",
            "last_day",
            "lastdate",
            "last_date",
            "finaldate",
            "fecha_fin",
            "fechafin",
            "fecha_extincion",
            "fecha_ext",
            "date_fin",
            "datefin",
            "out_date",
            "cont_date",
        ),
        single=True,
    ),
    DateFields(
        OUTLINES,
        (
            "poly_polygondatetime",
            "poly_datecurrent",
            "perimeterdatetime",
            "perdattime",
            "perim_date",
            "date_cur",
            "datecurrent",
            "datecrnt",
            "capt_date",
            "capture_date",
        ),
        single=True,
    ),
)
YEAR_PARTS = ("year", "fire_year", "fireyear", "year_", "yr", "ano", "anno", "annee", "ig_year")
MONTH_PARTS = ("startmonth", "start_month", "month", "mon", "mes", "mese", "mois", "ig_month")
DAY_PARTS = ("startday", "start_day", "day", "dia", "giorno", "jour", "ig_day")
DAY_OF_YEAR_PARTS = (
    "julian_day",
    "julianday",
    "jday",
    "doy",
    "start_doy",
    "startdoy",
    "day_of_year",
    "dayofyear",
    "discovery_doy",
)

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
