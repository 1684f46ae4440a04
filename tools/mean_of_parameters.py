"""Write weights whose parameters are the mean of those of several runs that go on from each other.

python tools/mean_of_parameters.py OUT.safetensors WEIGHTS WEIGHTS... [--shares 2 1 ...]

They are not calibrated: `banet weights calibrate` does that. The card is that of the first, and names all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from banet.model.weights import load_model, save_weights
from banet.training.origins import training_of


def main() -> None:
    """Load, average and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("weights", nargs="+", help="names or paths")
    parser.add_argument("--shares", type=float, nargs="+", help="of each; equal by default")
    asked = parser.parse_args()
    shares = torch.tensor(asked.shares or [1.0] * len(asked.weights), dtype=torch.float64)
    if len(shares) != len(asked.weights) or not (shares > 0).all():
        parser.error("give a share above 0 for each of the weights")
    models = [load_model(name) for name in asked.weights]
    first = models[0]
    if any(model.config != first.config or model.spec != first.spec for model in models):
        parser.error("these weights are of different networks or inputs")
    states = [model.state_dict() for model in models]
    first.load_state_dict({name: _mean([state[name] for state in states], shares) for name in states[0]})
    first.calibration = None
    members = {model.weights_sha256: float(share) for model, share in zip(models, shares / shares.sum())}
    own = first.card.get("earlier_chips", [])
    earlier = [*own, *(part for model in models[1:] for part in training_of(model.card))]
    card = {**first.card, "mean_of_parameters": members, "earlier_chips": earlier}
    save_weights(first, asked.out, card=card)


def _mean(values: list[torch.Tensor], shares: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of tensors, in their type; counters are those of the first."""
    if not values[0].is_floating_point():
        return values[0]
    total = sum(value.double() * share for value, share in zip(values, shares / shares.sum()))
    return torch.as_tensor(total).to(values[0].dtype)


if __name__ == "__main__":
    main()
