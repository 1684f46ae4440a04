"""Area to map: a region that ships, a region file, a box, or a polygon whose outside is cut away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY, looks_kept
from banet.burned_area.evidence import NO_EVIDENCE
from banet.days import NO_DATE
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.vectors import is_vector, read_polygons

__all__ = ["Area"]

PIXEL_SIZE = 0.01
"""Edge of a cell in degrees of a region that is made of a box or a polygon."""


@dataclass(frozen=True, eq=False)
class Area:
    """Region to map, and the cells of it that belong to the area.

    Attributes:
        region: whole cells around the area.
        inside: cells whose centre lies in the polygon, (rows, columns) bool; None where all do.
        notes: lines that say how the region follows from the asked area.
    """

    region: Region
    inside: npt.NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, asked: str, name: str | None = None, layer: str | None = None) -> Area:
        """Return the area that a user names.

        Args:
            asked: a region that ships, a `R_NAME.json`, a box `W,S,E,N` in degrees, or a vector file of
                polygons.
            name: of the region of a box or polygon, which need one.
            layer: of the file of polygons, where it has several.

        Raises:
            NotFoundError: if there is no such region or file.
            UnreadableFileError: if the file cannot be read.
            InputError: if the box or polygon is no area, it has no name, or another one needs none; if one of
                several layers must be named, or a layer is named where there is none.
        """
        asked = asked.strip()
        box = _numbers(asked)
        drawn = box is None and is_vector(asked) and not _is_region_file(Path(asked))
        if layer is not None and not drawn:
            raise InputError(f"--layer {layer} goes with a file of polygons; {asked} is none")
        if box is not None:
            return _of_box(box, name)
        if is_vector(asked) and not Path(asked).exists():
            known = f"a file of polygons, a box W,S,E,N or one of {', '.join(Region.shipped())}"
            raise NotFoundError(f"{asked} does not exist; give a R_NAME.json, {known}")
        if drawn:
            return _of_polygon(Path(asked), name, layer)
        region = Region.load(asked)
        if name is not None:
            raise InputError(f"--name {name} goes with a box or a polygon; {asked} has a name already")
        return cls(region)

    def cut(self, burned: BurnedArea) -> BurnedArea:
        """Return a map without what lies outside: neither observed nor burned there, and a note says so."""
        if self.inside is None:
            return burned
        out, evidence = ~self.inside, burned.evidence
        text = f"{int(out.sum()):,} cells outside the polygon are not in the region (coded as not observed)"
        return replace(
            burned,
            burned_fraction=np.where(out, np.float32(np.nan), burned.burned_fraction),
            burn_date=np.where(out, NO_DATE, burned.burn_date),
            uncertainty=np.where(out, np.uint8(NO_UNCERTAINTY), burned.uncertainty),
            observed_days=np.where(out, np.int16(0), burned.observed_days),
            water=burned.water & ~out,
            first_look=looks_kept(burned.first_look, self.inside),
            evidence=None if evidence is None else np.where(out, np.uint8(NO_EVIDENCE), evidence),
            attrs={**burned.attrs, "notes": [*burned.attrs.get("notes", ()), text]},
        )


def _numbers(text: str) -> tuple[float, ...] | None:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return None


def _of_box(box: Sequence[float], name: str | None) -> Area:
    if len(box) != 4:
        raise InputError(f"a box of {len(box)} numbers; W,S,E,N are four, in degrees")
    if name is None:
        raise InputError("a box needs a name for its files: give --name")
    return _around((box[0], box[1], box[2], box[3]), name, "the box")


def _of_polygon(path: Path, name: str | None, layer: str | None) -> Area:
    from rasterio.features import rasterize
    from shapely import get_parts, union_all
    from shapely.affinity import translate

    from banet.grid.polygons import box_around

    if name is None:
        raise InputError(f"{path} needs a name for its files: give --name")
    found = read_polygons(path, layer=layer, wide=True)
    left = [f"{count} {reason}" for reason, count in found.left_out]
    if not len(found.geometry):
        raise InputError(
            f"{found.name} holds no polygon that can be used: {', '.join(left) or 'it is empty'}"
        )
    parts = get_parts(union_all(found.geometry))
    area = _around(box_around(found.geometry), name, f"the polygon of {found.name}")
    region = area.region
    turned = [translate(part, 360) if part.bounds[2] <= region.west else part for part in parts]
    inside = rasterize(turned, out_shape=region.shape, transform=region.transform).astype(bool)
    if not inside.any():
        raise InputError(f"{found.name} holds no centre of a cell of {PIXEL_SIZE:g} degree; it is too small")
    kept = f"{int(inside.sum()):,} of {inside.size:,} cells have their centre in it"
    notes = [*area.notes, kept, *left, *found.notes]
    return Area(region, inside, tuple(notes))


def _around(box: tuple[float, float, float, float], name: str, what: str) -> Area:
    region = Region.around(name, box, PIXEL_SIZE)
    edges = ",".join(f"{edge:g}" for edge in region.bbox)
    rows, cols = region.shape
    return Area(region, None, (f"{what} lies in [{edges}], {rows} x {cols} cells of {PIXEL_SIZE:g} degree",))


def _is_region_file(path: Path) -> bool:
    """Tell a `R_NAME.json` from GeoJSON of the same ending."""
    import json

    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return False  # said by the reader of vectors
    return isinstance(fields, dict) and "bbox" in fields and "pixel_size" in fields
