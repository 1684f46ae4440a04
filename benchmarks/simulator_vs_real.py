"""Hold the simulator against real scenes: histograms, changes by fire, hot spots, dates.

    python benchmarks/simulator_vs_real.py --real DIR [--scenes 8] [--out FILE] [--pictures DIR]

Prints each statistic of the real data beside the simulated one with a distance: for distributions the
Wasserstein distance over the real standard deviation (0 is alike, 1 is one standard deviation apart), for
single numbers the ratio. `--real` is the folder of real files (see docs/real_files.md).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import plain_burns
import xarray as xr
from scipy.stats import wasserstein_distance

from banet.burned_area.burned_area import BurnedArea
from banet.grid.region import Region
from banet.io.files import writing
from banet.labels.mcd64a1 import read_mcd64a1
from banet.observations.hotspots import grid_frp, read_hotspots
from banet.observations.reflectance import mir_reflectance, planck_radiance
from banet.simulation import Scene, simulate, write_scene
from banet.simulation.climates import climate_named
from banet.simulation.ground import burned_per_day
from banet.simulation.observe import observations
from banet.simulation.overpasses import solar_zenith
from banet.simulation.spectra import Band, Cover
from banet.simulation.world import build_world

BANDS = ("red", "NIR", "SWIR 2.25")
CLOUDY = 0.2
_MOSTLY = 0.75
GREECE = Region("GREECE", (21.80, 37.17, 24.60, 38.50), 0.01)


@dataclasses.dataclass
class Season:
    """A scene in the form that all statistics take: (bands, days, rows, columns) and what burned."""

    light: np.ndarray
    frp: np.ndarray
    days: np.ndarray
    burned: np.ndarray
    date: np.ndarray
    land: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=8, help="simulated scenes of each kind")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--pictures", type=Path, help="folder for pictures")
    given = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    result: dict[str, dict[str, list[float]]] = {}
    true = greek_scene(given.real)
    made = [simulated_greece(seed) for seed in range(given.scenes)]
    result["Greece, August 2021"] = compare(greek_numbers([true]), greek_numbers(made))
    samples = {"Greece": ([true], made)}
    result["Belarus, 2023-08-30"] = compare(*(pair := belarus(given.real, given.scenes)))
    result["Dominican Republic, polygons"] = compare(*dominican(given.real, given.scenes))
    show(result)
    plain = {"Greece, real": plain_burns.drop_row([greek_twelve_days(true)])}
    plain |= plain_burns.drops_by_climate(given.scenes)
    scars = {"Portugal, MCD64A1": plain_burns.portuguese_scars(given.real)}
    scars |= plain_burns.scars_by_climate(3 * given.scenes)
    plain_burns.show_rows("Plain index drop on twelve days, 2.25 um", plain)
    plain_burns.show_rows("Scars", scars)
    if given.out:
        with writing(given.out) as part:
            whole = {**result, "Plain index drop on twelve days": plain, "Scars": scars}
            part.write_text(json.dumps(whole, indent=1) + "\n")
    if given.pictures:
        draw(given.pictures / "simulator_vs_real.png", samples["Greece"], pair)


def greek_scene(folder: Path) -> Season:
    data = xr.open_dataset(folder / "scenes" / "greece_south_2021-08.nc")
    days = data.time.values.astype("datetime64[D]")
    light = np.stack([data[n].values for n in ("red", "nir", "swir")]).astype(np.float32)
    tiles = sorted((folder / "labels").glob("VNP64A1.*.hdf"))
    labels = read_mcd64a1(tiles, GREECE, days[0] - 1, np.datetime64("2021-08-09"))
    table = read_hotspots(sorted((folder / "firms").glob("VIIRS_*_SP_2021-08-*.csv")))
    frp = np.stack([grid_frp(table, GREECE, day) for day in days])
    burned = np.nan_to_num(labels.burned_fraction)
    return Season(light, frp, days, burned, labels.burn_date, ~labels.water & labels.known)


def greek_twelve_days(scene: Season) -> tuple[np.ndarray, ...]:
    """Return NIR, 2.25 um, burned on 2 to 9 August, and land that did not burn, of the real scene."""
    return scene.light[1], scene.light[2], scene.burned >= 0.5, scene.land & (scene.burned == 0)


def greek_season(seed: int) -> tuple[Scene, BurnedArea]:
    """Simulate the days of the Greek scene with its bands, and labels as VNP64A1 would have them."""
    box = (21.8 + 0.2 * seed, 37.17, 23.08 + 0.2 * seed, 38.45)
    region = Region("SIM", tuple(round(v, 2) for v in box), 0.01)
    scene = simulate(region, "2021-08-03", 24, 700 + seed, "mediterranean", mir_band="M11", varied=True)
    with tempfile.TemporaryDirectory() as folder:
        write_scene(scene, folder, formats=("labels",))
        labels = read_mcd64a1(Path(folder) / "labels", region, scene.days[0], scene.days[-1])
    return scene, labels


def simulated_greece(seed: int) -> Season:
    """Return a season of `greek_season` in the form of the real one."""
    scene, labels = greek_season(seed)
    light = np.stack([scene.red, scene.nir, scene.mir])
    land = scene.world.surface.water < 0.01
    burned = np.nan_to_num(labels.burned_fraction)
    return Season(light, scene.frp, scene.days, burned, labels.burn_date, land)


def greek_numbers(seasons: list[Season]) -> dict[str, np.ndarray]:
    """Return distributions and numbers of seasons, pooled."""
    out: dict[str, list[np.ndarray]] = {}

    def add(name: str, values: object) -> None:
        out.setdefault(name, []).append(np.ravel(np.asarray(values, float)))

    for season in seasons:
        clear = season.light[0] < CLOUDY
        calm = season.land & (season.burned == 0)
        add("share of land brighter than 0.2 in red", [1 - clear[:, calm].mean()])
        medians = np.array([[_median(b[t][calm & clear[t]]) for t in range(len(b))] for b in season.light])
        for b, name in enumerate(BANDS):
            values = season.light[b][:, calm][clear[:, calm]]
            add(f"{name} of clear land", values[:: max(1, len(values) // 20000)])
            add(f"{name}: daily median, variation", [np.nanstd(medians[b]) / np.nanmean(medians[b])])
            spread = [_variation(season.light[b][t][calm & clear[t]]) for t in range(len(clear))]
            add(f"{name}: variation in space", [np.nanmean(spread)])
        for b, ratio in enumerate(_changes(season, clear, medians)):
            add(f"{BANDS[b]} after over before fire, rest taken off", ratio)
        mapped = season.burned >= 0.5
        # Only days of which both hot spots and labels tell.
        until = np.nanmax(season.date[mapped].astype(float)) if mapped.any() else np.nan
        seen = season.days.astype(float) <= until + 1
        hot = (season.frp[seen] > 0).any(0)
        add("log of FRP of a cell and day", np.log(season.frp[season.frp > 0]))
        add("days with a hot spot of a burned cell", (season.frp > 0).sum(0)[mapped & hot])
        add("log of FRP of a burned cell, all days", np.log(season.frp.sum(0)[mapped & hot]))
        add("cells burned by three quarters", [(season.burned >= _MOSTLY).sum()])
        add("of them without a hot spot", [((season.burned >= _MOSTLY) & ~hot).sum()])
        first = season.days[(season.frp > 0).argmax(0)]
        add("first hot spot less label date, days", (first - season.date)[mapped & hot].astype(float))
        both, total = (mapped & hot).sum(), mapped.sum() + hot.sum()
        add("hot and mapped cells", [both])
        add("hot plus mapped cells", [total])
    numbers = {name: np.concatenate(values) for name, values in out.items()}
    pair = numbers.pop("hot and mapped cells").sum(), numbers.pop("hot plus mapped cells").sum()
    numbers["Dice of hot spots against labels"] = np.array([2 * pair[0] / pair[1]])
    dark, burned = (
        numbers.pop(name).sum() for name in ("of them without a hot spot", "cells burned by three quarters")
    )
    numbers["share of cells burned by three quarters without a hot spot"] = np.array([dark / burned])
    return numbers


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) > 200 else np.nan


def _variation(values: np.ndarray) -> float:
    return float(values.std() / values.mean()) if len(values) > 200 else np.nan


def _changes(season: Season, clear: np.ndarray, medians: np.ndarray) -> list[list[float]]:
    """Return after/before of each wholly burned cell in each band, relative to the scene's median."""
    ratios: list[list[float]] = [[] for _ in season.light]
    for row, col in zip(*np.nonzero((season.burned > 0.9) & ~np.isnat(season.date))):
        day = int((season.date[row, col] - season.days[0]).astype(int))
        before = [t for t in range(max(day - 1, 0)) if clear[t, row, col]]
        after = [t for t in range(day + 1, min(day + 9, len(clear))) if clear[t, row, col]]
        if before and after:
            for b, values in enumerate(season.light):
                relative = values[:, row, col] / medians[b]
                ratios[b].append(float(np.nanmedian(relative[after]) / np.nanmedian(relative[before])))
    return ratios


def belarus(folder: Path, scenes: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Compare one overpass with a real 3.7 um channel, clear and cloudy."""
    data = xr.open_dataset(folder / "scenes" / "viirs_iband_belarus_2023-08-30T0918.nc")
    warm, cold = data.i04_bt.values, data.i05_bt.values
    # UTM zone 35 around 27 E: angles within a degree of those of the middle are enough here.
    sun = solar_zenith(np.datetime64("2023-08-30"), 9.3, np.array(27.5), np.array(53.8))
    mir = mir_reflectance(planck_radiance(warm, 3.7486), planck_radiance(cold, 11.4979), sun, "I4")
    mask = data.mvcm.values
    # The file's reflectance is that of Level 1B, not yet divided by the cosine of the solar zenith.
    light = 100 * np.cos(np.radians(sun))
    real = _cloudy_numbers(
        data.i01_ref.values / light, data.i02_ref.values / light, mir, mask == 3, mask == 0
    )
    climate = dataclasses.replace(
        climate_named("mediterranean"),
        box=(24, 51, 31, 56),
        clouds=0.45,
        winter_crop=205,
        peak_green=185,
        covers={Cover.EVERGREEN: 2.5, Cover.DECIDUOUS: 2.5, Cover.GRASS: 2, Cover.CROP: 4, Cover.URBAN: 0.3},
    )
    parts = []
    for seed in range(scenes):
        region = Region("SIM", (26.0, 53.0, 27.28, 54.28), 0.01)
        world = build_world(region, np.datetime64("2023-08-20"), 16, 800 + seed, climate)
        for view in observations(world):
            red, nir, made = view.reflectance
            land = world.surface.water < 0.01
            clear, cloud = (view.depth < 0.02) & land, view.depth > 0.3
            parts.append(_cloudy_numbers(red, nir, made, clear, cloud))
    return real, {name: np.concatenate([p[name] for p in parts])[::7] for name in real}


def _cloudy_numbers(
    red: np.ndarray, nir: np.ndarray, mir: np.ndarray, clear: np.ndarray, cloud: np.ndarray
) -> dict[str, np.ndarray]:
    numbers = {}
    for kind, where in (("clear", clear), ("cloud", cloud)):
        for name, plane in (("red", red), ("NIR", nir), ("MIR 3.7", mir)):
            values = plane[where]
            numbers[f"{name}, {kind}"] = values[np.isfinite(values)][:: max(1, len(values) // 20000)]
    return numbers


def dominican(folder: Path, scenes: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Compare reflectance before and after fire in MODIS bands 1, 2, 6, 7 with the simulator's."""
    name = folder / "labels" / "modis_burned_unburned_means_dominican.csv"
    table = pd.read_csv(name, sep=";", decimal=",", encoding="utf-8-sig")
    bands = {"red": 1, "NIR": 2, "SWIR 1.6": 6, "SWIR 2.2": 7}
    real = {}
    for band, number in bands.items():
        before, after = (table[f"BURNED_{when}B{number}"].dropna() / 1e4 for when in ("BEFORE", "AFTER"))
        real[f"{band} before"], real[f"{band} after"] = before.to_numpy(), after.to_numpy()
        real[f"{band} ratio"] = (after / before).to_numpy()
    climate = dataclasses.replace(
        climate_named("cerrado"),
        box=(-72, 18, -70, 20),
        clouds=0.1,
        fires=40,
        peak_green=320,
        covers={Cover.EVERGREEN: 4, Cover.DECIDUOUS: 2, Cover.SHRUB: 3, Cover.GRASS: 0.8, Cover.CROP: 0.3},
    )
    made: dict[str, list[float]] = {key: [] for key in real}
    for seed in range(scenes):
        world = build_world(
            Region("SIM", (-71.5, 18.5, -70.7, 19.3), 0.01), np.datetime64("2015-02-10"), 40, 900 + seed,
            climate, bands=(Band.RED, Band.NIR, Band.M10, Band.M11),
        )  # fmt: skip
        # The table is of surface reflectance: no air, haze or smoke.
        clean = dataclasses.replace(world.instrument, path=0 * world.instrument.path)
        thin = dataclasses.replace(world.weather, haze=0 * world.weather.haze)
        world = dataclasses.replace(world, instrument=clean, weather=thin)
        burned = burned_per_day(world.burns, 40, world.shape, world.subcells)
        place = burned[12:26].sum(0) > 0.9
        first, last = np.full((2, 4, *world.shape), np.nan, np.float32)
        for view in observations(world):
            clear = view.depth < 0.02
            if view.overpass.time_h < 24 * 12:
                first[:, clear] = view.reflectance[:, clear]
            elif view.overpass.time_h > 24 * 26:
                last[:, clear] = view.reflectance[:, clear]
        for b, band in enumerate(bands):
            before, after = first[b][place], last[b][place]
            made[f"{band} before"] += before.tolist()
            made[f"{band} after"] += after.tolist()
            made[f"{band} ratio"] += (after / before).tolist()
    return real, {key: np.array(v)[np.isfinite(v)] for key, v in made.items()}


def compare(real: dict[str, np.ndarray], made: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Return real 10/50/90 %, simulated 10/50/90 % and a distance for each statistic."""
    table = {}
    for name in real:
        values, other = (side[name][np.isfinite(side[name])] for side in (real, made))
        if len(values) > 1:
            distance = wasserstein_distance(values, other) / max(float(values.std()), 1e-9)
        else:
            distance = float(other.mean() / values[0])
        row = [*np.percentile(values, [10, 50, 90]), *np.percentile(other, [10, 50, 90]), distance]
        table[name] = [round(float(v), 4) for v in row]
    return table


def show(result: dict[str, dict[str, list[float]]]) -> None:
    for title, table in result.items():
        print(f"\n{title}\n{'':52s}{'real 10/50/90 %':>24s}{'simulated 10/50/90 %':>26s}  distance or ratio")
        for name, row in table.items():
            real, made = (" ".join(f"{v:7.3f}" for v in part) for part in (row[:3], row[3:6]))
            print(f"{name:52s} {real:>23s}   {made:>23s}   {row[6]:6.2f}")


def draw(path: Path, greece: tuple[list[Season], list[Season]], belarus_pair: tuple[dict, dict]) -> None:
    """Draw histograms of the real beside the simulated."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    real, made = (greek_numbers(part) for part in greece)
    names = [f"{b} of clear land" for b in BANDS] + [
        "NIR after over before fire, rest taken off",
        "SWIR 2.25 after over before fire, rest taken off",
        "log of FRP of a cell and day",
    ]
    panels = [(n, real[n], made[n]) for n in names]
    panels += [(f"Belarus: {n}", belarus_pair[0][n], belarus_pair[1][n]) for n in belarus_pair[0]]
    figure, axes = plt.subplots(4, 3, figsize=(11, 11), constrained_layout=True)
    for axis, (name, *sides) in zip(axes.flat, panels):
        a, b = (side[np.isfinite(side)] for side in sides)
        low, high = np.percentile(np.concatenate([a, b]), [0.5, 99.5])
        bins = np.linspace(low, high, 50)
        axis.hist(a, bins, density=True, color="#1b6ca8", alpha=0.55, label="real")
        axis.hist(b, bins, density=True, histtype="step", color="#c8401a", lw=1.6, label="simulated")
        axis.set_title(name, fontsize=9)
        axis.set_yticks([])
    axes.flat[0].legend(frameon=False)
    with writing(path) as part:
        figure.savefig(part, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    main()
