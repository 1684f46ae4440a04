"""A report as one HTML page that needs no network: pictures, tables and manifests are inside it."""

from __future__ import annotations

import base64
import html
import importlib.resources
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.netcdf import read_map
from banet.errors import InputError, NotFoundError
from banet.export.calendar import period_in_words
from banet.export.drawing import hectares
from banet.export.products import MANIFEST, check_products, find_manifests
from banet.io.files import PathLike, existing_file, output_folder, writing

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["Picture", "Section", "Table", "sections_of", "write_report"]

NAME = "report.html"
_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Picture:
    """A picture file, and what it shows in words for those who cannot see it."""

    path: PathLike
    caption: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Table:
    """A table: names of the columns, rows of text or numbers, and a caption.

    Numbers are set flush right; floats get three significant digits unless they are text already.

    Raises:
        InputError: if a row is not as long as there are columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"table {self.caption!r}: a row of {len(row)} does not fit {len(self.columns)} columns"
                )

    @classmethod
    def of(cls, frame: pd.DataFrame, caption: str = "", *, index: bool = True) -> Table:
        """Make a table of a data frame, its index as the first column."""
        if index:
            frame = frame.reset_index()
        return cls([str(name) for name in frame.columns], frame.to_numpy(object).tolist(), caption)


@dataclass(frozen=True)
class Section:
    """A part of a report, shown in the order title, text, tables, pictures, details.

    Attributes:
        title: of the section.
        text: paragraphs.
        tables: tables of scores, files and so on.
        pictures: pictures that go into the page.
        details: longer texts by name, folded up, such as manifests.
    """

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    details: Mapping[str, str] | None = None


def write_report(
    folder: PathLike,
    title: str,
    sections: Sequence[Section],
    *,
    name: str = NAME,
    lead: str = "",
    foot: str = "",
) -> Path:
    """Write a report of sections as one HTML page and return its path.

    Args:
        folder: where to; it is made if needed.
        title: of the page.
        sections: its parts.
        name: of the file.
        lead: a sentence under the title.
        foot: a line at the end.

    Raises:
        NotFoundError: if a picture is missing.
        InputError: if a picture is of a format that pages cannot show.
        OutputError: if it cannot be written.
    """
    target = output_folder(folder) / name
    style = (importlib.resources.files("banet.export") / "report.css").read_text(encoding="utf-8")
    body = "\n".join(
        [*_head(title, lead, sections), *(_section(i, s) for i, s in enumerate(sections)), *_foot(foot)]
    )
    page = _PAGE.format(title=html.escape(title), style=style, body=body)
    with writing(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def sections_of(folder: PathLike) -> list[Section]:
    """Make the sections of a report on the maps in a folder: an overview, then each map.

    Raises:
        NotFoundError: if the folder is missing or holds no complete map.
        UnreadableFileError: if a product has changed since it was written.
    """
    found = find_manifests(folder)
    if not found:
        raise NotFoundError(
            f"{folder} holds no map with its manifest (*{MANIFEST}); write one with 'banet map'"
        )
    maps = [(path, read_map(path.with_name(path.name.removesuffix(MANIFEST) + ".nc"))) for path in found]
    rows = [_facts(burnmap) for _, burnmap in maps]
    overview = Section("Maps", tables=[Table(_FACTS, rows, "Burned cells count by their burned fraction.")])
    return [overview, *(_map_section(path, burnmap) for path, burnmap in maps)]


_FACTS = ("region", "period", "burned", "burned cells", "day with most", "not observed")


def _facts(burnmap: BurnedArea) -> list[Any]:
    daily = burnmap.daily_area_ha()
    land = ~burnmap.water
    unseen = float((burnmap.status[land] == -1).mean()) if land.any() else 0.0
    return [
        burnmap.region.name,
        period_in_words(burnmap.start, burnmap.stop),
        hectares(float(daily.sum())),
        int(np.count_nonzero(burnmap.burned)),
        f"{daily.idxmax():%Y-%m-%d}" if daily.sum() > 0 else "none",
        f"{unseen:.1%} of land",
    ]


def _map_section(path: Path, burnmap: BurnedArea) -> Section:
    manifest = check_products(path)
    stem = path.name.removesuffix(MANIFEST)
    picture = path.with_name(f"{stem}.png")
    title = f"{burnmap.region.name}, {period_in_words(burnmap.start, burnmap.stop)}"
    files = [
        (name, f"{(path.parent / name).stat().st_size / 1024:,.0f} KiB", digest[:12])
        for name, digest in manifest.products.items()
    ]
    alt = f"Burn dates and hectares by day: {title}, {hectares(burnmap.burned_area_ha)} burned"
    return Section(
        title,
        tables=[Table(("file", "size", "SHA-256 begins"), files, "Files")],
        pictures=[Picture(picture, "", alt)] if picture.name in manifest.products else [],
        details={"Manifest": manifest.to_json()},
    )


def _head(title: str, lead: str, sections: Sequence[Section]) -> Iterator[str]:
    yield f"<header><h1>{html.escape(title)}</h1>"
    if lead:
        yield f"<p class='lead'>{html.escape(lead)}</p>"
    yield "</header>"
    if len(sections) > 3:
        links = "".join(
            f"<li><a href='#s{i}'>{html.escape(s.title)}</a></li>" for i, s in enumerate(sections)
        )
        yield f"<nav aria-label='Contents'><ul>{links}</ul></nav>"


def _foot(foot: str) -> Iterator[str]:
    if foot:
        yield f"<footer>{html.escape(foot)}</footer>"


def _section(number: int, section: Section) -> str:
    parts = [f"<section id='s{number}'><h2>{html.escape(section.title)}</h2>"]
    parts += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.text]
    parts += [_table(table) for table in section.tables]
    parts += [_picture(picture) for picture in section.pictures]
    for name, text in (section.details or {}).items():
        parts.append(
            f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(text)}</pre></details>"
        )
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    numeric = [
        all(_is_number(row[i]) for row in table.rows) and bool(table.rows) for i in range(len(table.columns))
    ]
    head = "".join(
        f"<th scope='col'{_CLASS[right]}>{html.escape(name)}</th>"
        for name, right in zip(table.columns, numeric)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{_CLASS[right]}>{_cell(v)}</td>" for v, right in zip(row, numeric)) + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    return (
        f"<div class='wide'><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "–" if not np.isfinite(value) else f"{value:.3g}"
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u2009")
    return html.escape("–" if value is None else str(value))


def _picture(picture: Picture) -> str:
    file = existing_file(picture.path, "picture")
    media = _MEDIA.get(file.suffix.lower())
    if media is None:
        raise InputError(
            f"the picture {file} is {file.suffix or 'without suffix'}; a page shows {', '.join(_MEDIA)}"
        )
    data = base64.b64encode(file.read_bytes()).decode()
    alt = html.escape(picture.alt or picture.caption, quote=True)
    caption = f"<figcaption>{html.escape(picture.caption)}</figcaption>" if picture.caption else ""
    return f"<figure><img alt='{alt}' src='data:{media};base64,{data}'>{caption}</figure>"


_NUMBER = re.compile(r"[-+−]?\d[\d.,\u2009]*( ?(%|ha|days?|h|min|s|[KMG]?i?B)( of \w+)?)?")
_CLASS = {True: " class='n'", False: ""}
_PAGE = """<!doctype html>
<html lang='en'>
<head>
<meta charset='utf-8'>
<meta name='viewport' content='width=device-width, initial-scale=1'>
<meta name='generator' content='banet'>
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
