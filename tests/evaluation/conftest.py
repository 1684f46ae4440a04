"""Pictures that are drawn by other tests, for those that ask for something else."""

from __future__ import annotations

import base64

import pytest

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


@pytest.fixture
def dots(monkeypatch):
    """Write a picture of one dot in the place of each."""

    def written(figure, path):
        path.write_bytes(DOT)
        return path

    monkeypatch.setattr("banet.evaluation.result_files.save", written)
