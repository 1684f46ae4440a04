"""Active fires as a VIIRS sees them: what is detected at each overpass, where it is put, and its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.grid.region import Region
from banet.simulation.confounders import Heat
from banet.simulation.fields import Field, stream
from banet.simulation.fire import Burns
from banet.simulation.overpasses import SATELLITES, SimulatedOverpass

__all__ = ["Detections", "detect", "frp_of_table", "frp_planes", "to_table"]

PIXEL_KM = 0.375
Places = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detections:
    """Detected fire pixels.

    Attributes:
        row, col: place in cells, fractions included.
        frp: radiative power, MW.
        time_h: hours since the scene's start.
        satellite: position in `overpasses.SATELLITES`.
        day: whether by day.
        kind: FIRMS type, 0 vegetation, 1 volcano, 2 static, 3 offshore.
        view: view zenith, degrees.
        fire: number of the fire, -1 where it is none.
    """

    row: Field
    col: Field
    frp: Field
    time_h: Field
    satellite: npt.NDArray[np.int8]
    day: npt.NDArray[np.bool_]
    kind: npt.NDArray[np.int8]
    view: Field
    fire: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Hot places that an overpass might detect; columns of the same length."""

    row: npt.NDArray[np.float64]
    col: npt.NDArray[np.float64]
    power: npt.NDArray[np.float64]
    kind: npt.NDArray[np.int8]
    fire: npt.NDArray[np.int32]
    overpass: npt.NDArray[np.int64]

    def take(self, which: npt.NDArray[np.generic]) -> _Candidates:
        return _Candidates(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def join(self, other: _Candidates) -> _Candidates:
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return _Candidates(*(np.concatenate(pair) for pair in pairs))


def detect(
    seed: int,
    burns: Burns,
    heat: Heat,
    overpasses: Sequence[SimulatedOverpass],
    subcells: int,
    shape: tuple[int, int],
    cloud: Callable[[SimulatedOverpass], Field],
    zenith: Callable[[npt.NDArray[np.int64], Places, Places], Places],
    cell_km: float,
) -> Detections:
    """Find what each overpass detects.

    Args:
        seed: of the scene.
        burns: the fires.
        heat: what is hot and no mapped fire.
        overpasses: of all satellites, day and night.
        subcells: fine steps per cell and direction.
        shape: (rows, columns).
        cloud: gives the optical depth of cloud of an overpass, (rows, columns); asked only where it is hot.
        zenith: gives the view zenith in degrees from positions in `overpasses`, rows and columns of places.
        cell_km: edge of a cell in km.
    """
    rng = stream(seed, 40)
    count = len(overpasses)
    nadir = zenith(np.arange(count), np.full(count, shape[0] / 2), np.full(count, shape[1] / 2))
    found = _fire_pixels(rng, burns, overpasses, nadir, subcells, shape, cell_km)
    found = found.join(_points(rng, heat, count, shape))
    inside = (found.row >= 0) & (found.row < shape[0]) & (found.col >= 0) & (found.col < shape[1])
    found = found.take(inside)
    found = found.take(np.argsort(found.overpass, kind="stable"))
    depth = np.zeros(len(found.row))
    edges = np.searchsorted(found.overpass, np.arange(count + 1))
    for i in np.flatnonzero(np.diff(edges)).tolist():
        part = slice(edges[i], edges[i + 1])
        depth[part] = cloud(overpasses[i])[found.row[part].astype(int), found.col[part].astype(int)]
    view = zenith(found.overpass, found.row, found.col)
    return _seen(rng, found, overpasses, depth, view)


def _fire_pixels(
    rng: np.random.Generator,
    burns: Burns,
    overpasses: Sequence[SimulatedOverpass],
    nadir: npt.NDArray[np.float64],
    subcells: int,
    shape: tuple[int, int],
    cell_km: float,
) -> _Candidates:
    """Gather the burning sub-cells of every overpass into the sensor's pixels."""
    hot = [burns.power_at(p.time_h) for p in overpasses]
    count = np.array([len(entries) for entries, _ in hot], np.int64)
    entries = np.concatenate([e for e, _ in hot]) if hot else np.zeros(0, np.int64)
    power = np.concatenate([p for _, p in hot]) if hot else np.zeros(0, np.float32)
    overpass = np.repeat(np.arange(len(overpasses)), count)
    flat = burns.index[entries]
    fine_cols = shape[1] * subcells
    # A pixel grows along the scan; aggregation keeps it below about 0.8 km.
    grow = np.minimum(1 / np.cos(np.radians(np.minimum(np.abs(nadir), 65))) ** 1.1, 2.1)
    step_row, step_col = PIXEL_KM * np.minimum(grow, 1.6) / cell_km, PIXEL_KM * grow / cell_km
    origin = rng.random((2, len(overpasses)))
    pix_row = _pixel(rng, flat // fine_cols, subcells, step_row[overpass], origin[0, overpass])
    pix_col = _pixel(rng, flat % fine_cols, subcells, step_col[overpass], origin[1, overpass])
    wide = int(pix_col.max(initial=0)) + 2
    tall = int(pix_row.max(initial=0)) + 2
    key = (overpass * tall + pix_row) * wide + pix_col
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    overpass = overpass[first]
    heat: Places = np.asarray(np.bincount(group, power, len(first)), np.float64)
    heat = heat * np.exp(rng.normal(0, 0.75, len(first)))
    steps = (step_row[overpass], step_col[overpass])
    found = _Candidates(
        (pix_row[first] - origin[0, overpass] + 0.5) * steps[0],
        (pix_col[first] - origin[1, overpass] + 0.5) * steps[1],
        heat,
        np.zeros(len(first), np.int8),
        burns.fire[entries[first]],
        overpass,
    )
    found = found.join(_bloom(rng, found, steps))
    sigma = (0.11 + 0.16 * (grow[found.overpass] - 1)) / cell_km
    row = found.row + rng.normal(0, 1, len(found.row)) * sigma
    col = found.col + rng.normal(0, 1.5, len(found.row)) * sigma
    return _Candidates(row, col, found.power, found.kind, found.fire, found.overpass)


def _pixel(
    rng: np.random.Generator,
    fine: npt.NDArray[np.int64],
    subcells: int,
    step: npt.NDArray[np.float64],
    origin: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    place = (fine + rng.random(fine.size, dtype=np.float32)) / subcells
    return (place / step + origin).astype(np.int64)


def _bloom(rng: np.random.Generator, found: _Candidates, steps: tuple[Places, Places]) -> _Candidates:
    """Light up neighbours of very hot pixels, whose glow reaches them."""
    chance = 0.18 * np.clip(np.log(np.maximum(found.power, 1) / 12) / 3, 0, 1)
    lit = np.flatnonzero(rng.random(len(found.row)) < chance)
    near = found.take(lit)
    return _Candidates(
        near.row + rng.choice([-1, 0, 1], lit.size) * steps[0][lit],
        near.col + rng.choice([-1, 1], lit.size) * steps[1][lit],
        near.power * rng.uniform(0.1, 0.5, lit.size),
        near.kind,
        near.fire,
        near.overpass,
    )


def _points(rng: np.random.Generator, heat: Heat, overpasses: int, shape: tuple[int, int]) -> _Candidates:
    """Draw when the static sources are hot, and the fires too small to map."""
    when, which = np.nonzero(rng.random((overpasses, len(heat.row))) < heat.chance)
    small = int(rng.poisson(heat.small_fires * shape[0] * shape[1] * overpasses / 4))
    row = np.append(heat.row[which] + rng.normal(0, 0.15, which.size), rng.uniform(0, shape[0], small))
    col = np.append(heat.col[which] + rng.normal(0, 0.15, which.size), rng.uniform(0, shape[1], small))
    power = np.append(heat.power[which], np.exp(rng.normal(1.0, 0.7, small)))
    return _Candidates(
        row,
        col,
        power * np.exp(rng.normal(0, 0.4, row.size)),
        np.append(heat.kind[which], np.zeros(small, np.int8)).astype(np.int8),
        np.full(row.size, -1, np.int32),
        np.append(when, rng.integers(0, max(overpasses, 1), small)).astype(np.int64),
    )


def _seen(
    rng: np.random.Generator,
    found: _Candidates,
    overpasses: Sequence[SimulatedOverpass],
    depth: Places,
    view: Places,
) -> Detections:
    """Keep what stands out of its background: about 1.1 MW at night, 4 MW by day at nadir."""
    by_day = np.array([p.day for p in overpasses], bool)[found.overpass]
    clear = np.exp(-0.45 * depth)
    threshold = np.where(by_day, 4.0, 1.1) * (1 + 1.5 * (view / 70) ** 2)
    power = found.power * clear
    odds = (power / threshold) ** 2.2
    keep = (rng.random(len(power)) < 0.95 * odds / (1 + odds)) & (clear > 0.05)
    lost = rng.random(len(overpasses)) < 0.02
    keep &= ~lost[found.overpass]
    number = found.overpass[keep]
    return Detections(
        found.row[keep].astype(np.float32),
        found.col[keep].astype(np.float32),
        np.maximum(power[keep], 0.1).astype(np.float32),
        np.array([p.time_h for p in overpasses], np.float32)[number],
        np.array([p.key[0] for p in overpasses], np.int8)[number],
        by_day[keep],
        found.kind[keep],
        np.abs(view[keep]).astype(np.float32),
        found.fire[keep],
    )


def frp_planes(found: Detections, days: int, shape: tuple[int, int]) -> Field:
    """Sum the power of vegetation fires per cell and UTC day, (days, rows, columns) MW, 0 where none."""
    use = found.kind == 0
    day = np.minimum(found.time_h[use] // 24, days - 1).astype(np.int64)
    key = (day * shape[0] + found.row[use].astype(np.int64)) * shape[1] + found.col[use].astype(np.int64)
    total = np.bincount(key, found.frp[use], days * shape[0] * shape[1])
    return total.reshape(days, *shape).astype(np.float32)


def frp_of_table(table: pd.DataFrame, region: Region, start: np.datetime64, days: int) -> Field:
    """Sum the power of the vegetation fires of a table as a reader of its file would, MW."""
    use = table[table["type"] == 0]
    row, col, inside = region.cells_of(use["longitude"].to_numpy(), use["latitude"].to_numpy())
    day = (use["acq_date"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    key = (day * region.shape[0] + row) * region.shape[1] + col
    cells = days * region.shape[0] * region.shape[1]
    total = np.bincount(key[inside], use["frp"].to_numpy()[inside], cells)
    return total.reshape(days, *region.shape).astype(np.float32)


def to_table(found: Detections, region: Region, start: np.datetime64, seed: int) -> pd.DataFrame:
    """Return the detections as a table with the columns of a FIRMS standard-processing file.

    `acq_time` is an integer without leading zeros, as in the real files; rows are in order of time.
    """
    rng = stream(seed, 41)
    n = len(found.frp)
    rows, cols = region.shape
    height = (region.north - region.south) / rows
    width = (region.east - region.west) / cols
    minutes = np.floor(found.time_h.astype(np.float64) * 60).astype("timedelta64[m]")
    time = start.astype("datetime64[m]") + minutes
    date = time.astype("datetime64[D]")
    clock = (time - date).astype(int)
    grow = 1 / np.cos(np.radians(np.minimum(found.view, 66)))
    brightness = np.clip(305 + 11 * np.log(found.frp) + rng.normal(0, 5, n), 295, 367)
    level = np.where(found.frp > 40, "h", np.where(rng.random(n) < 0.06, "l", "n"))
    return pd.DataFrame(
        {
            "latitude": np.round(region.north - found.row.astype(np.float64) * height, 5),
            "longitude": np.round((region.west + found.col.astype(np.float64) * width + 180) % 360 - 180, 5),
            "bright_ti4": np.round(brightness, 2),
            "scan": np.round(np.clip(0.32 * grow**1.0, 0.32, 0.80), 2),
            "track": np.round(np.clip(0.36 * grow**0.8, 0.36, 0.78), 2),
            "acq_date": date.astype(str),
            "acq_time": clock // 60 * 100 + clock % 60,
            "satellite": np.array(list(SATELLITES), dtype=object)[found.satellite],
            "instrument": "VIIRS",
            "confidence": level,
            "version": 2,
            "bright_ti5": np.round(rng.normal(293, 4, n) + np.where(found.day, 6, 0), 2),
            "frp": np.round(found.frp.astype(np.float64), 2),
            "daynight": np.where(found.day, "D", "N"),
            "type": found.kind.astype(np.int64),
        }
    )
