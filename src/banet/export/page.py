"""HTML pages that need no network: one frame, with pictures, tables and texts inside it."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from banet.errors import InputError
from banet.export.drawing import DPI
from banet.io.files import PathLike, existing_file, output_folder, write_text

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

__all__ = ["Picture", "Section", "Table", "render", "write_report"]

NAME = "report.html"
_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Picture:
    """A picture file, and what it shows in words for those who cannot see it."""

    path: PathLike
    caption: str = ""
    alt: str = ""

    @property
    def address(self) -> str:
        """The picture itself as a `data:` address.

        Raises:
            NotFoundError: if it is missing.
            InputError: if it is of a format that pages cannot show.
        """
        file = existing_file(self.path, "picture")
        media = _MEDIA.get(file.suffix.lower())
        if media is None:
            raise InputError(
                f"the picture {file} is {file.suffix or 'without suffix'}; a page shows {', '.join(_MEDIA)}"
            )
        return f"data:{media};base64,{base64.b64encode(file.read_bytes()).decode()}"

    @property
    def width(self) -> int | None:
        """Pixels of the page at which text in a PNG of ours has the size that it was drawn with."""
        head = existing_file(self.path, "picture").read_bytes()[:20]
        return int.from_bytes(head[16:20], "big") * 96 // DPI if head.startswith(b"\x89PNG") else None


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

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers alone."""
        columns = range(len(self.columns))
        return [bool(self.rows) and all(_is_number(row[i]) for row in self.rows) for i in columns]

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
        tables: tables of scores, files and so on, or HTML that is safe as it is (`markupsafe.Markup`).
        pictures: pictures that go into the page.
        details: longer texts by name, folded up, such as manifests.
    """

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table | Markup] = ()
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
    page = render("sections.html", title=title, sections=sections, lead=lead, foot=foot)
    return write_text(target, page)


def render(template: str, **values: Any) -> str:
    """Return a page made from a template of `export/templates`; a value that is missing is an error.

    All text is escaped. A template of its own extends `frame.html`, which brings head, style, `title`, `lead`
    and `foot`, and fills its block `body`.

    Args:
        template: name of the file.
        values: what the template shows.
    """
    return _environment().get_template(template).render({"lead": "", "foot": ""} | values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("banet.export"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    return environment


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "–" if not np.isfinite(value) else f"{value:.3g}"
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u2009")
    return "–" if value is None else str(value)


_NUMBER = re.compile(r"[-+−]?\d[\d.,\u2009]*( ?(%|ha|days?|h|min|s|[KMG]?i?B)( of \w+)?)?")
