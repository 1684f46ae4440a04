"""Files and datasets of all kinds, made into cubes."""

from __future__ import annotations

from banet.ingest.dataset import from_dataset
from banet.ingest.folder import build_cube
from banet.ingest.original import import_original
from banet.ingest.reproject import to_region

__all__ = ["build_cube", "from_dataset", "import_original", "to_region"]
