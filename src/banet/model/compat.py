"""The only place that knows the files of the original: its names, its weights, its git blob ids.

Source: the repository mnpinto/banet_weights, commit 48daeab, folder model/ (Apache-2.0).
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from banet.errors import CorruptError, InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file
from banet.io.integrity import zip_fault
from banet.model.config import BANetConfig
from banet.model.network import BANet

__all__ = [
    "PUBLISHED",
    "from_published",
    "git_blob_id",
    "published_names",
    "read_pth",
    "to_published",
]

State = dict[str, Tensor]

_BLOBS = {
    2012: (
        "eaf820c4fdd4b5bed3cff18911bb4e4568190a58",
        "efbc1d6ccf6b55af2e06781cc094667f5dadafc5",
        "6f73bc1df13a2f25413d033532d0602f9e91969a",
    ),
    2013: (
        "dfd14a02c09cf93f5fd0b1f1dcd4ce890f65ea7b",
        "6439d546e9ffb4a794a26c9f84cf2ec50fc872af",
        "a6d60642d38ef83a192ae3dd3d1e4721eb19634a",
    ),
    2014: (
        "7245e6c9b3f3ceedc1650f6370847114de4723fc",
        "5bce902486fb3f1b3846e5bb4eaeac2d6da9c3d4",
        "aa00a13cfb55e7364f094a5d494e6d23ba438e50",
    ),
    2015: (
        "3aa6c3bca648675ddcfe534708e98f897891849b",
        "89a60a1929777c3a8fb04f1353e037ff5ba361d3",
        "ce766cf1140bc342f90b048b484b471f65cb5c61",
    ),
    2016: (
        "f8f6a8be1962c08131460a8445f4501a7fd1f9ce",
        "2eab12ee5745ffb0b5d8d835ccecf0eb4b557016",
        "b9fc824c95cb719632d18895da5f71e5c3ebdd46",
    ),
    2017: (
        "7602c826e255155b9823b0d5d5463b36ef67d028",
        "ea752a2ace9dd21a35712e696759e952d64805ab",
        "de48feb2e4c8110f05408003f02adb3dd11f5230",
    ),
}

PUBLISHED: dict[str, str] = {
    f"banetv0.20-val{year}-fold{fold}": blob for year, ids in _BLOBS.items() for fold, blob in enumerate(ids)
}
"""Git blob id of each published file, by its name without `.pth`; the year is the one left out."""

_BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_LSTM = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def git_blob_id(path: PathLike) -> str:
    """Return the SHA-1 that git gives to a file's content, to verify what was downloaded."""
    content = existing_file(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _pair(published: str, bn: str, ours: str) -> Iterator[tuple[str, str]]:
    """Names of one convolution and its normalisation."""
    yield f"{published}.weight", f"{ours}.conv.weight"
    for part in _BN:
        yield f"{bn}.bn.{part}", f"{ours}.norm.{part}"


def published_names() -> dict[str, str]:
    """Return our name of every tensor of the original, by the original's, in the original's order."""
    return dict(_names())


def _names() -> Iterator[tuple[str, str]]:
    for i in range(5):
        theirs, ours = f"stconv{i + 1}.stconv", f"encoder.{i}"
        yield from _pair(f"{theirs}.0.conv.0", f"{theirs}.0.conv.1", f"{ours}.space")
        yield f"{theirs}.1.timeConv.weight", f"{ours}.time.conv.weight"
        if i == 0:
            yield from ((f"{theirs}.1.timeLstm.lstm.{part}", f"{ours}.lstm.{part}") for part in _LSTM)
        yield from ((f"{theirs}.1.bn.bn.{part}", f"{ours}.time.norm.{part}") for part in _BN)
    yield from _pair("stconv6.conv.0", "stconv6.conv.1", "bottom")
    yield from _pair("ustconv6.conv.0", "ustconv6.conv.1", "bottom_up")
    for i in range(4):
        theirs = f"ustconv{5 - i}.upstconv"
        yield from _pair(f"{theirs}.0.conv.0", f"{theirs}.0.conv.1", f"decoder.{i}.space")
        yield from _pair(f"{theirs}.1.conv.0", f"{theirs}.1.conv.1", f"decoder.{i}.time")
    yield from _pair("conv3", "bn", "head")
    yield "final_conv.weight", "logits.weight"
    yield "final_conv.bias", "logits.bias"


def read_pth(path: PathLike) -> State:
    """Read the tensors of a `.pth` file without ever running code from it.

    Both published layouts are read: the state dict itself, and a dict that holds it under `model`.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no torch file, is truncated, or holds code or objects.
        CorruptError: if a byte of it is another than was written.
    """
    file = existing_file(path, "weights file")
    if fault := zip_fault(file):
        raise CorruptError(f"{file} is damaged ({fault}): fetch it again")
    try:
        with warnings.catch_warnings():
            # An unusual pickle protocol is worth a warning to torch; here it ends in an error or loads.
            warnings.simplefilter("ignore")
            found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnreadableFileError(_refusal(file, error)) from error
    except (RuntimeError, EOFError, KeyError, ValueError, zipfile.BadZipFile, OSError) as error:
        raise UnreadableFileError(
            f"{file} is not a readable torch file, or is truncated: fetch it again"
        ) from error
    if isinstance(found, dict) and isinstance(found.get("model"), dict):
        found = found["model"]
    if not isinstance(found, dict) or not found or not all(isinstance(v, Tensor) for v in found.values()):
        raise UnreadableFileError(f"{file} holds no state dict, neither by itself nor under the key 'model'")
    # Networks trained on several devices carry this prefix.
    return {str(key).removeprefix("module."): value for key, value in found.items()}


def _refusal(file: Path, error: Exception) -> str:
    # A bare pickle begins with this byte; torch names what it refuses in its own files.
    if "Unsupported global" in str(error) or file.read_bytes()[:1] == b"\x80":
        return f"{file} holds code or objects beside tensors and was not opened: save its state_dict alone"
    return f"{file} is not a readable torch file, or is truncated: fetch it again"


def from_published(state: Mapping[str, Tensor], origin: str = "the state dict") -> tuple[BANetConfig, State]:
    """Turn a state dict of the original into a config and a state dict of ours.

    Width and channels are taken from the first convolution, classes from the last.

    Raises:
        InputError: if a tensor is missing, unknown or of another shape; the message names it.
    """
    names = published_names()
    # Files saved by torch before 0.4.1 have no such counters; nothing but training reads them.
    state = {name: torch.tensor(0) for name in names if name.endswith(".num_batches_tracked")} | dict(state)
    missing, unknown = [n for n in names if n not in state], [n for n in state if n not in names]
    if missing or unknown:
        raise InputError(
            f"{origin} is not BA-Net's: {len(missing)} tensors missing{_first(missing)}, "
            f"{len(unknown)} unknown{_first(unknown)}"
        )
    config = _config_of(state, origin)
    with torch.device("meta"):
        expected = BANet(config).state_dict()
    for theirs, ours in names.items():
        check_shape(theirs, state[theirs], expected[ours], origin)
    return config, {ours: state[theirs] for theirs, ours in names.items()}


def to_published(state: Mapping[str, Tensor]) -> State:
    """Give the tensors of a five-stage network with LSTM the names of the original."""
    return {theirs: state[ours] for theirs, ours in published_names().items()}


def check_shape(name: str, found: Tensor, expected: Tensor, origin: str) -> None:
    """Make sure that a tensor has the shape that the network needs.

    Raises:
        InputError: if it has another; the message names it.
    """
    if found.shape != expected.shape:
        raise InputError(
            f"{origin}: tensor {name} has shape {tuple(found.shape)}, expected {tuple(expected.shape)}"
        )


def _first(names: list[str]) -> str:
    return f" (first {names[0]})" if names else ""


def _config_of(state: Mapping[str, Tensor], origin: str) -> BANetConfig:
    first, last = state["stconv1.stconv.0.conv.0.weight"], state["final_conv.weight"]
    for name, tensor in {"stconv1.stconv.0.conv.0.weight": first, "final_conv.weight": last}.items():
        if tensor.ndim != 5 or 0 in tensor.shape:
            raise InputError(
                f"{origin}: tensor {name} has shape {tuple(tensor.shape)}, expected 5 dimensions, none empty"
            )
    return BANetConfig(channels=first.shape[1], width=first.shape[0], classes=last.shape[0])
