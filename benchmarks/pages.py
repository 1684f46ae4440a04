"""Putting a table into a page of the docs, between two marks, by the run that measured it."""

from __future__ import annotations

from pathlib import Path

from banet.io.files import writing


def put_into(page: Path, mark: str, text: str) -> None:
    """Replace what stands between `<!-- MARK: begin -->` and `<!-- MARK: end -->`."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    with writing(page) as part:
        part.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
