"""Names of months in the languages of agencies, whole or cut short."""

from __future__ import annotations

import unicodedata

import numpy as np

__all__ = ["named_month"]


def _plain(text: str) -> str:
    """Return text without capitals and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("ı", "i")


_MONTHS = tuple(
    frozenset(_plain(names).split())
    for names in (
        "january janeiro enero janvier gennaio januar januari ocak stycznia styczen ιανουαριου ιανουαριος"
        " января январь",
        "february fevereiro febrero fevrier febbraio februar februari subat lutego luty φεβρουαριου"
        " φεβρουαριος февраля февраль",
        "march marco marzo mars maerz marz maart mart marca marzec μαρτιου μαρτιος марта",
        "april abril avril aprile nisan kwietnia kwiecien απριλιου απριλιος апреля апрель",
        "may maio mayo mai maggio mei mayis maja μαιου μαιος мая май",
        "june junho junio juin giugno juni haziran czerwca czerwiec ιουνιου ιουνιος июня июнь",
        "july julho julio juillet luglio juli temmuz lipca lipiec ιουλιου ιουλιος июля июль",
        "august agosto aout augustus agustos sierpnia sierpien αυγουστου αυγουστος августа",
        "september setembro septiembre setiembre septembre settembre eylul wrzesnia wrzesien σεπτεμβριου"
        " σεπτεμβριος сентября сентябрь",
        "october outubro octubre octobre ottobre oktober ekim pazdziernika pazdziernik οκτωβριου οκτωβριος"
        " октября октябрь",
        "november novembro noviembre novembre kasim νοεμβριου νοεμβριος ноября ноябрь",
        "december dezembro diciembre decembre dicembre dezember aralik grudnia grudzien δεκεμβριου δεκεμβριος"
        " декабря декабрь",
    )
)
"""English, Portuguese, Spanish, French, Italian, German, Dutch, Turkish, Polish, Greek and Russian.

Listopad is November in Polish and October in Croatian, and so no name here.
"""


def named_month(name: str) -> float:
    """Return the number of a month given by name, or by its first three letters or more; NaN if none.

    >>> named_month("Agosto"), named_month("Aug."), named_month("Αυγούστου"), named_month("Jui")
    (8.0, 8.0, 8.0, nan)
    """
    plain = _plain(name).rstrip(".")
    found = {k for k, names in enumerate(_MONTHS, 1) if plain in names} or {
        k for k, names in enumerate(_MONTHS, 1) if len(plain) >= 3 and any(m.startswith(plain) for m in names)
    }
    return float(found.pop()) if len(found) == 1 else np.nan
