"""Weights: what is written comes back, names and paths are found, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from banet.errors import CorruptError, InputError, NotFoundError, OutputError, UnreadableFileError
from banet.io.files import sha256
from banet.model import weights as weights_room
from banet.model.compat import to_published
from banet.model.config import BANetConfig, InputSpec
from banet.model.network import BANet
from banet.model.weights import WeightsFile, find_weights, list_weights, load_model, load_models, save_weights

CONFIG = BANetConfig(width=2, multipliers=(1, 2), space_kernels=(3, 3), time_kernels=(3, 3), lstm=False)


@pytest.fixture
def model() -> BANet:
    torch.manual_seed(0)
    return BANet(CONFIG)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's."""
    monkeypatch.setenv("BANET_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "weights"
    folder.mkdir(parents=True)
    return folder


def test_round_trip(model: BANet, tmp_path: Path) -> None:
    spec = InputSpec(sensor="VIIRS NOAA-20", mir_band="M11", std=(0.1, 0.1, 0.1, 1.0))
    card = {"data": "simulated", "seed": 3, "scores": {"dice": 0.9}}
    path = save_weights(model, tmp_path / "new" / "mine.safetensors", spec=spec, card=card)
    loaded = load_model(path)
    assert (loaded.config, loaded.spec, loaded.card, loaded.name) == (CONFIG, spec, card, "mine")
    assert loaded.weights_sha256 == sha256(path)
    assert not loaded.training
    for key, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor)
    assert save_weights(loaded, tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_metadata_is_readable_json(model: BANet, tmp_path: Path) -> None:
    path = save_weights(model, tmp_path / "mine.safetensors")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["banet_format"] == "1"
    assert json.loads(metadata["config"])["width"] == 2
    assert json.loads(metadata["spec"])["channels"] == ["red", "nir", "mir", "frp"]


def test_names_in_the_cache_are_listed_and_loaded(model: BANet, cache: Path) -> None:
    save_weights(model, cache / "mine.safetensors")
    (cache / "notes.txt").write_text("not weights")
    assert WeightsFile("mine", cache / "mine.safetensors", "cache") in list_weights()
    assert "notes" not in {entry.name for entry in list_weights()}
    assert load_model("mine").name == "mine"
    assert [m.name for m in load_models(["mine", cache / "mine.safetensors"])] == ["mine", "mine"]


def test_shipped_weights_hide_cached_ones_and_load(model: BANet, cache: Path) -> None:
    save_weights(model, cache / "default.safetensors")
    shipped = [entry for entry in list_weights() if entry.origin == "shipped"]
    for entry in shipped:
        assert find_weights(entry.name) == entry.path
        loaded = load_model(entry.name)
        assert loaded.config.channels == len(loaded.spec.channels)
        assert entry.path.stat().st_size < 14e6
    names = [entry.name for entry in list_weights()]
    assert len(names) == len(set(names))


def test_published_year_stands_for_its_folds(cache: Path) -> None:
    for fold in range(3):
        torch.manual_seed(fold)
        state = to_published(BANet(BANetConfig(width=1)).state_dict())
        torch.save(state, cache / f"banetv0.20-val2017-fold{fold}.pth")
    names = [model.name for model in load_models("banetv0.20-val2017")]
    assert names == [f"banetv0.20-val2017-fold{fold}" for fold in range(3)]
    with pytest.raises(NotFoundError, match="banet download weights banetv0.20-val2016-fold0"):
        load_models("banetv0.20-val2016")


def test_unknown_names_list_the_known(model: BANet, cache: Path) -> None:
    save_weights(model, cache / "mine.safetensors")
    with pytest.raises(NotFoundError, match=r"named 'theirs'; known names: .*mine.*or give a path"):
        load_model("theirs")
    with pytest.raises(NotFoundError, match="does not exist"):
        load_model("theirs.safetensors")
    with pytest.raises(NotFoundError, match="does not exist"):
        load_model(cache / "theirs")
    with pytest.raises(InputError, match="no weights asked for"):
        load_models([])


def test_default_cache_is_below_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BANET_CACHE", raising=False)
    assert weights_room.cache_folder() == Path.home() / ".cache" / "banet" / "weights"


def rewrite(path: Path, *, tensors: dict[str, torch.Tensor] | None = None, **metadata: str) -> Path:
    """Write the file anew with some of its content changed, and no checksum."""
    with safe_open(path, framework="pt") as file:
        kept = {**file.metadata(), **metadata}
    del kept["sha256"]
    safetensors.torch.save_file({**safetensors.torch.load_file(path), **(tensors or {})}, path, kept)
    return path


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"banet_format": "99"}, InputError, "format 99.*update banet"),
        ({"banet_format": "one"}, UnreadableFileError, "not written by banet"),
        ({"config": "{"}, UnreadableFileError, "unreadable metadata"),
        ({"config": '{"width": 0}'}, UnreadableFileError, "unreadable metadata"),
        ({"spec": '{"mean": []}'}, UnreadableFileError, "unreadable metadata"),
        ({"card": "no json"}, UnreadableFileError, "unreadable metadata"),
        ({"config": BANetConfig(width=3).model_dump_json()}, InputError, "missing for the config"),
        (
            {"config": CONFIG.model_copy(update={"channels": 5}).model_dump_json()},
            InputError,
            r"encoder.0.space.conv.weight has shape \(2, 4, 1, 3, 3\), expected \(2, 5, 1, 3, 3\)",
        ),
        ({"tensors": {"extra": torch.zeros(1)}}, InputError, "tensor extra is unknown"),
        ({"tensors": {"logits.bias": torch.tensor([torch.nan])}}, InputError, "logits.bias holds NaN"),
    ],
)
def test_spoiled_files(
    model: BANet, tmp_path: Path, change: dict, error: type[Exception], match: str
) -> None:
    path = rewrite(save_weights(model, tmp_path / "mine.safetensors"), **change)
    with pytest.raises(error, match=match):
        load_model(path)


@pytest.mark.parametrize("place", [-5, -400])
def test_one_changed_byte_of_a_tensor_is_told(model: BANet, tmp_path: Path, place: int) -> None:
    path = save_weights(model, tmp_path / "mine.safetensors")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match="damaged"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff" * 64])
def test_files_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="not a whole safetensors file"):
        load_model(path)


def test_truncated_and_foreign_safetensors(model: BANet, tmp_path: Path) -> None:
    path = save_weights(model, tmp_path / "mine.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableFileError, match="not a whole safetensors file"):
        load_model(path)
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(UnreadableFileError, match="not written by banet"):
        load_model(path)


def test_saving_refuses(model: BANet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written as .safetensors, asked for mine.pth"):
        save_weights(model, tmp_path / "mine.pth")
    with pytest.raises(InputError, match="JSON"):
        save_weights(model, tmp_path / "mine.safetensors", card={"seed": object()})
    one = InputSpec(channels=("red",), mean=(0,), std=(1,))
    with pytest.raises(InputError, match="1 channels, the network takes 4"):
        save_weights(model, tmp_path / "m.safetensors", spec=one)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        save_weights(model, tmp_path / "file" / "mine.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_published_file_of_other_channels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "five.pth"
    torch.save(to_published(BANet(BANetConfig(width=1, channels=5)).state_dict()), path)
    with pytest.raises(InputError, match="takes 5 channels"):
        load_model(path)
