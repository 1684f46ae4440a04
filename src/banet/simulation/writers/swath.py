"""VIIRS Level-1B swaths: a 02 file of bands and a 03 file of geolocation for each granule of an overpass.

Groups, names, types and flags follow the NASA VIIRS Level-1B Product User Guide (May 2018). Only the scans
that touch the scene are written, over their whole width; pixels outside the scene carry the fill value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.grid.region import Region
from banet.io.files import writing
from banet.simulation.fields import Field
from banet.simulation.heat import radiances
from banet.simulation.observe import View, observations
from banet.simulation.overpasses import solar_zenith
from banet.simulation.scan import SCAN_SECONDS, Scans, scans_over
from banet.simulation.spectra import Band
from banet.simulation.writers.names import stamp

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write_img", "write_mod"]

PREFIX = {"N": ("VNP", "Suomi-NPP"), "N20": ("VJ1", "NOAA-20"), "N21": ("VJ2", "NOAA-21")}
FILL, MISSING, DELETED, LAST = 65535, 65534, 65533, 65527
GRANULE_MINUTES = 6
REFLECTIVE = (1.9991758e-05, 0.0)


@dataclass(frozen=True)
class _Kind:
    """One resolution: its name, how much finer it is, the file's bands and their thermal scales."""

    name: str
    fine: int
    reflective: Mapping[str, Band]
    mir: tuple[str, float]
    tir: tuple[str, float]
    mir_band: str


MOD = _Kind(
    "MOD", 1, {"M05": Band.RED, "M07": Band.NIR, "M10": Band.M10, "M11": Band.M11},
    ("M12", 7.0e-05), ("M15", 0.0004), "M12",
)  # fmt: skip
IMG = _Kind(
    "IMG", 2, {"I01": Band.RED, "I02": Band.NIR, "I03": Band.M10}, ("I04", 7.0e-05), ("I05", 0.0004), "I4"
)  # fmt: skip


def write_mod(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write 02MOD and 03MOD files (750 m) of every daytime overpass of a scene's imagery."""
    return _write(scene, folder, MOD)


def write_img(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write 02IMG and 03IMG files (375 m) of every daytime overpass of a scene's imagery."""
    return _write(scene, folder, IMG)


def _write(scene: Scene, folder: Path, kind: _Kind) -> tuple[Path, ...]:
    world = scene.world.with_bands(tuple(Band))
    paths: list[Path] = []
    for view in observations(world):
        scans = scans_over(view.overpass, scene.region, kind.fine)
        if scans is None or np.isnan(view.reflectance).all():
            continue
        values = _sample(view, scans, scene.region)
        sun = _sun(scene.days[0], view.overpass.time_h, scans)
        for start, part in _granules(scene.days[0], scans, 16 * kind.fine):
            stem = f"A{stamp(start)}.002.{stamp(start + np.timedelta64(380, 'm'), '')}00.nc"
            prefix, platform = PREFIX[view.overpass.satellite]
            about = _about(platform, start)
            bands = folder / f"{prefix}02{kind.name}.{stem}"
            places = folder / f"{prefix}03{kind.name}.{stem}"
            with writing(bands) as path:
                _write_bands(path, kind, {b: v[part] for b, v in values.items()}, sun[part], scans, about)
            with writing(places) as path:
                _write_places(path, scans, sun, part, about)
            paths += [bands, places]
    return tuple(paths)


def _sun(day: np.datetime64, hour: float, scans: Scans) -> npt.NDArray[np.float64]:
    """Return the solar zenith of each pixel, degrees; exact on every 16th pixel, linear between them."""
    pixels = np.arange(scans.longitude.shape[1])
    known = np.unique(np.append(pixels[::16], pixels[-1]))
    exact = solar_zenith(day, hour, scans.longitude[:, known], scans.latitude[:, known])
    place = np.interp(pixels, known, np.arange(known.size))
    first = np.minimum(place.astype(int), known.size - 2)
    share = place - first
    return np.asarray(exact[:, first] * (1 - share) + exact[:, first + 1] * share, np.float64)


def _granules(start: np.datetime64, scans: Scans, rows: int) -> Iterator[tuple[np.datetime64, slice]]:
    """Yield the start and the lines of each six-minute granule that the scans fall into."""
    number = np.floor(scans.hour * 60 / GRANULE_MINUTES).astype(int)
    for granule in np.unique(number).tolist():
        inside = np.flatnonzero(number == granule)
        moment = start.astype("datetime64[m]") + np.timedelta64(granule * GRANULE_MINUTES, "m")
        yield moment, slice(int(inside[0]) * rows, (int(inside[-1]) + 1) * rows)


def _sample(view: View, scans: Scans, region: Region) -> dict[Band | str, Field]:
    """Read the scene's planes at the pixels; NaN outside the scene."""
    rows, cols = region.shape
    size_x, size_y = (region.east - region.west) / cols, (region.north - region.south) / rows
    row = (region.north - scans.latitude) / size_y - 0.5
    col = (np.mod(scans.longitude - region.west + 180, 360) - 180) / size_x - 0.5
    inside = (row >= -0.5) & (row < rows - 0.5) & (col >= -0.5) & (col < cols - 0.5)
    place = np.stack([row[inside], col[inside]])
    planes: dict[Band | str, Field] = dict(zip(Band, view.reflectance))
    planes["temperature"] = view.temperature if view.temperature is not None else np.nan * view.depth
    sampled: dict[Band | str, Field] = {}
    for name, plane in planes.items():
        out = np.full(scans.latitude.shape, np.nan, np.float32)
        holes = np.isnan(plane)
        filled = np.where(holes, 0, plane)
        out[inside] = ndimage.map_coordinates(filled, place, order=1, mode="nearest")
        if holes.any():
            near = np.rint(place).astype(int)
            near[0] = near[0].clip(0, rows - 1)
            near[1] = near[1].clip(0, cols - 1)
            out[inside] = np.where(holes[tuple(near)], np.nan, out[inside])
        sampled[name] = out
    return sampled


def _about(platform: str, start: np.datetime64) -> dict[str, str]:
    stop = start + np.timedelta64(GRANULE_MINUTES, "m")
    return {
        "title": "VIIRS Level-1B swath (simulated)",
        "platform": platform,
        "instrument": "VIIRS",
        "DayNightFlag": "Day",
        "processing_level": "L1B",
        "time_coverage_start": f"{start}:00.000Z",
        "time_coverage_end": f"{stop}:00.000Z",
    }


def _write_bands(
    path: Path,
    kind: _Kind,
    values: Mapping[Band | str, Field],
    sun: npt.NDArray[np.float64],
    scans: Scans,
    about: Mapping[str, str],
) -> None:
    deleted = np.tile(scans.deleted, (len(sun) // len(scans.deleted), 1))
    # Level 1B stores what reaches the sensor: not yet divided by the cosine of the solar zenith.
    light = np.cos(np.radians(sun))
    mir, tir = radiances(values[Band.M12], values["temperature"], sun, kind.mir_band)
    with h5py.File(path, "w") as file:
        file.attrs.update(dict(about))
        file.attrs["number_of_filled_scans"] = np.int32(len(sun) // len(scans.deleted))
        group = file.create_group("observation_data")
        for name, band in kind.reflective.items():
            data = _integers(group, name, values[band] * light, REFLECTIVE, deleted)
            data.attrs["units"] = b"none"
            data.attrs["radiance_scale_factor"] = np.float32(REFLECTIVE[0] * 480)
            data.attrs["radiance_add_offset"] = np.float32(0)
            data.attrs["radiance_units"] = b"Watts/meter^2/steradian/micrometer"
        for (name, scale), radiance in ((kind.mir, mir), (kind.tir, tir)):
            data = _integers(group, name, radiance, (scale, 0.0), deleted)
            data.attrs["units"] = b"Watts/meter^2/steradian/micrometer"


def _integers(
    group: h5py.Group,
    name: str,
    values: npt.NDArray[Any],
    scale: tuple[float, float],
    deleted: npt.NDArray[np.bool_],
) -> Any:
    raw = np.rint((values - scale[1]) / scale[0])
    raw = np.where(np.isfinite(raw), np.clip(raw, 0, LAST), FILL)
    raw = np.where(deleted, DELETED, raw).astype(np.uint16)
    data = _store(group, name, raw)
    data.attrs["scale_factor"] = np.float32(scale[0])
    data.attrs["add_offset"] = np.float32(scale[1])
    data.attrs["_FillValue"] = np.uint16(FILL)
    data.attrs["valid_min"] = np.uint16(0)
    data.attrs["valid_max"] = np.uint16(LAST)
    data.attrs["flag_values"] = np.array([65532, 65533, 65534], np.uint16)
    data.attrs["flag_meanings"] = b"Missing_EV Bowtie_Deleted Cal_Fail"
    flags = _store(group, f"{name}_quality_flags", np.where(deleted, 256, 0).astype(np.uint16))
    flags.attrs["flag_masks"] = np.array([1, 2, 4, 256], np.uint16)
    flags.attrs["flag_meanings"] = b"Substitute_Cal Out_of_Range Saturation Bowtie_Deleted"
    return data


def _store(group: h5py.Group, name: str, values: npt.NDArray[Any]) -> Any:
    chunks = (min(len(values), 256), values.shape[1])
    return group.create_dataset(
        name, data=values, chunks=chunks, shuffle=True, compression="gzip", compression_opts=1
    )


def _write_places(
    path: Path, scans: Scans, sun: npt.NDArray[np.float64], part: slice, about: Mapping[str, str]
) -> None:
    lat, lon = scans.latitude[part], scans.longitude[part]
    view = np.broadcast_to(scans.view_zenith, lat.shape)
    with h5py.File(path, "w") as file:
        file.attrs.update(dict(about))
        file.attrs["geospatial_lat_min"] = np.float32(lat.min())
        file.attrs["geospatial_lat_max"] = np.float32(lat.max())
        group = file.create_group("geolocation_data")
        for name, degrees, units in (
            ("latitude", lat, b"degrees_north"),
            ("longitude", (lon + 180) % 360 - 180, b"degrees_east"),
        ):
            data = _store(group, name, degrees.astype(np.float32))
            data.attrs["units"] = units
            data.attrs["_FillValue"] = np.float32(-999.9)
        for name, angle in (("solar_zenith", sun[part]), ("sensor_zenith", view)):
            data = _store(group, name, np.rint(angle * 100).astype(np.int16))
            data.attrs["units"] = b"degrees"
            data.attrs["scale_factor"] = np.float32(0.01)
            data.attrs["add_offset"] = np.float32(0)
            data.attrs["_FillValue"] = np.int16(-32768)
        times = scans.hour[part.start // len(scans.deleted) : part.stop // len(scans.deleted)] * 3600
        file.create_group("scan_line_attributes").create_dataset(
            "scan_start_time", data=times - SCAN_SECONDS / 2
        )
