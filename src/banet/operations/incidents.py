"""Names that an agency gave to fires, told by overlap with its table of perimeters or points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import NO_DATE, Days
from banet.errors import InputError
from banet.grid.vectors import read_shapes
from banet.io.files import PathLike
from banet.labels.perimeter_dates import fire_dates
from banet.labels.perimeter_fields import found_field

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Incidents"]

# WFIGS, MTBS, FRAP, CNFDB, ICNF, EFFIS, then whoever else.
_NAMES = (
    "poly_incidentname", "attr_incidentname", "incidentname", "incident_name", "incid_name", "fire_name",
    "firename", "place_name", "placename", "local", "name", "nombre", "nome", "nom",
)  # fmt: skip
_NEAR = 0.02
"""Degrees by which a point may lie outside of a fire: about two cells."""
_BEFORE, _AFTER = np.timedelta64(30, "D"), np.timedelta64(8, "D")
"""An incident may begin so long before the first mapped day of its fire, or after the last."""


@dataclass(frozen=True, eq=False)
class Incidents:
    """Incidents of an agency.

    Attributes:
        names: (n,) text.
        shapes: (n,) shapely polygons or points, longitude and latitude.
        start: first day, (n,) datetime64[D]; NaT where it is not told.
        summary: counts in one line.
    """

    names: npt.NDArray[np.object_]
    shapes: npt.NDArray[np.object_]
    start: Days
    summary: str

    @classmethod
    def read(cls, path: PathLike, field: str | None = None) -> Incidents:
        """Read a vector file of perimeters or points.

        Args:
            path: the file; in a ZIP or packed with gzip too.
            field: of the names; found by its name if None.

        Raises:
            NotFoundError: if there is no such file.
            UnreadableFileError: if it is no vector file.
            InputError: if no field holds names, or no incident has both name and place.
        """
        import shapely

        frame, file = read_shapes(path)
        by_name = {str(column).lower(): str(column) for column in frame.columns}
        fields = found_field(by_name, _NAMES if field is None else (field.lower(),))
        if not fields:
            raise InputError(
                f"{file} has no field of names ({field or ', '.join(_NAMES)}); it has {', '.join(by_name)}"
            )
        given = frame[fields].astype("string").bfill(axis=1).iloc[:, 0].astype("string").str.strip()
        shapes = np.asarray(frame.geometry.array, object)
        kept = np.isfinite(shapely.bounds(shapes)).all(axis=1) & given.fillna("").ne("").to_numpy(bool)
        if not kept.any():
            raise InputError(f"{file}: none of its {len(frame)} incidents has a place and a {fields[0]}")
        try:
            start = fire_dates(frame.drop(columns=frame.geometry.name), file).start[kept]
        except InputError:
            start = np.full(int(kept.sum()), NO_DATE)
        left = f", {int((~kept).sum())} without name or place left out" if not kept.all() else ""
        undated = "" if not np.isnat(start).all() else ", of unknown days"
        summary = f"{file}: {int(kept.sum())} incidents named by {fields[0]}{undated}{left}"
        return cls(given[kept].to_numpy(object), shapely.make_valid(shapes[kept]), start, summary)

    def named(self, fires: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return fires with a column `name`, empty where no incident overlaps.

        The incident with the largest overlap in area names a fire; where none has an area, the point that
        lies nearest, within two cells.
        """
        from shapely import STRtree

        tree = STRtree(self.shapes)
        names = [
            self._name(shape, start, end, tree)
            for shape, start, end in zip(
                fires.geometry, _days(fires["start"]), _days(fires["end"]), strict=True
            )
        ]
        columns = [name for name in fires.columns if name not in ("id", "name")]
        return fires.assign(name=np.array(names, object))[["id", "name", *columns]]

    def told(self, named: gpd.GeoDataFrame) -> str:
        """Return how many fires have a name, in one line."""
        count = int(named["name"].ne("").sum())
        return f"{count} of {len(named)} fires overlap an incident of their days"

    def _name(self, shape: Any, start: Any, end: Any, tree: Any) -> str:
        near = np.sort(tree.query(shape.buffer(_NEAR)))
        begun = self.start[near]
        timely = np.isnat(begun) | ((begun >= start - _BEFORE) & (begun <= end + _AFTER))
        near = near[timely]
        if not near.size:
            return ""
        overlap = np.array([self.shapes[one].intersection(shape).area for one in near])
        if overlap.max() > 0:
            return str(self.names[near[int(overlap.argmax())]])
        points = near[[self.shapes[one].area == 0 for one in near]]
        distance = np.array([self.shapes[one].distance(shape) for one in points])
        if not distance.size or distance.min() > _NEAR:
            return ""
        return str(self.names[points[int(distance.argmin())]])


def _days(column: Any) -> Days:
    days: Days = column.to_numpy().astype("datetime64[D]")
    return days
