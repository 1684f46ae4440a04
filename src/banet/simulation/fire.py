"""Fires: where they start, how they spread hour by hour, and what heat they give.

Every fire is grown on the fine grid as a field of effort (the least travel time from its ignition over
fuel, barriers and wind) and cut where it has reached the size drawn for it. A curve of activity with a
daily cycle and good and bad days turns effort into hours. Ellipses and travel time after Richards 1990
(Int. J. Numer. Methods Eng. 30, 1163-1179) and Finney 2002 (Can. J. For. Res. 32, 1420-1424); radiative
energy of 2.7 MJ per kg of fuel after Wooster et al. 2005 (J. Geophys. Res. 110, D24311).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from banet.simulation.climates import Climate
from banet.simulation.fields import Field, correlated
from banet.simulation.land_surface import Surface
from banet.simulation.spectra import Cover, table

__all__ = ["Burns", "ignite"]

BEFORE_DAYS = 30
_BLOB_LIMIT = 500
_COMPACT_CELLS = 400
"""Sub-cells beyond which a fire gets compact."""
_LARGE = ((math.log(150), 0.9), (math.log(1800), 0.5))
"""Mean and deviation of the log of the size of a scene's largest fire, cells; the rarer kind last."""
_GRAPH_SIDE = 84
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Burns:
    """Every sub-cell that burned, in order of time.

    Attributes:
        index: flat index into the fine grid, (burned,) int64.
        hour: when the front reached it, hours since the scene's start; negative before it.
        fire: number of the fire.
        severity: share of the sub-cell's vegetation that was charred, 0-1.
        power: radiative power at the front, MW; it falls with `flaming` and then `smoulder`.
        residual: residual heat relative to the front's.
        smoulder: e-folding time of the residual heat, hours.
        spans: first and last hour of each fire, (fires, 2).
    """

    index: Index
    hour: Field
    fire: npt.NDArray[np.int32]
    severity: Field
    power: Field
    residual: Field
    smoulder: Field
    spans: Field

    def power_at(self, time_h: float) -> tuple[Index, Field]:
        """Return which entries are hot at a time and their power, MW."""
        first, last = np.searchsorted(self.hour, [time_h - 72, time_h])
        age = np.float32(time_h) - self.hour[first:last]
        flame = np.exp(-age / 1.3) + self.residual[first:last] * np.exp(-age / self.smoulder[first:last])
        power = self.power[first:last] * flame
        hot = np.flatnonzero(power > 0.04)
        return first + hot, np.asarray(power[hot], np.float32)


@dataclass(frozen=True)
class _Spark:
    row: int
    col: int
    hour: float
    cells: int
    hours: float
    wind: tuple[float, float]


class _Grower:
    """Grows fires one after the other; what has burned is a barrier to the next."""

    def __init__(self, rng: np.random.Generator, climate: Climate, surface: Surface, lon: float) -> None:
        self.rng, self.climate, self.lon = rng, climate, lon
        shape = surface.cover.shape
        self.arrival: Field = np.full(shape, np.inf, np.float32)
        self.fire: npt.NDArray[np.int32] = np.full(shape, -1, np.int32)
        self.cover = surface.cover
        self.speed: Field = table("spread")[surface.cover] * np.exp(-0.15 * surface.rough)
        self.noise = correlated(rng, shape, 12.0, 2.1)
        self.spans: list[tuple[float, float]] = []

    def grow(self, spark: _Spark) -> None:
        half = int(1.6 * math.sqrt(spark.cells) * self.climate.elongation**0.5) + 3
        rows, cols = self.arrival.shape
        r0, c0 = spark.row - half, spark.col - half
        rr, cc = np.arange(r0, r0 + 2 * half + 1), np.arange(c0, c0 + 2 * half + 1)
        # Outside the scene the edge's cover goes on, so that fires are cut by it and not squeezed.
        block = np.ix_(rr.clip(0, rows - 1), cc.clip(0, cols - 1))
        speed = np.where(np.isinf(self.arrival[block]), self.speed[block], np.float32(0))
        dy, dx = self.rng.integers(0, self.noise.shape[0]), self.rng.integers(0, self.noise.shape[1])
        noise = self.noise[np.ix_((rr + dy) % rows, (cc + dx) % cols)]
        # A crown fire of a hot week leaves less behind than the many that creep and die.
        burnt_out = (1 + spark.cells / _COMPACT_CELLS) ** -0.7
        speed = speed * np.exp(self.rng.uniform(0.25, 0.6) * noise * max(burnt_out, 0.3))
        effort = (
            _blob(speed, half, spark.wind)
            if spark.cells <= _BLOB_LIMIT
            else _travel(self.rng, speed, half, spark.wind)
        )
        islands = self.rng.uniform(0.2, 1.8) * self.climate.islands * burnt_out
        effort[(noise * 0.35 - self.noise[block]) > _upper(islands)] = np.inf
        self._write(effort, spark, (slice(max(-r0, 0), rows - r0), slice(max(-c0, 0), cols - c0)), (r0, c0))

    def _write(
        self, effort: Field, spark: _Spark, inside: tuple[slice, slice], corner: tuple[int, int]
    ) -> None:
        reachable = int(np.isfinite(effort).sum())
        if reachable == 0:
            return
        count = min(spark.cells, reachable)
        limit = np.partition(effort.ravel(), count - 1)[count - 1]
        progress, hours = _activity(self.rng, spark, self.lon)
        kept = effort[inside]
        burned = kept <= limit
        arrival = np.interp(kept[burned] / max(float(limit), 1e-6), progress, hours).astype(np.float32)
        r0, c0 = max(corner[0], 0), max(corner[1], 0)
        target = (slice(r0, r0 + kept.shape[0]), slice(c0, c0 + kept.shape[1]))
        self.arrival[target][burned] = arrival
        self.fire[target][burned] = len(self.spans)
        self.spans.append((float(hours[0]), float(hours[-1])))


def _upper(fraction: float) -> float:
    """Return the level that a field of variance 1.12 exceeds in a fraction of places."""
    from scipy.special import ndtri

    return float(1.06 * ndtri(1 - min(max(fraction, 1e-4), 0.6)))


def _activity(rng: np.random.Generator, spark: _Spark, lon: float) -> tuple[Field, Field]:
    """Return the curve from share of the effort done (0-1) to hours since the scene's start."""
    step = 0.5 if spark.hours < 48 else 1.0
    hours = np.arange(0, spark.hours + step, step)
    local = (spark.hour + hours + lon / 15) % 24
    daily = 0.12 + np.exp(-(((local - 15) / 4.0) ** 2))
    day = ((spark.hour + hours + lon / 15) // 24).astype(int)
    pulse = np.exp(rng.normal(0, 0.9, int(day.max() - day.min()) + 1))[day - day.min()]
    fade = np.exp(-1.2 * hours / max(spark.hours, 1e-6))
    done = np.concatenate([[0], np.cumsum(daily * pulse * fade)[:-1]])
    done = done / done[-1] if done[-1] > 0 else np.linspace(0, 1, len(hours))
    return done.astype(np.float32), (spark.hour + hours).astype(np.float32)


def _ellipse(wind: tuple[float, float]) -> tuple[float, float]:
    """Return eccentricity and heading (radians, in columns and rows) of a fire in a wind."""
    speed = math.hypot(*wind)
    ratio = 1 + 0.22 * speed
    return math.sqrt(1 - ratio**-2), math.atan2(wind[1], wind[0])


def _blob(speed: Field, half: int, wind: tuple[float, float]) -> Field:
    """Return the effort over a straight line from the centre: enough for small fires."""
    eccentric, heading = _ellipse(wind)
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    along = x * math.cos(heading) + y * math.sin(heading)
    distance = np.sqrt(x * x + y * y) + 0.3
    with np.errstate(divide="ignore"):
        effort = (distance - eccentric * along) / speed
    effort[half, half] = 0 if speed[half, half] > 0 else np.inf
    return np.asarray(effort, np.float32)


def _travel(rng: np.random.Generator, speed: Field, half: int, wind: tuple[float, float]) -> Field:
    """Return the least travel time from the centre; large windows are solved on a coarser grid."""
    factor = max(1, math.ceil((2 * half + 1) / _GRAPH_SIDE))
    coarse = ndimage.uniform_filter(speed, factor)[::factor, ::factor] if factor > 1 else speed
    start = (half // factor, half // factor)
    coarse = coarse.copy()
    coarse[start] = max(float(coarse[start]), 0.2)
    time = _dijkstra(rng, coarse, start, *_ellipse(wind))
    if factor > 1:
        finite = np.where(np.isfinite(time), time, np.float32(1e9))
        time = ndimage.zoom(finite, factor, order=1, grid_mode=True, mode="nearest")
        time = time[: speed.shape[0], : speed.shape[1]]
    time = time * np.float32(1.0)
    time[(speed <= 0) | (time > 1e7)] = np.inf
    return np.asarray(time, np.float32)


def _dijkstra(
    rng: np.random.Generator, speed: Field, start: tuple[int, int], eccentric: float, heading: float
) -> Field:
    rows, cols = speed.shape
    number = np.arange(rows * cols, dtype=np.int32).reshape(rows, cols)
    slow = 1 / np.maximum(speed, 1e-3)
    heads, tails, costs = [], [], []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1)):
        a = (slice(0, rows - dr), slice(max(-dc, 0), cols - max(dc, 0)))
        b = (slice(dr, rows), slice(max(dc, 0), cols + min(dc, 0)))
        mean = 0.5 * math.hypot(dr, dc) * (slow[a] + slow[b])
        toward = math.cos(math.atan2(dr, dc) - heading)
        ok = mean < 300
        for source, sink, factor in ((a, b, 1 - eccentric * toward), (b, a, 1 + eccentric * toward)):
            heads.append(number[source][ok])
            tails.append(number[sink][ok])
            costs.append(mean[ok] * factor)
    for parts, more in zip((heads, tails, costs), _spotting(rng, slow, eccentric, heading)):
        parts.append(more)
    row, col, cost = np.concatenate(heads), np.concatenate(tails), np.concatenate(costs)
    graph = sparse.csr_array((cost, (row, col)), shape=(rows * cols, rows * cols))
    time = np.asarray(csgraph.dijkstra(sparse.csr_matrix(graph), indices=[int(number[start])]))
    return time.astype(np.float32).reshape(rows, cols)


def _spotting(
    rng: np.random.Generator, slow: npt.NDArray[np.floating], eccentric: float, heading: float
) -> tuple[Index, Index, npt.NDArray[np.float64]]:
    """Return edges by which embers leap downwind, over barriers too: from, to and travel time."""
    rows, cols = slow.shape
    count = rng.poisson(0.01 * eccentric * slow.size)
    row, col = rng.integers(0, rows, count), rng.integers(0, cols, count)
    leap, way = rng.uniform(3, 9, count), heading + rng.normal(0, 0.25, count)
    to_row = np.rint(row + leap * np.sin(way)).astype(np.int64)
    to_col = np.rint(col + leap * np.cos(way)).astype(np.int64)
    inside = (to_row >= 0) & (to_row < rows) & (to_col >= 0) & (to_col < cols)
    row, col, to_row, to_col, leap = (x[inside] for x in (row, col, to_row, to_col, leap))
    catches = (slow[row, col] < 300) & (slow[to_row, to_col] < 300)
    cost = (1 - eccentric) * leap * 0.5 * (slow[row, col] + slow[to_row, to_col])
    return (row * cols + col)[catches], (to_row * cols + to_col)[catches], cost[catches].astype(np.float64)


def _sparks(
    rng: np.random.Generator,
    climate: Climate,
    surface: Surface,
    subcells: int,
    days: int,
    lon: float,
    wind: Field,
) -> list[_Spark]:
    burnable = np.flatnonzero((table("spread")[surface.cover[::3, ::3]] > 0).ravel())
    if burnable.size == 0:
        return []
    area = surface.cover.size / subcells**2
    span = (days + BEFORE_DAYS) / 64
    intensity = rng.gamma(1.2, 1 / 1.2)
    count = int(rng.poisson(climate.fires * area / 1e4 * span * intensity))
    size = np.exp(rng.normal(math.log(climate.size), climate.size_spread, count))
    large = rng.random() < 1 - (1 - climate.big_fire) ** (area / 1e4 * days / 64)
    if large:
        size = np.append(size, np.exp(rng.normal(*_LARGE[int(rng.random() < climate.huge)])))
    size = np.clip(size, 0.07, min(4000.0, 0.35 * area))
    cols = surface.cover[::3, ::3].shape[1]
    place = _places(rng, burnable, surface.cover[::3, ::3].ravel(), size)
    # The very large one falls into the scene's days, not before them.
    hour = rng.uniform(-24 * BEFORE_DAYS, 24 * days, len(size))
    if large:
        hour[-1] = rng.uniform(24, 24 * max(days - 4, 2))
    local = rng.normal(14.0, 3.5, len(size))
    hour = np.floor(hour / 24) * 24 + (local - lon / 15)
    hours = 24 * climate.days * (size / 100) ** 0.4 * np.exp(rng.normal(0, 0.5, len(size)))
    cover = surface.cover[::3, ::3].ravel()[place]
    hours = np.clip(hours * np.where((cover == Cover.GRASS) | (cover == Cover.CROP), 0.5, 1.0), 2.0, 24 * 25)
    sparks = []
    for i in np.argsort(hour):
        east, south = wind[min(max(int(hour[i] // 24), 0), days - 1)]
        row, col = (3 * int(n) for n in divmod(place[i], cols))
        cells = max(1, round(float(size[i]) * subcells**2))
        sparks.append(_Spark(row, col, float(hour[i]), cells, float(hours[i]), (float(east), float(south))))
    return sparks


def _places(
    rng: np.random.Generator, burnable: Index, cover: npt.NDArray[np.uint8], size: npt.NDArray[np.float64]
) -> Index:
    """Choose where fires start; large ones in forest and shrub, that is where they get large."""
    tries = rng.choice(burnable, (6, len(size)))
    fuel = table("fuel")[cover[tries]]
    wild = fuel[0] < np.where(size > 8, 1.0, 0.0)
    better = tries[fuel.argmax(0), np.arange(len(size))]
    return np.asarray(np.where(wild & (rng.random(len(size)) < 0.9), better, tries[0]), np.int64)


def _burn_stubble(grower: _Grower, surface: Surface, days: int) -> None:
    """Burn some crop parcels, each within an hour of an afternoon."""
    rng = grower.rng
    parcels = int(surface.parcel.max()) + 1
    chosen = np.flatnonzero(rng.random(parcels) < grower.climate.stubble * rng.uniform(0, 2))
    if chosen.size == 0:
        return
    hour = np.full(parcels, np.inf, np.float32)
    day = rng.integers(-10, days, chosen.size)
    hour[chosen] = 24 * day + rng.normal(14.5, 2.0, chosen.size) - grower.lon / 15
    burning = np.flatnonzero(
        (surface.cover == Cover.CROP).ravel() & np.isfinite(hour[surface.parcel]).ravel()
    )
    burning = burning[np.isinf(grower.arrival.ravel()[burning]) & (rng.random(burning.size) < 0.85)]
    if burning.size == 0:
        return
    number = surface.parcel.ravel()[burning]
    grower.arrival.ravel()[burning] = hour[number] + rng.uniform(0, 1, burning.size)
    used, fire = np.unique(number, return_inverse=True)
    grower.fire.ravel()[burning] = len(grower.spans) + fire
    grower.spans += [(float(hour[n]), float(hour[n]) + 1) for n in used]


def ignite(
    rng: np.random.Generator,
    climate: Climate,
    surface: Surface,
    subcells: int,
    days: int,
    lon: float,
    wind: Field,
    cell_area_ha: float,
) -> Burns:
    """Burn a scene, from `BEFORE_DAYS` before its start to its end.

    Args:
        rng: random stream of the fires.
        climate: how many, how large, how long.
        surface: what burns.
        subcells: fine steps per cell and direction.
        days: length of the scene.
        lon: longitude of its centre, which sets the hour of the afternoon.
        wind: (days, 2) m s-1 toward the east and the south.
        cell_area_ha: mean area of a cell.
    """
    grower = _Grower(rng, climate, surface, lon)
    for spark in _sparks(rng, climate, surface, subcells, days, lon, wind):
        grower.grow(spark)
    _burn_stubble(grower, surface, days)
    index = np.flatnonzero((grower.arrival < 24 * days).ravel())
    hour = grower.arrival.ravel()[index]
    order = np.argsort(hour, kind="stable")
    index, hour = index[order], hour[order]
    cover = surface.cover.ravel()[index]
    local = (hour + lon / 15) % 24
    fuel = table("fuel")[cover] * np.exp(rng.normal(0, 0.5, index.size))
    # All the fuel of the sub-cell burns within about 1.3 hours of the front's coming, faster by day.
    energy = fuel * cell_area_ha / subcells**2 * 1e4 * 2.7
    power = 1.7 * energy / (1.3 * 3600) * (0.45 + 0.75 * np.exp(-(((local - 15) / 5.0) ** 2)))
    # Some fires are hot and clean, others creep below a canopy or leave no embers.
    fire = grower.fire.ravel()[index]
    power *= np.exp(rng.normal(0, 0.45, len(grower.spans)))[fire]
    residual = 0.016 * np.exp(rng.normal(0, 0.8, len(grower.spans)))
    woody = np.isin(cover, [Cover.EVERGREEN, Cover.DECIDUOUS, Cover.BOREAL])
    patchy = grower.noise.ravel()[index]
    severity = np.clip(np.where(woody, 0.88, 0.95) + 0.12 * patchy, 0.25, 1.0)
    return Burns(
        index,
        hour,
        fire,
        severity.astype(np.float32),
        power.astype(np.float32),
        residual[fire].astype(np.float32),
        table("smoulder_hours")[cover],
        np.array(grower.spans, np.float32).reshape(-1, 2),
    )
