"""Weights of a network fitted to a wider one that says the same, for training to go on from.

A wider network has more channels in its stages, longer kernels or more spans of memory. Old channels keep
their weights and read new ones with weight 0. New channels start at random, so that they learn as soon as
they are read (Chen et al. 2016, Net2Net, doi 10.48550/arXiv.1511.05641, widen by copies instead).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from banet.model.config import BANetConfig
from banet.model.network import BANet, ConvNorm
from banet.model.temporal_context import context_planes

__all__ = ["holds", "widened"]

_MEAN, _VARIANCE = 0.40, 0.34
"""Of a normal value after a ReLU: what the channels of a normalised layer are like."""

_Places = Sequence[int]


def holds(wide: BANetConfig, narrow: BANetConfig) -> bool:
    """Return whether a network can say all that a narrower one says, whatever their input channels."""
    kernels = ("space_kernels", "time_kernels")
    pairs = [(wide.widths, narrow.widths), *((getattr(wide, k), getattr(narrow, k)) for k in kernels)]
    return (
        all(getattr(wide, name) == getattr(narrow, name) for name in ("classes", "lstm", "norm"))
        and len(wide.widths) == len(narrow.widths)
        and all(a >= b for pair in pairs for a, b in zip(*pair, strict=True))
        and (not narrow.lstm or wide.width == narrow.width)
        and wide.head_kernel >= narrow.head_kernel
        and set(wide.memory) >= set(narrow.memory)
    )


def widened(state: dict[str, Tensor], narrow: BANetConfig, wide: BANet) -> dict[str, Tensor]:
    """Fit the weights of a network to a wider one.

    Args:
        state: of a network of `narrow` with as many input channels as `wide`.
        narrow: its shape.
        wide: a network that `holds` it, with fresh weights.

    Returns:
        A state dict for `wide`, with which it gives the same logits.
    """
    found = {name: tensor.clone() for name, tensor in wide.state_dict().items()}
    for name, out, into in _layers(narrow, wide.config):
        layer = wide.get_submodule(name)
        assert isinstance(layer, ConvNorm)
        up = isinstance(layer.conv, torch.nn.ConvTranspose3d)
        _fit(found, state, name, out, into, up=up)
    for name in found.keys() & state.keys():
        if name.startswith(("memory.", "encoder.0.lstm.")):
            found[name] = state[name]
    found["logits.bias"] = state["logits.bias"]
    found["logits.weight"] = torch.zeros_like(found["logits.weight"])
    found["logits.weight"][:, : 2 * narrow.width] = state["logits.weight"]
    return found


def _layers(narrow: BANetConfig, wide: BANetConfig) -> Iterator[tuple[str, _Places, _Places]]:
    """Yield each layer, and where its old channels lie among the new ones: those it gives, those it reads."""
    old, new = narrow.widths, wide.widths
    last = len(old) - 1
    into: _Places = _first_places(narrow, wide)
    for i, width in enumerate(old):
        yield f"encoder.{i}.space", range(width), into
        yield f"encoder.{i}.time", range(width), range(width)
        into = range(width)
    yield "bottom", into, into
    yield "bottom_up", into, into
    for step, i in enumerate(range(last, 0, -1)):
        yield f"decoder.{step}.space", range(old[i - 1]), _beside(old[i], new[i])
        yield f"decoder.{step}.time", range(old[i - 1]), range(old[i - 1])
    yield "head", range(2 * old[0]), _beside(old[0], new[0])


def _first_places(narrow: BANetConfig, wide: BANetConfig) -> list[int]:
    added = context_planes(wide.memory)
    count = wide.channels
    return [*range(count), *(count + added.index(plane) for plane in context_planes(narrow.memory))]


def _beside(old: int, new: int) -> list[int]:
    """Return where the channels of two stages lie that are joined."""
    return [*range(old), *range(new, new + old)]


def _fit(
    found: dict[str, Tensor], state: dict[str, Tensor], name: str, out: _Places, into: _Places, *, up: bool
) -> None:
    """Put the old weights and statistics of a layer among its new ones."""
    wide, narrow = found[f"{name}.conv.weight"], state[f"{name}.conv.weight"]
    if up:  # transposed convolutions have what they read first
        wide, narrow = wide.transpose(0, 1), narrow.transpose(0, 1)
    rows, columns = torch.tensor(list(out)), torch.tensor(list(into))
    middle = tuple(
        slice((n - o) // 2, (n - o) // 2 + o) for n, o in zip(wide.shape[2:], narrow.shape[2:], strict=True)
    )
    fresh = wide.flatten(1)
    mean, variance = _MEAN * fresh.sum(1), _VARIANCE * fresh.square().sum(1)
    wide[rows] = 0
    centre = wide[(slice(None), slice(None), *middle)]
    centre[rows[:, None], columns[None]] = narrow
    for part, values in (("running_mean", mean), ("running_var", variance)):
        found[f"{name}.norm.{part}"] = values.clone()
    for part in ("running_mean", "running_var", "weight", "bias"):
        found[f"{name}.norm.{part}"][rows] = state[f"{name}.norm.{part}"]
    found[f"{name}.norm.num_batches_tracked"] = state[f"{name}.norm.num_batches_tracked"]
