"""Climates: where, when and how a region burns, named after the regions of Pinto et al. (2020).

The numbers are rounded from what is generally known of these regions (daytime cloud cover, dominant
covers, fire seasons and sizes); they set the character of a scene, not its statistics for a given year.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from banet.errors import InputError
from banet.simulation.spectra import Cover

__all__ = ["CLIMATES", "Climate", "climate_named"]


@dataclass(frozen=True)
class Climate:
    """A climate and its fires.

    Attributes:
        name: what a user types.
        box: west, south, east, north of the region that scenes lie in, degrees.
        season: first and last day of year on which a 64-day scene may start in training.
        clouds: mean daytime cloud cover, 0-1.
        cloud_spread: concentration of the daily cover about its mean; small means clear or overcast days.
        ice: share of cloud that is ice at its top.
        covers: weight of each land cover in the mosaic.
        peak_green: day of year on which grass is greenest; woody plants lag by 15 days.
        winter_crop: day of year on which most crops are harvested.
        drought: mean daily loss of greenness over a scene, fraction of the full range.
        fires: expected number of mapped fires per 10 000 cells and 64 days.
        size: median size of a fire in cells of about 1 km2.
        size_spread: standard deviation of the log of the size.
        big_fire: probability that a scene of 10 000 cells has one very large fire.
        days: mean duration of a fire of 100 cells, days.
        stubble: fraction of crop parcels that are burned in a scene.
        small_fires: expected number per 10 000 cells and day of fires too small to map (piles, gardens).
        wind: mean wind speed, m s-1.
        elongation: length to breadth of a fire in mean wind.
        islands: mean fraction left unburned inside a perimeter.
        static_heat: expected number of industrial heat sources per 10 000 cells.
        volcano: chance that a scene of 10 000 cells holds an active volcano.
        snow: whether snow may lie at the start of a scene.
        huge: share of very large fires that are huge, of some 1400 cells, thick and compact.
    """

    name: str
    box: tuple[float, float, float, float]
    season: tuple[int, int]
    clouds: float
    cloud_spread: float
    ice: float
    covers: dict[Cover, float]
    peak_green: int
    winter_crop: int
    drought: float
    fires: float
    size: float
    size_spread: float
    big_fire: float
    days: float
    stubble: float
    small_fires: float
    wind: float
    elongation: float
    islands: float
    static_heat: float
    volcano: float = 0.0
    snow: bool = False
    huge: float = 0.2


_C = Cover
CLIMATES: dict[str, Climate] = {
    climate.name: climate
    for climate in (
        Climate(
            "mediterranean", (-10, 36, 26, 44), (120, 250), 0.12, 1.2, 0.3,
            {_C.EVERGREEN: 4, _C.DECIDUOUS: 1.2, _C.SHRUB: 3.5, _C.GRASS: 1.2, _C.CROP: 1.8, _C.BARE: 0.4,
             _C.URBAN: 0.5},
            105, 175, 0.0015, 8, 2.5, 1.4, 0.75, 4.0, 0.01, 0.2, 5.0, 2.2, 0.07, 1.2, 0.04,
        ),
        Climate(
            "california", (-125, 32, -113, 43), (140, 270), 0.14, 1.4, 0.25,
            {_C.EVERGREEN: 3.5, _C.DECIDUOUS: 0.6, _C.SHRUB: 3, _C.GRASS: 2, _C.CROP: 1.2, _C.BARE: 1.2,
             _C.URBAN: 0.5},
            95, 200, 0.0012, 4, 3.0, 1.5, 0.7, 8.0, 0.004, 0.15, 5.0, 2.0, 0.18, 0.8,
        ),
        Climate(
            "cerrado", (-58, -20, -44, -5), (150, 255), 0.16, 1.1, 0.4,
            {_C.EVERGREEN: 3, _C.DECIDUOUS: 1.5, _C.SHRUB: 2, _C.GRASS: 3.5, _C.CROP: 2, _C.BARE: 0.2,
             _C.URBAN: 0.1},
            30, 190, 0.003, 55, 2.0, 1.4, 0.4, 3.0, 0.02, 0.6, 4.0, 1.8, 0.15, 0.4,
        ),
        Climate(
            "mozambique", (30, -27, 41, -10), (130, 270), 0.16, 1.1, 0.35,
            {_C.EVERGREEN: 0.8, _C.DECIDUOUS: 3.5, _C.SHRUB: 2, _C.GRASS: 4, _C.CROP: 1.5, _C.BARE: 0.2,
             _C.URBAN: 0.1},
            40, 130, 0.004, 100, 2.0, 1.3, 0.4, 2.5, 0.05, 1.0, 3.5, 1.6, 0.18, 0.2,
        ),
        Climate(
            "australia", (113, -27, 154, -10), (100, 290), 0.13, 1.1, 0.35,
            {_C.EVERGREEN: 1.2, _C.DECIDUOUS: 1.2, _C.SHRUB: 3, _C.GRASS: 5, _C.CROP: 0.1, _C.BARE: 1.0,
             _C.URBAN: 0.05},
            50, 150, 0.003, 25, 4.0, 1.5, 0.6, 5.0, 0.005, 0.3, 5.5, 2.2, 0.16, 0.2,
        ),
        Climate(
            "boreal", (-169, 56, -129, 70), (145, 215), 0.22, 1.1, 0.45,
            {_C.BOREAL: 6, _C.DECIDUOUS: 1.5, _C.SHRUB: 2.5, _C.GRASS: 1.0, _C.BARE: 0.8,
             _C.URBAN: 0.02},
            195, 240, 0.0005, 4, 4.0, 1.5, 0.6, 14.0, 0.0, 0.05, 4.0, 1.7, 0.20, 0.1, 0.02, True,
        ),
    )
}  # fmt: skip


def climate_named(name: str) -> Climate:
    """Return a climate by its name.

    Raises:
        InputError: if there is none of that name.

    >>> climate_named("boreal").snow
    True
    """
    if name not in CLIMATES:
        close = difflib.get_close_matches(name, CLIMATES, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise InputError(f"there is no climate {name!r}; {hint}choose one of {', '.join(CLIMATES)}")
    return CLIMATES[name]
