"""Start of a run: fresh weights, or others that are fitted to the network and its inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from banet.errors import InputError
from banet.model.config import InputSpec
from banet.model.network import BANet
from banet.model.temporal_context import context_planes
from banet.model.weights import load_model
from banet.training.config import OptimiserConfig, TrainingConfig
from banet.training.origins import training_of
from banet.training.widen import holds, widened

__all__ = [
    "adapt_channels",
    "card_of_start",
    "fix_statistics",
    "forget_hotspots",
    "freeze",
    "parameter_groups",
    "start_network",
]

_FIRST_CONV = "encoder.0.space.conv.weight"
_FIRST_MEAN = "encoder.0.space.norm.running_mean"


def start_network(config: TrainingConfig) -> BANet:
    """Make the network of a run, fresh or from `config.start.weights`, on the CPU.

    Its card tells the weights that it starts from, and all chips that those were trained on.

    Raises:
        NotFoundError, UnreadableFileError: if the weights cannot be read.
        InputError: if their network does not fit into `config.network`, channels aside.
    """
    torch.manual_seed(config.seed)
    model = BANet(config.network, config.inputs)
    if config.start.weights is not None:
        source = load_model(config.start.weights)
        if not holds(config.network, source.config):
            raise InputError(
                f"the weights {config.start.weights} are of the network {source.config}, which does not fit "
                f"into {config.network}; set network in the configuration to that of the weights, or wider"
            )
        state = adapt_channels(source.state_dict(), source.spec, config.inputs)
        model.load_state_dict(widened(state, source.config, model))
        model.card = card_of_start(source)
    elif config.start.prior is not None:
        # Fires are rare: a network that says 0.5 everywhere first has to unlearn that, and its maps of summed
        # days are 1 all over, where the Dice term has no slope.
        nn.init.constant_(model.logits.bias, math.log(config.start.prior / (1 - config.start.prior)))  # type: ignore[arg-type]
    if config.start.images_alone:
        forget_hotspots(model)
    return model


def card_of_start(source: BANet) -> dict[str, Any]:
    """Return what the card of a network tells of the weights that it starts from."""
    return {"started_from": source.weights_sha256, "earlier_chips": training_of(source.card)}


def forget_hotspots(model: BANet) -> None:
    """Take the part of hot spots out of the first layer, for good: they are as where nobody looked."""
    names, count = model.spec.channels, len(model.spec.channels)
    told = [names.index(name) for name in ("frp", "hotspots_known") if name in names]
    first = model.stages[0].space
    weight, mean = first.conv.weight, first.norm.running_mean
    assert mean is not None
    added = context_planes(model.config.memory)
    heat = [count + i for i, (kind, *_) in enumerate(added) if kind == "heat"]
    kept = torch.ones_like(weight)
    kept[:, told + heat] = 0
    with torch.no_grad():
        mean -= _of_missing(weight, model.spec, told)
        weight *= kept
    weight.register_hook(lambda gradient: gradient * kept)  # type: ignore[no-untyped-call]


def _of_missing(weight: Tensor, spec: InputSpec, channels: Sequence[int]) -> Tensor:
    """Return what channels add to each output while missing: one that is gone is as if it always were."""
    missing = weight.new_tensor([spec.missing[i] for i in channels])
    return weight[:, channels].sum((2, 3, 4)) @ missing


def adapt_channels(state: dict[str, Tensor], old: InputSpec, new: InputSpec) -> dict[str, Tensor]:
    """Fit the first convolution to another set of channels or another scaling.

    A channel of both keeps its weights, rescaled so that the same physical value gives the same response
    (away from the edges, where padding stands for another value); a new one starts at zero, without effect.

    Args:
        state: state dict of a `BANet` trained for `old`.
        old: channels and scaling of the state.
        new: channels and scaling to fit it to.

    Returns:
        A state dict for `new`.
    """
    if old.scaling == new.scaling:
        return state
    # What a memory adds comes after the channels, in physical units: it stays.
    weight, added = state[_FIRST_CONV].split_with_sizes(
        [len(old.channels), state[_FIRST_CONV].shape[1] - len(old.channels)], 1
    )
    fitted = weight.new_zeros((weight.shape[0], len(new.channels), *weight.shape[2:]))
    shift = weight.new_zeros(weight.shape[0])
    for i, name in enumerate(new.channels):
        if name in old.channels:
            j = old.channels.index(name)
            # (v - m_old) / s_old = ((v - m_new) / s_new) * (s_new / s_old) + (m_new - m_old) / s_old
            fitted[:, i] = weight[:, j] * (new.std[i] / old.std[j])
            shift += weight[:, j].sum((1, 2, 3)) * ((new.mean[i] - old.mean[j]) / old.std[j])
    shift += _of_missing(weight, old, [j for j, name in enumerate(old.channels) if name not in new.channels])
    return {**state, _FIRST_CONV: torch.cat((fitted, added), 1), _FIRST_MEAN: state[_FIRST_MEAN] - shift}


def parameter_groups(model: nn.Module, config: OptimiserConfig) -> list[dict[str, Any]]:
    """Sort the parameters that move into groups by rate and decay.

    Returns:
        Groups for an optimiser, each with a `factor` on the learning rate.

    Raises:
        InputError: if a prefix of `slower` or `frozen` is of no parameter, or all are frozen.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in (*config.slower, *config.frozen):
        if not any(_under(name, prefix) for name in names):
            raise InputError(f"no parameter's name starts with {prefix!r}; names start with {_roots(names)}")
    freeze(model, config.frozen)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = min((f for prefix, f in config.slower.items() if _under(name, prefix)), default=1.0)
            decay = config.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((factor, decay), []).append(parameter)
    if not groups:
        raise InputError(f"optimiser.frozen {config.frozen} leaves nothing to train")
    return [{"params": p, "factor": f, "weight_decay": d} for (f, d), p in groups.items()]


def freeze(model: nn.Module, prefixes: Sequence[str]) -> None:
    """Stop the parameters under `prefixes`, and their normalisation's running statistics, from moving."""
    for name, parameter in model.named_parameters():
        if any(_under(name, prefix) for prefix in prefixes):
            parameter.requires_grad_(False)
    for name, module in model.named_modules():
        if any(_under(name, prefix) for prefix in prefixes):
            module.eval()


def _under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix.rstrip(".") + ".")


def _roots(names: Sequence[str]) -> str:
    return ", ".join(sorted({name.split(".")[0] for name in names}))


def fix_statistics(model: BANet) -> None:
    """Let every normalisation use its running statistics and keep them, as in a map."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()
