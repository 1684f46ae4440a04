"""Weights into the cache that `load_model` knows: the published ones, or one's own from an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from banet.download.checksums import Checksum
from banet.download.client import Client
from banet.download.plan import Plan
from banet.download.pool import Failure, Progress, Report, fetch_all
from banet.download.transfer import FileJob
from banet.errors import BanetError, InputError, NotFoundError
from banet.io.files import output_folder
from banet.model.compat import PUBLISHED
from banet.model.weights import SUFFIXES, cache_folder, load_model, save_weights

__all__ = ["DEFAULT_ENSEMBLE", "fetch_weights", "plan_weights", "published_members"]

DEFAULT_ENSEMBLE = "banetv0.20-val2017"


def published_members(names: Sequence[str], published: Mapping[str, str] = PUBLISHED) -> tuple[str, ...]:
    """Return the published files that names stand for: themselves, the folds of a year, or `all`.

    Raises:
        NotFoundError: if a name stands for none.

    >>> published_members(["banetv0.20-val2017"])[0]
    'banetv0.20-val2017-fold0'
    """
    members: dict[str, None] = {}
    for name in names:
        found = [
            known for known in published if name in {"all", known, known.rpartition("-")[0], f"{known}.pth"}
        ]
        if not found:
            years = ", ".join(dict.fromkeys(known.rpartition("-")[0] for known in published))
            raise NotFoundError(
                f"no published weights named {name!r}; known are all, {years} and their folds"
            )
        members.update(dict.fromkeys(found))
    return tuple(members)


def plan_weights(
    client: Client,
    names: Sequence[str] = (DEFAULT_ENSEMBLE,),
    *,
    published: Mapping[str, str] = PUBLISHED,
) -> Plan:
    """Plan the published weights that are not in the cache yet.

    Args:
        client: connections and settings.
        names: of files, of years, or `all`.
        published: git blob id by name.

    Raises:
        NotFoundError: if a name is not known.
    """
    cache = _cache()
    jobs, notes = [], []
    for name in published_members(names, published):
        if (cache / f"{name}.safetensors").is_file():
            notes.append(f"{name} is in {cache} already")
            continue
        url = client.settings.weights.published.format_map({"name": name})
        jobs.append(FileJob(url, _incoming(cache) / f"{name}.pth", checksum=Checksum("git", published[name])))
    return Plan(tuple(jobs), tuple(notes))


def plan_address(url: str, *, name: str | None = None, sha256: str | None = None) -> Plan:
    """Plan weights of one's own from an address.

    Args:
        url: of a `.safetensors`, `.pth` or `.pt` file.
        name: to know them by; the file's own by default.
        sha256: that the file must have.

    Raises:
        InputError: if the address names no such file, the name cannot be one, or the checksum is none.
    """
    file = PurePosixPath(unquote(urlsplit(url).path)).name
    if not url.startswith(("https://", "http://")) or not file.endswith(SUFFIXES):
        raise InputError("the address of weights must be https://.../NAME.safetensors, .pth or .pt")
    stem = name or PurePosixPath(file).stem
    if not stem or not all(c.isalnum() or c in "._-" for c in stem) or stem.startswith("."):
        raise InputError(f"{stem!r} cannot name weights: letters, digits, '.', '_' and '-'; give --name")
    if name is None and stem in PUBLISHED:
        raise InputError(f"{stem} is the name of published weights; give yours another with --name")
    cache = _cache()
    if (cache / f"{stem}.safetensors").is_file():
        return Plan((), (f"{stem} is in {cache} already; remove it there to fetch it again",))
    check = Checksum("sha256", sha256) if sha256 else None
    return Plan((FileJob(url, _incoming(cache) / f"{stem}{PurePosixPath(file).suffix}", checksum=check),))


def fetch_weights(client: Client, plan: Plan, *, progress: Progress | None = None) -> Report:
    """Fetch planned weights, make safetensors of them in the cache, and make sure that they load.

    Args:
        client: connections; no login is used.
        plan: from `plan_weights` or `plan_address`.
        progress: called after each file.

    Returns:
        What became of them; `fetched` and `present` name the files in the cache. A file that is no BA-Net is
        a failure, and is removed.

    Raises:
        OutputError: if the cache cannot be written to.
    """
    report = fetch_all(client, plan.jobs, progress=progress)
    made: list[Path] = []
    failed = list(report.failed)
    for file in (*report.fetched, *report.present):
        target = file.parent.parent / f"{file.stem}.safetensors"
        try:
            model = load_model(file)
            save_weights(model, target, spec=model.spec, card=model.card)
            made.append(target)
        except (InputError, OSError) as error:
            if not isinstance(error, BanetError):
                raise
            failed.append(Failure(file.name, str(error)))
        file.unlink()
    return replace(report, fetched=tuple(made), present=(), failed=tuple(failed)).with_notes(*plan.notes)


def _cache() -> Path:
    return output_folder(cache_folder())


def _incoming(cache: Path) -> Path:
    """Return the folder in which files wait to be converted; `load_model` does not look there."""
    return cache / "incoming"
