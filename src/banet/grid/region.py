"""Regions: a named box of longitude and latitude on an exact grid of square cells.

This is the one place that knows rounding, cell corners and the antimeridian.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.io.files import PathLike, write_json

if TYPE_CHECKING:
    from affine import Affine
    from odc.geo.geobox import GeoBox

__all__ = ["KM_PER_DEGREE", "Region", "authalic", "check_region", "turned_back"]

WGS84_A = 6378137.0
WGS84_E2 = 6.69437999014e-3
KM_PER_DEGREE = 111.2
"""Kilometres of a degree of a great circle, 6371 x pi / 180, rounded."""
_MAX_CELLS = 2**40


@dataclass(frozen=True)
class Region:
    """A named box in EPSG:4326 and its grid.

    Attributes:
        name: letters, digits, `_` and `-`; it goes into file names.
        bbox: (west, south, east, north) in degrees. A box across the antimeridian is written with west
            greater than east, or with east above 180; inside, east is always greater than west.
        pixel_size: edge of a cell in degrees. The box holds a whole number of cells.

    Raises:
        InputError: if the box is empty, swapped, beyond the poles or no whole number of cells.

    Examples:
        >>> Region("PI", (-10, 36, 5, 44), 0.01).shape
        (800, 1500)
    """

    name: str
    bbox: tuple[float, float, float, float]
    pixel_size: float = 0.01

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InputError(f"the name of a region is text, not {self.name!r}")
        object.__setattr__(self, "bbox", _checked_bbox(self.name, self.bbox))
        object.__setattr__(self, "pixel_size", _checked_size(self.name, self.pixel_size))
        if not self.name or not all(c.isalnum() or c in "_-" for c in self.name):
            raise InputError(f"the region name {self.name!r} may hold only letters, digits, '_' and '-'")
        rows, cols = self.shape
        if rows * cols > _MAX_CELLS:
            raise InputError(
                f"region {self.name}: {rows} x {cols} cells are too many; is the pixel size right?"
            )

    def _repr_html_(self) -> str:
        from banet.grid.display import locator
        from banet.io.tables import facts_html

        facts = {"extent": self.extent, "area": f"{self.area_km2:,.0f} km2"}
        return facts_html(f"Region {self.name}", facts, locator(self.bbox))

    @property
    def extent(self) -> str:
        """Place and size in words.

        Examples:
            >>> Region("PI", (-10, 36, 5, 44)).extent
            '-10 to 5 degrees east, 36 to 44 degrees north; 800 x 1500 cells of 0.01 degrees'
        """
        rows, cols = self.shape
        west, south, east, north = self.bbox
        where = f"{west:g} to {east:g} degrees east, {south:g} to {north:g} degrees north"
        return f"{where}; {rows} x {cols} cells of {self.pixel_size:g} degrees"

    @property
    def west(self) -> float:
        """Western edge in degrees."""
        return self.bbox[0]

    @property
    def south(self) -> float:
        """Southern edge in degrees."""
        return self.bbox[1]

    @property
    def east(self) -> float:
        """Eastern edge in degrees; above 180 where the box crosses the antimeridian."""
        return self.bbox[2]

    @property
    def north(self) -> float:
        """Northern edge in degrees."""
        return self.bbox[3]

    @functools.cached_property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the grid."""
        return (
            _count(self.name, "height", self.north - self.south, self.pixel_size),
            _count(self.name, "width", self.east - self.west, self.pixel_size),
        )

    @property
    def transform(self) -> Affine:
        """Affine from (column, row) to (longitude, latitude); row 0 is in the north."""
        from affine import Affine

        rows, cols = self.shape
        return Affine(
            (self.east - self.west) / cols, 0, self.west, 0, -(self.north - self.south) / rows, self.north
        )

    @property
    def geobox(self) -> GeoBox:
        """The grid as an odc-geo GeoBox in EPSG:4326."""
        from odc.geo.geobox import GeoBox

        return GeoBox(self.shape, self.transform, "EPSG:4326")

    @classmethod
    def from_geobox(cls, name: str, geobox: GeoBox) -> Region:
        """Make the region of an odc-geo GeoBox, whose cells stay exactly where they are.

        Raises:
            InputError: if it is not in EPSG:4326, its cells are not square, or its rows do not run from north
                to south.

        Examples:
            >>> Region.from_geobox("T", Region("PI", (-10, 36, 5, 44)).geobox).bbox
            (-10.0, 36.0, 5.0, 44.0)
        """
        if geobox.crs is None or geobox.crs.to_epsg() != 4326:
            raise InputError(
                f"a GeoBox in {geobox.crs}; a region is in EPSG:4326, so reproject to that first"
            )
        a, b, west, d, e, north = tuple(geobox.transform)[:6]
        rows, cols = geobox.shape
        if b or d or a <= 0 or e >= 0 or not math.isclose(a, -e, rel_tol=1e-6):
            raise InputError(f"a GeoBox with cells of {a:g} x {e:g}; a region has square cells, north first")
        edges = (west, north + rows * e, west + cols * a, north)
        return cls(name, tuple(round(edge, 10) for edge in edges), round(a, 12))

    @functools.cached_property
    def longitudes(self) -> npt.NDArray[np.float64]:
        """Longitudes of the cell centres, (columns,), west to east; above 180 past the antimeridian."""
        cols = self.shape[1]
        return self.west + (np.arange(cols, dtype=np.float64) + 0.5) * ((self.east - self.west) / cols)

    @functools.cached_property
    def latitudes(self) -> npt.NDArray[np.float64]:
        """Latitudes of the cell centres, (rows,), north to south."""
        rows = self.shape[0]
        return self.north - (np.arange(rows, dtype=np.float64) + 0.5) * ((self.north - self.south) / rows)

    @functools.cached_property
    def cell_area_ha(self) -> npt.NDArray[np.float64]:
        """Area of a cell of each row in hectares on the WGS84 ellipsoid, (rows,).

        Closed form of the area between two parallels (Snyder 1987, Map Projections, eq. 3-12).
        """
        rows, cols = self.shape
        edges = np.linspace(self.north, self.south, rows + 1)
        width = math.radians((self.east - self.west) / cols)
        return WGS84_A**2 / 2 * (1 - WGS84_E2) * width * -np.diff(authalic(edges)) / 1e4

    @property
    def area_km2(self) -> float:
        """Area of all cells in square kilometres."""
        return float(self.cell_area_ha.sum()) * self.shape[1] / 100

    def cells_of(
        self, longitude: npt.ArrayLike, latitude: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Find the cell of each point.

        A point on the edge of two cells belongs to the eastern or southern one.

        Args:
            longitude: degrees, any branch (a point at -179 is found in a box that reaches 181).
            latitude: degrees.

        Returns:
            rows, columns and whether the point lies in the box, each of the points' shape; row and column
            are 0 outside.
        """
        rows, cols = self.shape
        lon = self.west + np.mod(np.asarray(longitude, np.float64) - self.west, 360.0)
        lat = np.asarray(latitude, np.float64)
        # Division by a pixel size that binary cannot hold would put a point on a cell's western edge into
        # the cell before it; rounding to 1e-9 of a cell puts it back.
        col = np.floor(np.round((lon - self.west) / (self.east - self.west) * cols, 9))
        row = np.floor(np.round((self.north - lat) / (self.north - self.south) * rows, 9))
        with np.errstate(invalid="ignore"):
            inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
        return np.where(inside, row, 0).astype(np.intp), np.where(inside, col, 0).astype(np.intp), inside

    def window(self, rows: slice, cols: slice, name: str | None = None) -> Region:
        """Return the region of a block of cells, its corners exactly on this grid.

        Raises:
            InputError: if rows or columns are not a slice without a step, or hold no cell.
        """
        for part, size in zip((rows, cols), self.shape, strict=True):
            if not isinstance(part, slice) or part.step not in (None, 1):
                raise InputError(f"a block takes slices of rows and columns without a step, found {part}")
            if not range(size)[part]:
                raise InputError(f"no cell of {self.name} lies in {part} of {size}")
        height, width = self.shape
        r0, r1, _ = rows.indices(height)
        c0, c1, _ = cols.indices(width)
        lon = self.west + np.array([c0, c1]) * ((self.east - self.west) / width)
        if lon[0] > 180:
            lon -= 360
        lat = self.north - np.array([r1, r0]) * ((self.north - self.south) / height)
        box = (round(lon[0], 10), round(lat[0], 10), round(lon[1], 10), round(lat[1], 10))
        return Region(name or self.name, box, self.pixel_size)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of the region's JSON file."""
        return {"name": self.name, "bbox": list(self.bbox), "pixel_size": self.pixel_size}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Region:
        """Make a region from the fields of its JSON file.

        Raises:
            InputError: if a field is missing or of the wrong kind.
        """
        missing = [key for key in ("name", "bbox", "pixel_size") if key not in fields]
        if missing:
            raise InputError(f"a region needs name, bbox and pixel_size; missing: {', '.join(missing)}")
        return cls(str(fields["name"]), fields["bbox"], fields["pixel_size"])

    @classmethod
    def around(cls, name: str, bbox: tuple[float, float, float, float], pixel_size: float = 0.01) -> Region:
        """Return the smallest region that holds a box, its edges on multiples of the pixel size.

        Edges within a thousandth of a cell of a multiple are taken to lie on it.

        Raises:
            InputError: if the box is empty, swapped or beyond the poles.

        Examples:
            >>> Region.around("T", (-8.123, 39.4, -6.4, 41.407)).bbox
            (-8.13, 39.4, -6.4, 41.41)
        """
        west, south, east, north = _checked_bbox(name, bbox)
        size = _checked_size(name, pixel_size)
        low = [math.floor(round(edge / size, 3)) * size for edge in (west, south)]
        high = [math.ceil(round(edge / size, 3)) * size for edge in (east, north)]
        edges = [round(edge, 10) for edge in (*low, *high)]
        return cls(name, (edges[0], max(edges[1], -90.0), edges[2], min(edges[3], 90.0)), size)

    @classmethod
    def load(cls, path: PathLike) -> Region:
        """Read `R_{name}.json`, or one of the regions that ship with banet by its name (`PT`, `PI`, ...).

        Raises:
            NotFoundError: if there is no such file or name.
            UnreadableFileError: if the file is no JSON object.
            InputError: if the box in it is not valid.
        """
        file = Path(path)
        if not file.is_file():
            if str(path) in cls.shipped():
                text = (_region_data() / f"R_{path}.json").read_text()
                return cls.from_dict(json.loads(text))
            names = ", ".join(cls.shipped())
            raise NotFoundError(f"no region file {file}; give a R_NAME.json or one of {names}")
        try:
            fields = json.loads(file.read_text(encoding="utf-8-sig"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UnreadableFileError(f"{file} is not a region file (JSON): {error}") from error
        if not isinstance(fields, dict):
            raise UnreadableFileError(f"{file} is not a region file: it holds no JSON object")
        return cls.from_dict(fields)

    def save(self, folder: PathLike = ".") -> Path:
        """Write `R_{name}.json` into `folder` and return its path."""
        return write_json(Path(folder) / f"R_{self.name}.json", self.to_dict())

    @staticmethod
    def shipped() -> tuple[str, ...]:
        """Names of the regions that ship with banet: those of Pinto et al. (2020) and its code."""
        return tuple(sorted(f.name[2:-5] for f in _region_data().iterdir() if f.name.startswith("R_")))


def check_region(region: Any) -> None:
    """Make sure that what was given for a region is one.

    Raises:
        InputError: if it is something else, such as a name or a path.
    """
    if not isinstance(region, Region):
        raise InputError(f"a {type(region).__name__} is no region; banet.Region.load reads one")


def turned_back(longitude: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return longitudes of a region in degrees from -180 to 180: those above 180 less 360.

    >>> turned_back([-8.5, 180, 181.5]).tolist()
    [-8.5, 180.0, -178.5]
    """
    degrees = np.asarray(longitude, np.float64)
    return np.where(degrees > 180, degrees - 360, degrees)


def _region_data() -> Any:
    return importlib.resources.files("banet") / "data" / "regions"


def _checked_bbox(name: str, bbox: Any) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"region {name}: bbox {bbox!r} is not four numbers west, south, east, north"
        ) from error
    box = (west, south, east, north)
    if not all(math.isfinite(value) for value in box):
        raise InputError(f"region {name}: bbox {box} holds a value that is not finite")
    if south < -90 or north > 90:
        raise InputError(f"region {name}: latitudes {south} to {north} reach beyond the poles")
    if south >= north:
        raise InputError(
            f"region {name}: south {south} is not below north {north}; is the box swapped or empty?"
        )
    if west < -180 or west > 180 or east < -180 or east > 540:
        raise InputError(f"region {name}: longitudes {west} to {east}; west must be in -180..180")
    if west == east:
        raise InputError(f"region {name}: west equals east ({west}); the box is empty")
    if east < west:
        east += 360
        if east - west > 180:
            raise InputError(
                f"region {name}: west {west} is east of {east - 360}; swapped? "
                "(a box across the antimeridian may be at most 180 degrees wide)"
            )
    if east - west > 360:
        raise InputError(f"region {name}: the box is {east - west} degrees wide; 360 is all there is")
    return west, south, east, north


def _checked_size(name: str, pixel_size: Any) -> float:
    try:
        size = float(pixel_size)
    except (TypeError, ValueError) as error:
        raise InputError(f"region {name}: pixel size {pixel_size!r} is not a number of degrees") from error
    if not (math.isfinite(size) and 0 < size <= 10):
        raise InputError(f"region {name}: pixel size {size} degrees is not in 0..10")
    return size


def _count(name: str, what: str, extent: float, size: float) -> int:
    exact = extent / size
    count = round(exact)
    # One part in a thousand of a cell over the whole box is far below any geolocation error; more than
    # that means that box and pixel size do not belong together (sizes such as 0.0033 are rounded in files).
    if count < 1 or abs(exact - count) > max(1e-3, 1e-5 * count):
        raise InputError(
            f"region {name}: the {what} of {extent:g} degrees is {exact:g} cells of {size:g}; "
            "choose a box that holds a whole number of cells"
        )
    return count


def authalic(latitude: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Return what grows with latitude as area does on the WGS84 ellipsoid (Snyder 1987, eq. 3-12)."""
    e, sine = math.sqrt(WGS84_E2), np.sin(np.radians(np.clip(latitude, -90, 90)))
    grown: npt.NDArray[np.floating[Any]] = sine / (1 - WGS84_E2 * sine**2) + np.arctanh(e * sine) / e
    return grown
