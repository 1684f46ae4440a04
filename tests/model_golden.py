"""Weights and inputs that any machine computes alike, and the original network to record numbers from.

Run with BANET_ORACLE naming the folder that holds the unpacked `banet` 0.6.7 wheel to record
`data/golden_banet.json` anew: `python tests/model_golden.py`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn

GOLDEN = Path(__file__).parent / "data" / "golden_banet.json"
CASES = (
    {"shape": (16, 32, 32), "step": 97},
    {"shape": (32, 32, 64), "step": 389},
)


def sequence(index: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Numbers that need no random generator: a sine over the elements, another phase for each tensor."""
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    fan_in = max(int(np.prod(shape[1:])), 1)
    return torch.from_numpy(
        (np.sin(0.7 * n**1.1 + 1.3 * index) * np.sqrt(3.0 / fan_in)).reshape(shape)
    ).float()


def golden_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Fill a state dict of the published names in their order; variances and factors stay positive."""
    state = {}
    for i, (name, shape) in enumerate(shapes.items()):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(1)
        elif name.endswith(("running_var", "bn.weight")):
            state[name] = 1.0 + sequence(i, shape) / 4
        else:
            state[name] = sequence(i, shape) / (4 if len(shape) == 1 else 1)
    return state


def golden_input(days: int, rows: int, columns: int) -> torch.Tensor:
    """Give (1, 4, days, rows, columns) between -3 and 3."""
    n = np.arange(4 * days * rows * columns, dtype=np.float64)
    return (
        torch.from_numpy(2.0 * np.sin(0.37 * n) + np.cos(0.011 * n)).float().view(1, 4, days, rows, columns)
    )


def load_oracle(folder: Path) -> types.ModuleType:
    """Import the original's `models.py` with a stand-in for the few names that it takes from fastai."""

    class Module(nn.Module):
        # The original's modules do not call their parent's __init__.
        def __new__(cls, *_: object, **__: object) -> Module:
            self = super().__new__(cls)
            nn.Module.__init__(self)
            return self

        def __init__(self) -> None: ...

    stand_in = types.ModuleType("fastai.vision.all")
    stand_in.__dict__.update(torch=torch, nn=nn, Module=Module)
    parents = {name: types.ModuleType(name) for name in ("fastai", "fastai.vision")}
    spec = importlib.util.spec_from_file_location("banet_original_models", folder / "banet" / "models.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {**parents, "fastai.vision.all": stand_in}):
        spec.loader.exec_module(module)
    return module


def record(folder: Path) -> None:
    """Write the original's logits for the golden weights and inputs."""
    model = load_oracle(folder).BA_Net(4, 1, 64)
    model.load_state_dict(golden_state({k: tuple(v.shape) for k, v in model.state_dict().items()}))
    cases = []
    with torch.inference_mode():
        for case in CASES:
            logits = model.eval()(golden_input(*case["shape"])).flatten()[:: case["step"]]
            cases.append({**case, "logits": [round(float(v), 8) for v in logits]})
    origin = (
        "every step-th logit of BA_Net(4, 1, 64) of PyPI banet 0.6.7 (models.py), weights and input as in "
        f"tests/model_golden.py, float32, torch {torch.__version__}, CPU"
    )
    GOLDEN.write_text(json.dumps({"origin": origin, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    record(Path(os.environ["BANET_ORACLE"]))
