"""Configs: presets, derived shapes, and every validator's failing input."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from banet.model.config import BANetConfig, InputSpec


def test_original_is_the_published_shape() -> None:
    config = BANetConfig.original()
    assert config.widths == (32, 64, 128, 256, 256)
    assert config.multiple == (16, 32, 32)
    assert config.lstm


def test_lean_is_narrow_and_takes_changes() -> None:
    config = BANetConfig.lean(12, channels=6, dropout=0.0)
    assert (config.width, config.lstm, config.channels, config.dropout) == (12, False, 6, 0.0)


def test_depth_sets_the_multiples() -> None:
    config = BANetConfig(multipliers=(1, 2, 4), space_kernels=(7, 3, 3), time_kernels=(7, 5, 3))
    assert config.multiple == (4, 8, 8)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"width": 0}, "width"),
        ({"channels": -1}, "channels"),
        ({"dropout": 1.0}, "dropout"),
        ({"time_kernels": (7, 7)}, "one length"),
        ({"multipliers": (1,), "space_kernels": (7,), "time_kernels": (7,)}, "at least 2"),
        ({"head_kernel": 2}, "odd"),
        ({"space_kernels": (7, 3, 4, 3, 3)}, r"odd.*\[4\]"),
        ({"norm": "group"}, "batch"),
        ({"wdth": 12}, "wdth"),
    ],
)
def test_config_refuses(fields: dict[str, object], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        BANetConfig(**fields)  # type: ignore[arg-type]


def test_configs_survive_json_and_are_frozen() -> None:
    config, spec = BANetConfig.lean(8, time_kernels=(5, 5, 5, 3, 3)), InputSpec(sensor="VIIRS NOAA-20")
    assert BANetConfig.model_validate_json(config.model_dump_json()) == config
    assert InputSpec.model_validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="frozen"):
        config.width = 3  # type: ignore[misc]


def test_original_spec_is_the_published_scaling() -> None:
    spec = InputSpec.original()
    assert spec.channels == ("red", "nir", "mir", "frp")
    assert spec.mean == (0.2349, 0.3548, 0.1128, 0.0016)
    assert spec.std == (0.1879, 0.1660, 0.0547, 0.0776)
    assert (spec.mir_band, spec.sequence_length) == ("M12", 64)
    assert spec.missing[0] == pytest.approx(-0.2349 / 0.1879)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"mean": (0.0, 0.0)}, "one length"),
        ({"std": (1.0, 0.0, 1.0, 1.0)}, "std"),
        ({"mean": (0.0, float("nan"), 0.0, 0.0)}, "mean"),
        ({"channels": ("red", "red", "mir", "frp")}, "once"),
        ({"channels": ("red", "nir", "swir", "frp")}, "channels"),
        ({"channels": (), "mean": (), "std": ()}, "once"),
    ],
)
def test_spec_refuses(fields: dict[str, object], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        InputSpec(**fields)  # type: ignore[arg-type]
