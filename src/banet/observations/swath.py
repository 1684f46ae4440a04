"""Sources that read swaths: VIIRS at 750 m and at 375 m, of NASA and of NOAA, all satellites together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from banet.days import Day
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.observations import l1b, register, sdr
from banet.observations.folder import FolderSource
from banet.observations.granules import IMG, MOD, FindGranules, Granule, Kind
from banet.observations.mosaic import BestView
from banet.observations.planes import DayPlanes, Overpass
from banet.observations.productions import newest_readable
from banet.observations.resample import margin_degrees, place, resample
from banet.observations.satellites import VIIRS

__all__ = ["SwathSource", "read_granule", "viirs375", "viirs750"]

# Granules start six minutes apart, those of NOAA less; two no further apart than this are of one overpass.
_GRANULE_MINUTES = np.timedelta64(7, "m")


@dataclass(frozen=True)
class SwathSource(FolderSource):
    """A source of swaths; see `banet.observations.planes.ObservationSource`.

    Attributes:
        name: what the user types.
        kind: `MOD` (750 m) or `IMG` (375 m).
        find: finds the granules of the format.
        begins: pattern of how their names begin.
    """

    name: str
    kind: Kind
    find: FindGranules
    begins: str = ""

    @property
    def sensor(self) -> str:
        """Instrument and the satellites that a folder may hold."""
        return f"VIIRS {'/'.join(VIIRS)}"

    @property
    def mir_band(self) -> str:
        """The band in the MIR slot."""
        return self.kind.mir_band

    def by_day(self, paths: Iterable[Path]) -> dict[Day, list[Path]]:
        """Group the files of granules by the day on which the granule starts, those to prefer first."""
        days: dict[Day, list[Path]] = defaultdict(list)
        there, preferred = list(paths), set[Path]()
        for granule in self.find(there, self.kind):
            days[granule.day].extend(granule.files)
            preferred.update(granule.files)
        for path in there:
            for granule in () if path in preferred else self.find([path], self.kind):
                days[granule.day].append(path)
        return days

    def read_day(
        self, folder: PathLike, day: Day, region: Region, files: Iterable[Path] | None = None
    ) -> DayPlanes:
        """Return the best view of a day over all satellites.

        Granules that cannot be used become lines in `gaps`, those of night are passed over. Where a newer
        production of a file cannot be read, or does not reach the region, an older one is, and a line says
        so. Neighbouring granules that follow one another are one overpass. A day whose granules all miss the
        region has planes without any observation, and a line that says so.

        Args:
            folder: where the files are.
            day: UTC.
            region: the grid.
            files: those of the day, if they are known, to spare a look through the folder.

        Raises:
            NotFoundError: if the folder holds no file of that day.
            UnreadableFileError: if every granule of that day is broken; the message says why.
        """
        paths = list(self.files(folder).get(day, ()) if files is None else files)
        granules = self.find(paths, self.kind)
        if not granules:
            raise NotFoundError(f"{folder} holds no {self.name} file of {day}")
        view, gaps, lost = BestView(region.shape), list[str](), list[str]()
        for group in sorted(_by_overpass(granules), key=lambda group: group[0].time):
            joined: Overpass | None = None
            for granule in group:
                try:
                    seen = self._seen(granule, region, paths, gaps)
                except UnreadableFileError as error:
                    lost.append(f"granule {granule}: {error}")
                    continue
                if seen is not None:
                    joined = seen if joined is None else _filled(joined, seen)
            if joined is not None:
                view.add(joined)
        if len(lost) == len(granules):
            raise UnreadableFileError(f"no granule of {day} can be used: {'; '.join(lost)}")
        gaps += lost
        if not view.overpasses:
            gaps.append(
                f"no granule of {day} sees region {region.name} by daylight ({len(granules)} looked at)"
            )
        return view.result(gaps)

    def _seen(
        self, granule: Granule, region: Region, paths: Sequence[Path], gaps: list[str]
    ) -> Overpass | None:
        """Read the newest files of a granule that can be read and reach the region; None if nothing was seen.

        By night the newest files say so for all.
        """
        elsewhere: list[Granule] = []
        unreadable: list[Granule] = []

        def read(one: Granule) -> Overpass | None:
            try:
                return None if one.is_night() else _read(one, region)
            except UnreadableFileError as error:
                (elsewhere if isinstance(error, _ElsewhereError) else unreadable).append(one)
                raise

        try:
            used, seen, why = newest_readable(self._productions(granule, paths, elsewhere), read)
        except UnreadableFileError:
            if unreadable:
                raise
            return None
        if why:
            other = ", ".join(path.name for path in used.files if path not in granule.files)
            gaps.append(f"granule {granule}: {why}; {other} is read in its place")
        return seen

    def _productions(
        self, granule: Granule, paths: Sequence[Path], elsewhere: Container[Granule]
    ) -> Iterator[Granule]:
        """Give a granule; then, each once, those of its older files: of all, or in place of broken ones.

        Where it lies `elsewhere` its files belong together, and only others of one kind can be better.
        """
        yield granule
        mine = [path for path in paths if any(map(granule.same_as, self.find([path], self.kind)))]
        left, given = [(granule, mine)], [granule]
        while left:
            one, there = left.pop(0)
            for without in _spare(one, there, together=one in elsewhere):
                rest = [path for path in there if path not in without]
                for other in self.find(rest, self.kind):
                    if other.is_complete() and other not in given:
                        given.append(other)
                        yield other
                        left.append((other, rest))


def _spare(granule: Granule, there: Sequence[Path], *, together: bool) -> Iterator[frozenset[Path]]:
    """Give the files to do without: all, then those that are broken, or one after the other if none is."""
    yield frozenset(granule.files)
    if not together and not set(there) <= set(granule.files):
        broken = granule.broken()
        yield from [broken] if broken else [frozenset([path]) for path in granule.files]


def read_granule(granule: Granule, region: Region) -> Overpass | None:
    """Read one granule onto a region's grid.

    Memory is bounded by the granule's geolocation and the region's planes.

    Returns:
        None if the granule does not reach the region, or sees it only with the sun too low.

    Raises:
        UnreadableFileError: if a file of the pair is missing or broken, or lacks a band.
    """
    try:
        return _read(granule, region)
    except _ElsewhereError:
        return None


class _ElsewhereError(UnreadableFileError):
    """A granule that does not reach the region: cut for another, or of another part of the orbit."""

    def __init__(self, granule: Granule, region: Region) -> None:
        super().__init__(f"{granule.place[0].name}: region {region.name} is not in it")


def _read(granule: Granule, region: Region) -> Overpass | None:
    """Read one granule as `read_granule` does; one that does not reach the region is an error."""
    kind = granule.kind
    margin = margin_degrees(kind.pixel_km)
    where = granule.geolocation(region.south - margin, region.north + margin)
    if where is None:
        raise _ElsewhereError(granule, region)
    shape, first = where.shape, where.first
    placement = place(
        where.longitude, where.latitude, region, rows_per_scan=kind.rows_per_scan, pixel_km=kind.pixel_km
    )
    del where
    if placement is None:
        raise _ElsewhereError(granule, region)
    planes = {
        name: np.full(region.shape, np.nan, np.float32) for name in ("red", "nir", "mir", "view_zenith")
    }
    for rows, part in placement.blocks():
        lines = slice(first + part.lines.start, first + part.lines.stop)
        pixels = granule.pixels(shape, (lines, part.pixels))
        bands = [getattr(pixels, name) for name in planes]
        for plane, values in zip(planes.values(), resample(part, bands, pixels.deleted), strict=True):
            plane[rows] = values
    if not np.isfinite(planes["red"]).any():
        if not placement.is_inside():
            raise _ElsewhereError(granule, region)
        return None
    return Overpass(
        granule.time,
        **planes,
        inputs=tuple(path.name for path in granule.files),
        satellite=granule.satellite,
    )


def _by_overpass(granules: Iterable[Granule]) -> Iterator[list[Granule]]:
    """Group granules that one satellite took without a break."""
    group: list[Granule] = []
    for granule in sorted(granules, key=lambda granule: (granule.satellite, granule.time)):
        follows = group and group[-1].satellite == granule.satellite
        if not (follows and granule.time - group[-1].time <= _GRANULE_MINUTES):
            if group:
                yield group
            group = []
        group.append(granule)
    if group:
        yield group


def _filled(first: Overpass, second: Overpass) -> Overpass:
    """Fill the cells that the first granule of an overpass did not see from the second, in place."""
    missing = np.isnan(first.red)
    for name in ("red", "nir", "mir", "view_zenith"):
        np.copyto(getattr(first, name), getattr(second, name), where=missing)
    return replace(first, inputs=first.inputs + second.inputs)


viirs750 = SwathSource("viirs750-swath", MOD, l1b.find_granules, r"V(NP|J1|J2)0[23]MOD")
viirs375 = SwathSource("viirs375-swath", IMG, l1b.find_granules, r"V(NP|J1|J2)0[23]IMG")
for _source in (
    viirs750,
    viirs375,
    SwathSource("viirs750-sdr", MOD, sdr.find_granules, r"(SVM(05|07|12|15)|GMTCO|GMODO)[-_]"),
    SwathSource("viirs375-sdr", IMG, sdr.find_granules, r"(SVI0[1245]|GITCO|GIMGO)[-_]"),
):
    register(_source)
