"""From a swath to a region's grid: each cell the mean of the pixels that see it.

A whisk-broom swath is not a grid: pixels grow from 0.74 to 1.6 km towards its edges, scans overlap there,
and rows that overlap were deleted on board. Each pixel is spread over the cells that its footprint covers,
with a Gaussian weight on the ellipse that the spacing of its neighbours in the same scan spans (elliptical
weighted averaging, Greene and Heckbert 1986, IEEE Comput. Graph. Appl. 6(6), 21-27; scan by scan as in
NSIDC's ms2gt). Against taking the nearest pixel it leaves no noise of half a pixel in position (rms 0.07
against 0.4 cells at the swath's edge), and against putting pixels into bins it leaves no holes;
`tests/test_swath_resample.py` holds the figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.grid.region import KM_PER_DEGREE, Region
from banet.observations.planes import Plane

__all__ = ["Placement", "margin_degrees", "place", "resample"]

# The weight falls to this at one pixel spacing from the pixel's centre. Tried from 0.02 to 0.3: this is
# where the error against exact cell means of a disc is least, at nadir as at the swath's edge.
_WEIGHT_AT_SPACING = 0.05
# No footprint reaches further than this many cells, not even at 85 degrees north.
_MAX_REACH = 60
# Pixels at a swath's edge are twice as large as at nadir and reach one spacing further; this many pixel
# sizes away from the region none reaches into it.
_MARGIN_PIXELS = 5
# Cells that are worked on at once, which bounds memory whatever the region's size.
_BLOCK_CELLS = 4_000_000
_STRIP_LINES = 1024


@dataclass(frozen=True, eq=False)
class Placement:
    """Place of a block of a granule's pixels on a grid.

    Attributes:
        lines, pixels: the block within the arrays that were placed; whole scans.
        rows, cols: position of each pixel's centre in cells of the grid, 0 at the centre of the first cell,
            (lines, pixels) float32, NaN where unknown.
        shape: (rows, columns) of the grid.
        rows_per_scan: lines of one scan.
        reach: rows beyond the grid's edge from which pixels still reach into it.
        split: cells of this grid along each edge of a cell of the region.
    """

    lines: slice
    pixels: slice
    rows: Plane
    cols: Plane
    shape: tuple[int, int]
    rows_per_scan: int
    reach: float
    split: int

    def is_inside(self) -> bool:
        """Return whether the centre of a pixel lies on the grid."""
        height, width = self.shape
        with np.errstate(invalid="ignore"):
            inside = (np.abs(self.rows - (height - 1) / 2) <= height / 2) & (
                np.abs(self.cols - (width - 1) / 2) <= width / 2
            )
        return bool(inside.any())

    def blocks(self, cells: int = _BLOCK_CELLS) -> Iterator[tuple[slice, Placement]]:
        """Cut the grid into blocks of rows, each with the scans that reach it.

        Yields:
            The rows of the region, and where the scans' pixels fall on the grid of those rows.
        """
        height = max(1, cells // self.shape[1] // self.split) * self.split
        scans = self.rows.reshape(-1, self.rows_per_scan * self.rows.shape[1])
        with np.errstate(invalid="ignore"):
            first, last = np.fmin.reduce(scans, axis=1), np.fmax.reduce(scans, axis=1)
        for top in range(0, self.shape[0], height):
            bottom = min(top + height, self.shape[0])
            near = np.flatnonzero((last >= top - self.reach) & (first <= bottom + self.reach))
            if near.size:
                yield slice(top // self.split, bottom // self.split), self._part(near, top, bottom)

    def _part(self, scans: npt.NDArray[np.intp], top: int, bottom: int) -> Placement:
        """Cut out the rows `top` to `bottom` of the grid, with the pixels of some scans that reach them."""
        inner = slice(int(scans[0]) * self.rows_per_scan, (int(scans[-1]) + 1) * self.rows_per_scan)
        rows = self.rows[inner]
        with np.errstate(invalid="ignore"):
            near = (rows >= top - self.reach) & (rows <= bottom + self.reach)
        across = _widened(_span(np.asarray(near.any(axis=0))), rows.shape[1])
        return Placement(
            lines=slice(self.lines.start + inner.start, self.lines.start + inner.stop),
            pixels=slice(self.pixels.start + across.start, self.pixels.start + across.stop),
            rows=np.ascontiguousarray(rows[:, across]) - np.float32(top),
            cols=np.ascontiguousarray(self.cols[inner, across]),
            shape=(bottom - top, self.shape[1]),
            rows_per_scan=self.rows_per_scan,
            reach=self.reach,
            split=self.split,
        )


def place(
    longitude: Plane, latitude: Plane, region: Region, *, rows_per_scan: int, pixel_km: float
) -> Placement | None:
    """Find where the pixels of a granule fall on the grid of a region, and which of them matter.

    Args:
        longitude: degrees, (lines, pixels) float32, NaN where unknown; a whole number of scans.
        latitude: likewise.
        region: the grid. Where its cells are much larger than a pixel, each is split so that all pixels
            count.
        rows_per_scan: lines that one scan sees at once.
        pixel_km: size of a pixel at nadir.

    Returns:
        None if no pixel falls in the region.
    """
    split = max(1, math.floor(region.pixel_size * KM_PER_DEGREE / pixel_km))
    shape = (region.shape[0] * split, region.shape[1] * split)
    margin = margin_degrees(pixel_km)
    lines, pixels = _near(longitude, latitude, region, rows_per_scan, margin)
    if lines is None or pixels is None:
        return None
    lon, lat = longitude[lines, pixels], latitude[lines, pixels]
    rows, cols = np.empty_like(lat), np.empty_like(lon)
    for strip in _strips(len(lat)):
        cols[strip] = (_eastward(lon[strip], region) + 0.5) * shape[1] - 0.5
        rows[strip] = (region.north - lat[strip].astype(np.float64)) * (
            shape[0] / (region.north - region.south)
        ) - 0.5
    reach = margin * shape[0] / (region.north - region.south)
    return Placement(lines, pixels, rows, cols, shape, rows_per_scan, reach, split)


def margin_degrees(pixel_km: float) -> float:
    """Return how far, in degrees of latitude, beyond a region's edge pixels still reach into it."""
    return _MARGIN_PIXELS * pixel_km / KM_PER_DEGREE


def resample(
    placement: Placement, bands: Sequence[Plane], deleted: npt.NDArray[np.bool_]
) -> tuple[Plane, ...]:
    """Average pixels into cells, all bands from the same pixels with the same weights.

    A pixel counts where all bands are finite. A cell is observed where pixels that count have at least half
    the weight of those that look at it, so that neither gaps nor data spread at their border.

    Args:
        placement: of the pixels, as `place` or `Placement.blocks` gave it.
        bands: (lines, pixels) float32, NaN where not measured.
        deleted: pixels that are left out of the count because a neighbouring scan sees the same ground.

    Returns:
        For each band a (rows, columns) float32 plane of the region, NaN where not observed.
    """
    whole = np.logical_and.reduce([np.isfinite(band) for band in bands])
    images = [np.where(whole, band, np.float32(np.nan)) for band in bands]
    images.append(np.where(deleted & ~whole, np.nan, whole).astype(np.float32))
    *planes, share = _weighted_means(placement, images)
    with np.errstate(invalid="ignore"):
        seen = share >= 0.5
    planes = [np.where(seen, plane, np.float32(np.nan)) for plane in planes]
    return tuple(_joined(plane, placement.split) for plane in planes)


def _weighted_means(placement: Placement, images: Sequence[Plane]) -> list[Plane]:
    # pyresample takes seconds to import, so it is left until a swath is there to resample.
    from pyresample.ewa.ewa import fornav

    out = tuple(np.full(placement.shape, np.nan, np.float32) for _ in images)
    try:
        fornav(  # type: ignore[no-untyped-call]
            placement.cols,
            placement.rows,
            None,
            tuple(images),
            rows_per_scan=placement.rows_per_scan,
            fill=np.nan,
            out=out,
            weight_min=_WEIGHT_AT_SPACING,
            weight_distance_max=1.0,
            weight_delta_max=_MAX_REACH,
        )
    except RuntimeError as error:
        if "No swath pixels found" not in str(error):
            raise
    return list(out)


def _joined(plane: Plane, split: int) -> Plane:
    """Average the parts of each split cell; it is observed where at least half of them are."""
    if split == 1:
        return plane
    parts = plane.reshape(plane.shape[0] // split, split, plane.shape[1] // split, split)
    count = np.isfinite(parts).sum(axis=(1, 3))
    total = np.nansum(parts, axis=(1, 3), dtype=np.float64)
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=2 * count >= split**2)
    joined: Plane = mean.astype(np.float32)
    return joined


def _near(
    lon: Plane, lat: Plane, region: Region, rows_per_scan: int, margin: float
) -> tuple[slice | None, slice | None]:
    """Lines (whole scans) and pixels of the smallest block with all pixels that can reach the region."""
    inside = np.zeros(lon.shape, bool)
    width = region.east - region.west
    poleward = min(89.0, max(abs(region.south), abs(region.north)))
    sideways = margin / math.cos(math.radians(poleward))
    for strip in _strips(len(lat)):
        with np.errstate(invalid="ignore"):
            inside[strip] = (lat[strip] > region.south - margin) & (lat[strip] < region.north + margin)
            if inside[strip].any():
                inside[strip] &= np.abs(_eastward(lon[strip], region)) * width < width / 2 + sideways
    lines, pixels = _span(np.asarray(inside.any(axis=1))), _span(np.asarray(inside.any(axis=0)))
    if lines is None or pixels is None:
        return None, None
    first, last = lines.start // rows_per_scan, -(-lines.stop // rows_per_scan)
    return slice(first * rows_per_scan, last * rows_per_scan), _widened(pixels, lon.shape[1])


def _eastward(lon: Plane, region: Region) -> npt.NDArray[np.float64]:
    """Distance east of the region's middle in widths of the region; it jumps opposite the region only."""
    away = lon.astype(np.float64)
    away -= (region.west + region.east) / 2
    away -= 360 * np.rint(away / 360)
    away /= region.east - region.west
    return away


def _span(flags: npt.NDArray[np.bool_]) -> slice | None:
    where = np.flatnonzero(flags)
    return slice(int(where[0]), int(where[-1]) + 1) if where.size else None


def _widened(pixels: slice | None, count: int) -> slice:
    """One more pixel at each side, since a pixel's footprint is known from its neighbours."""
    if pixels is None:
        return slice(0, min(count, 2))
    return slice(max(0, pixels.start - 1), min(count, pixels.stop + 1))


def _strips(lines: int) -> Iterator[slice]:
    return (slice(start, min(start + _STRIP_LINES, lines)) for start in range(0, lines, _STRIP_LINES))
