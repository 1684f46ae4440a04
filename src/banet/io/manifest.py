"""The manifest: what made an output, so that it can be made again and two runs can be compared.

A manifest has two parts. `reproducible` (command, settings, inputs, weights, versions, hashes of the
products) is the same for two equal runs; `run` holds the times of day and differs. No manifest holds a
credential, a host name or the name of a user's home folder.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banet.errors import InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file, sha256, visible_files, write_text
from banet.io.scrub import scrubbed_command, scrubbed_settings
from banet.io.versions import version

__all__ = ["InputFile", "Manifest"]

FORMAT = "banet-manifest/1"
_LIBRARIES = ("numpy", "torch", "xarray", "rasterio", "h5netcdf", "zarr")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _environment() -> dict[str, str]:
    versions = {name: version(name) or "not installed" for name in _LIBRARIES}
    system = f"{platform.system()} {platform.machine()}"
    return {**versions, "python": platform.python_version(), "platform": system}


@dataclass(frozen=True, order=True)
class InputFile:
    """A file or folder that a run read.

    Attributes:
        name: its name without folders.
        size: bytes; of a folder, all the files in it.
        sha256: hexadecimal digest of the file's bytes, or None where it was not taken.
    """

    name: str
    size: int
    sha256: str | None = None

    @classmethod
    def of(cls, path: PathLike, *, digest: bool = False) -> InputFile:
        """Describe a file or folder; the digest is taken of files only, and only if asked for.

        Raises:
            InputError: if there is nothing at `path`.
        """
        file = Path(path)
        if file.is_dir():
            return cls(file.name, sum(f.stat().st_size for f in visible_files(file)))
        if not file.is_file():
            raise InputError(f"cannot list the input {file} in the manifest: it does not exist")
        return cls(file.name, file.stat().st_size, sha256(file) if digest else None)


@dataclass(frozen=True)
class Manifest:
    """Record of what made an output.

    `Manifest.begin` takes credentials out of `command` and `config`, once; nothing else does.

    Attributes:
        command: the command line, one item a word.
        config: settings; values become what JSON can hold.
        inputs: the files that were read, sorted by name.
        weights: SHA-256 of each weights file by its name.
        products: SHA-256 of each written file by its name; `write_products` fills it in.
        started, finished: UTC times as ISO 8601 text, or None.
        version: of banet.
        environment: versions of Python and of the libraries that numbers depend on, and the platform.
    """

    command: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    started: str | None = None
    finished: str | None = None
    version: str = field(default_factory=lambda: version() or "unknown")
    environment: Mapping[str, str] = field(default_factory=_environment)

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", tuple(self.command))
        object.__setattr__(self, "inputs", tuple(sorted(self.inputs, key=lambda item: item.name)))
        for name in ("weights", "products", "environment"):
            object.__setattr__(self, name, dict(sorted(getattr(self, name).items())))

    @classmethod
    def begin(
        cls,
        command: Iterable[str] | str,
        config: Mapping[str, Any] | None = None,
        *,
        inputs: Iterable[PathLike] = (),
        weights: Mapping[str, str] | None = None,
        digest: bool = False,
    ) -> Manifest:
        """Make the manifest of a run that starts now.

        Args:
            command: the command line; text is split as a shell would.
            config: the settings that the run resolved to.
            inputs: paths of files and folders; only their names go into the manifest.
            weights: SHA-256 by name.
            digest: take the SHA-256 of every input file, which reads them all.

        Raises:
            InputError: if an input does not exist.
        """
        words = scrubbed_command(command if isinstance(command, str) else tuple(command))
        files = tuple(InputFile.of(path, digest=digest) for path in inputs)
        return cls(words, scrubbed_settings(config or {}), files, weights or {}, started=_now())

    def end(self, products: Mapping[str, str] | None = None) -> Manifest:
        """Return this manifest with the time set to now and the hashes of the products added."""
        return dataclasses.replace(self, finished=_now(), products={**self.products, **(products or {})})

    @property
    def reproducible(self) -> dict[str, Any]:
        """The part that is the same for two equal runs."""
        return {
            "command": list(self.command),
            "banet": self.version,
            "config": self.config,
            "inputs": [dataclasses.asdict(item) for item in self.inputs],
            "weights": self.weights,
            "environment": self.environment,
            "products": self.products,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the reproducible part: equal for two equal runs."""
        text = json.dumps(self.reproducible, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the manifest as JSON text, keys in a fixed order."""
        run = {"started": self.started, "finished": self.finished, "seconds": self._seconds()}
        fields = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "reproducible": self.reproducible,
            "run": run,
        }
        return json.dumps(fields, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    def write(self, path: PathLike) -> Path:
        """Write the manifest as JSON and return its path.

        Raises:
            OutputError: if it cannot be written.
        """
        return write_text(path, self.to_json())

    @classmethod
    def load(cls, path: PathLike) -> Manifest:
        """Read a manifest that `write` wrote.

        Raises:
            NotFoundError: if there is no such file.
            UnreadableFileError: if it is no manifest.
        """
        file = existing_file(path, "manifest")
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
            if fields["format"] != FORMAT:
                raise UnreadableFileError(f"{file} is a manifest of format {fields['format']}, not {FORMAT}")
            same, run = fields["reproducible"], fields["run"]
            return cls(
                command=tuple(same["command"]),
                config=same["config"],
                inputs=tuple(InputFile(**item) for item in same["inputs"]),
                weights=same["weights"],
                products=same["products"],
                started=run["started"],
                finished=run["finished"],
                version=same["banet"],
                environment=same["environment"],
            )
        except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableFileError(f"{file} is not a banet manifest: {error!r}") from error

    def _seconds(self) -> float | None:
        if self.started is None or self.finished is None:
            return None
        return (
            dt.datetime.fromisoformat(self.finished) - dt.datetime.fromisoformat(self.started)
        ).total_seconds()
