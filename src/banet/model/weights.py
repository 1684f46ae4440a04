"""Files of weights: safetensors that say what they are, found by name or by path."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor

from banet.errors import CorruptError, InputError, NotFoundError, UnreadableFileError, first_line
from banet.io.files import PathLike, existing_file, sha256, writing
from banet.model.compat import PUBLISHED, check_shape, from_published, git_blob_id, read_pth
from banet.model.config import BANetConfig, Calibration, InputSpec
from banet.model.means import named_means, shipped_folder
from banet.model.network import BANet

__all__ = [
    "DEFAULT",
    "FORMAT",
    "SUFFIXES",
    "WeightsFile",
    "cache_folder",
    "find_weights",
    "list_weights",
    "load_model",
    "load_models",
    "save_weights",
    "weights_file",
]

DEFAULT = "default"
FORMAT = 1
"""Version of the metadata in our safetensors files."""

SUFFIXES = (".safetensors", ".pth", ".pt")
_CHECKSUM = "sha256"


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights that can be asked for by name.

    Attributes:
        name: what to ask for.
        path: the file.
        origin: `shipped` with the package or in the user's `cache`.
    """

    name: str
    path: Path
    origin: Literal["shipped", "cache"]


def cache_folder() -> Path:
    """Return the folder of downloaded weights: `weights` in BANET_CACHE or in ~/.cache/banet."""
    root = os.environ.get("BANET_CACHE")
    return (Path(root).expanduser() if root else Path.home() / ".cache" / "banet") / "weights"


def list_weights() -> tuple[WeightsFile, ...]:
    """List the weights that `load_model` knows by name; a shipped one hides a cached one of its name."""
    found: dict[str, WeightsFile] = {}
    places: tuple[tuple[Literal["shipped", "cache"], Path], ...] = (
        ("shipped", shipped_folder()),
        ("cache", cache_folder()),
    )
    for origin, folder in places:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in (p for p in files if p.suffix in SUFFIXES and p.stem not in named_means()):
            found.setdefault(path.stem, WeightsFile(path.stem, path, origin))
    return tuple(found.values())


def find_weights(name_or_path: PathLike) -> Path:
    """Return the file of weights that a name or a path stands for.

    Raises:
        NotFoundError: if there is none; the message lists the known names.
        InputError: if it names a mean of several.
    """
    text = os.fspath(name_or_path)
    is_path = not isinstance(name_or_path, str) or text.endswith(SUFFIXES) or Path(text).name != text
    if is_path:
        return existing_file(text, "weights file")
    if text in named_means():
        several = ", ".join(named_means()[text].members)
        raise InputError(f"{text} is the mean of {several}: one network is asked for here")
    known = {entry.name: entry.path for entry in list_weights()}
    if text in known:
        return known[text]
    names = ", ".join([*known, *named_means()]) or "none"
    hint = f"; fetch it with `banet download weights {text}`" if _published_members(text) else ""
    raise NotFoundError(f"no weights named {text!r}; known names: {names}{hint}, or give a path")


def _members(name: str) -> list[str]:
    """Names that `name` stands for: the members of a mean, or the published folds of a year."""
    if name in named_means():
        return list(named_means()[name].members)
    return _published_members(name)


def _published_members(name: str) -> list[str]:
    """Names of the published files that `name` stands for: itself, or the folds of a year."""
    return [known for known in PUBLISHED if known == name or known.rpartition("-")[0] == name]


def load_models(weights: PathLike | Sequence[PathLike], device: str = "cpu") -> tuple[BANet, ...]:
    """Load an ensemble: one or several names or paths.

    `best` stands for the three folds that ship, `banetv0.20-val2017` for the published ones of that year.

    Raises:
        InputError: if the list is empty.
        NotFoundError, UnreadableFileError, InputError: as `load_model`.
    """
    asked = [weights] if isinstance(weights, (str, os.PathLike)) else list(weights)
    if not asked:
        raise InputError("no weights asked for: give at least one name or path")
    members: list[PathLike] = []
    for one in asked:
        folds = _members(one) if isinstance(one, str) else []
        members += folds or [one]
    return tuple(load_model(member, device) for member in members)


def load_model(name_or_path: PathLike = DEFAULT, device: str | torch.device = "cpu") -> BANet:
    """Load a network in eval mode from a shipped or downloaded name or a `.safetensors` or `.pth` file.

    It takes normalised (batch, channels, T, H, W) and gives logits (batch, classes, T, H, W). Published
    `.pth` files get the original's scaling.

    Args:
        name_or_path: what to load.
        device: where to put it, such as `cpu` or `cuda`.

    Returns:
        The network, with `.config`, `.spec`, `.name`, `.card` and `.weights_sha256`.

    Raises:
        NotFoundError: if there is no such name or file; the message lists the names.
        UnreadableFileError: if the file is truncated, of another kind, or holds code.
        CorruptError: if a byte of it is another than was written.
        InputError: if a tensor is missing, unknown, of another shape or not finite; the message names it.
    """
    path = find_weights(name_or_path)
    read = _read_safetensors if path.suffix == ".safetensors" else _read_published
    config, spec, card, state, calibration = read(path)
    for key, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise InputError(
                f"{path}: tensor {key} holds NaN or infinity: the training that made it diverged"
            )
    model = BANet(config, spec)
    model.load_state_dict(state)
    model.name, model.card, model.weights_sha256 = path.stem, card, sha256(path)
    model.calibration = calibration
    return model.eval().to(device)


_Loaded = tuple[BANetConfig, InputSpec, dict[str, Any], dict[str, Tensor], Calibration | None]


def _read_published(path: Path) -> _Loaded:
    config, state = from_published(read_pth(path), str(path))
    blob = git_blob_id(path)
    name = next((name for name, known in PUBLISHED.items() if known == blob), None)
    card = {"origin": "BA-Net state dict", "git_blob": blob, "published_as": name}
    spec = InputSpec.original()
    if config.channels != len(spec.channels):
        raise InputError(
            f"{path} takes {config.channels} channels, the original's scaling knows {len(spec.channels)}: "
            "convert it with a spec of its own"
        )
    return config, spec, card, state, None


def _read_safetensors(path: Path) -> _Loaded:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        state = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise UnreadableFileError(
            f"{path} is not a whole safetensors file ({error}): fetch it again"
        ) from error
    config, spec, card, calibration = _read_metadata(metadata, path)
    # Files of before there was a checksum have none.
    if metadata.get(_CHECKSUM, whole := _checksum(metadata, state)) != whole:
        raise CorruptError(f"{path} is damaged: it is not what was written; fetch or copy it again")
    with torch.device("meta"):
        expected = BANet(config).state_dict()
    for key in expected.keys() ^ state.keys():
        kind = "missing" if key in expected else "unknown"
        raise InputError(f"{path}: tensor {key} is {kind} for the config in the file")
    for key, tensor in expected.items():
        check_shape(key, state[key], tensor, str(path))
    return config, spec, card, state, calibration


def _read_metadata(
    metadata: Mapping[str, str], path: Path
) -> tuple[BANetConfig, InputSpec, dict[str, Any], Calibration | None]:
    version = metadata.get("banet_format", "")
    if not version.isdigit():
        raise UnreadableFileError(f"{path} was not written by banet: it has no banet_format in its metadata")
    if int(version) > FORMAT:
        raise InputError(f"{path} is of format {version}, this banet reads up to {FORMAT}: update banet")
    try:
        config = BANetConfig.model_validate_json(metadata["config"])
        spec = InputSpec.model_validate_json(metadata["spec"])
        card = json.loads(metadata.get("card", "{}"))
        text = metadata.get("calibration")
        calibration = None if text is None else Calibration.model_validate_json(text)
    except (KeyError, ValidationError, json.JSONDecodeError) as error:
        reason = first_line(error)
        raise UnreadableFileError(f"{path} has unreadable metadata ({reason})") from error
    return config, spec, card, calibration


def weights_file(path: PathLike) -> Path:
    """Return the path of weights to write.

    Raises:
        InputError: if it does not end in `.safetensors`.
    """
    target = Path(path)
    if target.suffix != ".safetensors":
        raise InputError(f"weights are written as .safetensors, asked for {target.name}")
    return target


def save_weights(
    model: BANet, path: PathLike, *, spec: InputSpec | None = None, card: Mapping[str, Any] | None = None
) -> Path:
    """Write weights as safetensors with config, scaling, calibration and card as JSON in the metadata.

    Args:
        model: whose weights to write; on any device.
        path: must end in `.safetensors`.
        spec: scaling of the input; by default the model's own.
        card: what a user should know: data, command, seed, scores, limits; by default the model's own.

    Returns:
        The path.

    Raises:
        InputError: if the suffix is another, the card is not JSON, or the spec has other channels.
        OutputError: if the file cannot be written.
    """
    target, spec = weights_file(path), spec or model.spec
    if len(spec.channels) != model.config.channels:
        raise InputError(
            f"the spec has {len(spec.channels)} channels, the network takes {model.config.channels}"
        )
    try:
        text = json.dumps(dict(model.card if card is None else card), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"the model card cannot be written as JSON: {error}") from error
    metadata = {
        "banet_format": str(FORMAT),
        "config": model.config.model_dump_json(),
        "spec": spec.model_dump_json(),
        "card": text,
    }
    if model.calibration is not None:
        metadata["calibration"] = model.calibration.model_dump_json()
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    metadata[_CHECKSUM] = _checksum(metadata, state)
    with writing(target) as part:
        part.write_bytes(_ordered(safetensors.torch.save(state, metadata)))
    return target


def _checksum(metadata: Mapping[str, str], state: Mapping[str, Tensor]) -> str:
    """SHA-256 of all that a file says, its tensors by name."""
    words = {key: value for key, value in metadata.items() if key != _CHECKSUM}
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for key in sorted(state):
        digest.update(key.encode())
        digest.update(state[key].numpy().tobytes())
    return digest.hexdigest()


def _ordered(content: bytes) -> bytes:
    """Sort a safetensors file's metadata, whose order is random: equal weights shall be equal files."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    # The tensors after the header must stay aligned to eight bytes.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + size :]
