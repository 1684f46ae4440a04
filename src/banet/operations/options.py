"""Options of an archive run and of a morning, for Python, command line and YAML alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from banet import days
from banet.days import Day, as_day, parse_period
from banet.errors import InputError
from banet.io.files import PathLike
from banet.io.settings import Frozen, did_you_mean, read_fields
from banet.mapping.windows import SEQUENCE_LENGTH
from banet.observations import product_name

__all__ = ["MorningOptions", "RunOptions"]


def _fetched(text: str) -> str:
    """Return the one name of a product that can be fetched."""
    from banet.download import load_settings

    name, known = product_name(text), load_settings().fetched
    if name not in known:
        raise ValueError(f"no VIIRS product {text!r} to fetch; {did_you_mean(name, known)}")
    return name


Product = Annotated[str, AfterValidator(_fetched)]


class _Options(Frozen):
    """Settings that both have.

    Attributes:
        region: `R_NAME.json`, the name of a region that ships, a box `W,S,E,N`, or a file of polygons to
            which maps are cut.
        name: of the region, where it is a box or polygons.
        layer: of the file of polygons, where it has several.
        out: folder for everything.
        download: fetch what is missing; otherwise work on the files at hand.
        product: satellite files to fetch, by any name of a product that downloads know.
        source: kind of the files at hand, by any name of a source; told from the files if None.
        satellites: of these; all that fly in the period if empty.
        weights: name or path; several, separated by commas, are averaged.
        engine: what computes.
        threshold: least burned value of a cell that counts as burned.
        min_hectares: smaller fires are left out, and counted.
        water: file of water, polygons or GeoTIFF; the cube's own or what its images show if None.
        workers: processes that read files and map.
    """

    region: str
    name: str | None = None
    layer: str | None = None
    out: Path
    download: bool = True
    product: Product = "viirs750-swath"
    source: str | None = None
    satellites: tuple[Literal["snpp", "noaa20", "noaa21"], ...] = ()
    weights: str = "default"
    engine: str = "auto"
    threshold: float = Field(0.5, gt=0, le=1)
    min_hectares: float = Field(100.0, ge=0)
    water: Path | None = None
    workers: int | None = Field(None, ge=1)

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, given: Any) -> Any:
        """Refuse empty text, which would be this folder or no name at all."""
        if isinstance(given, str) and not given.strip():
            raise ValueError("is empty; leave it out or give one")
        return given

    @field_validator("satellites", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """Take satellites separated by commas too, as the command line does."""
        return tuple(one.strip() for one in given.split(",")) if isinstance(given, str) else given

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on options that have no effect."""
        if self.download:
            return ()
        asked = {
            "satellites choose": self.satellites,
            "product chooses": self.product != type(self).model_fields["product"].default,
        }
        return tuple(
            f"{what} what is fetched; of the files at hand all are used" for what in asked if asked[what]
        )


class RunOptions(_Options):
    """Settings of `banet run`, beside those that a morning has too.

    Attributes:
        start: first month or day to map, `YYYY-MM` or `YYYY-MM-DD`.
        end: last month or day, included.
        viirs: folder of satellite files; `out/viirs` if None.
        hotspots: folder or file of hot spots; `out/hotspots` if None.
        cube: the cube; `out/NAME.zarr` if None.
    """

    start: str
    end: str
    viirs: Path | None = None
    hotspots: Path | None = None
    cube: Path | None = None

    @property
    def table_given(self) -> bool:
        """Whether hot spots come from a file that was named; none are fetched beside it."""
        return self.hotspots is not None and self.hotspots.is_file()

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on options that have no effect, and on what is not fetched."""
        told = (f"hot spots are those of {self.hotspots}; none are fetched",)
        return super().notes + (told if self.download and self.table_given else ())

    @property
    def period(self) -> tuple[Day, Day]:
        """Days to map, half-open."""
        return parse_period(self.start, self.end)

    @classmethod
    def load(cls, path: PathLike, **given: Any) -> RunOptions:
        """Read options from YAML; what is given beside it wins.

        Raises:
            NotFoundError: if there is no such file.
            InputError: if a field does not exist or a value does not fit.
        """
        return cls.parse({**read_fields(path, "file of run options"), **given}, str(path))


class MorningOptions(_Options):
    """Settings of `banet nrt`, beside those that an archive run has too.

    Attributes:
        data: folder with `viirs/`, `hotspots/` and the cube `NAME.zarr`.
        day: last day to map, `YYYY-MM-DD`; yesterday in UTC if None.
        max_age: days by which the newest day with images may lie before the last day; no limit if None.
        keep_days: raw files of days older than so many are removed once the morning is done; none if None.
        incidents: file of perimeters or points whose names go to the fires that they overlap.
        incidents_field: field of these names; found by its name if None.
        precision: table of a replay's precision by age; the one that ships if None.
        wait: seconds to wait for another run of the region to end.
        stac: also write STAC items and `out/collection.json`.
    """

    data: Path
    day: str | None = None
    max_age: int | None = Field(None, ge=0)
    keep_days: int | None = Field(None, ge=SEQUENCE_LENGTH)
    incidents: Path | None = None
    incidents_field: str | None = None
    precision: Path | None = None
    wait: float = Field(0.0, ge=0)
    stac: bool = True

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        """Refuse a field of a file that is not given."""
        if self.incidents_field is not None and self.incidents is None:
            raise ValueError(f"incidents_field {self.incidents_field} goes with a file of incidents")
        return self

    @property
    def last_day(self) -> Day:
        """Last day to map.

        Raises:
            InputError: if it has not come yet by the clock of this machine.
        """
        today = days.today_utc()
        last = today - 1 if self.day is None else as_day(self.day)
        if last > today:
            raise InputError(f"the day {last} has not come; it is {today} (UTC) by the clock of this machine")
        return last
