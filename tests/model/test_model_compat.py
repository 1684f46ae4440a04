"""Published files: both layouts, what is refused, the table of git blob ids."""

from __future__ import annotations

import pickle
import re
import zipfile
from pathlib import Path

import pytest
import torch

from banet.errors import CorruptError, InputError, NotFoundError, UnreadableFileError
from banet.model.compat import (
    PUBLISHED,
    from_published,
    git_blob_id,
    published_names,
    read_pth,
    to_published,
)
from banet.model.config import BANetConfig
from banet.model.network import BANet
from banet.model.weights import load_model

State = dict[str, torch.Tensor]


@pytest.fixture
def state() -> State:
    """A narrow network under the published names."""
    torch.manual_seed(0)
    return to_published(BANet(BANetConfig(width=4)).state_dict())


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def test_names_cover_the_whole_network_once() -> None:
    with torch.device("meta"):
        ours = BANet().state_dict()
    names = published_names()
    assert sorted(names.values()) == sorted(ours)
    assert names["stconv1.stconv.1.timeLstm.lstm.weight_hh_l0"] == "encoder.0.lstm.weight_hh_l0"
    assert names["ustconv2.upstconv.1.conv.1.bn.running_var"] == "decoder.3.time.norm.running_var"


@pytest.mark.parametrize("layout", ["plain", "model", "model and optimiser", "several devices"])
def test_every_layout_gives_the_same_network(state: State, tmp_path: Path, layout: str) -> None:
    content: object = {
        "plain": state,
        "model": {"model": state},
        "model and optimiser": {"model": state, "opt": {"state": [], "hypers": [{"lr": 0.01}]}},
        "several devices": {f"module.{k}": v for k, v in state.items()},
    }[layout]
    model = load_model(saved(content, tmp_path / "old.pth"))
    assert model.config == BANetConfig(width=4)
    assert model.spec.sensor == "VIIRS S-NPP"
    assert model.card["published_as"] is None
    assert not model.training
    found = to_published(model.state_dict())
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_old_files_without_counters_and_in_the_old_format(state: State, tmp_path: Path) -> None:
    short = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    path = tmp_path / "old.pth"
    torch.save(short, path, _use_new_zipfile_serialization=False)
    config, ours = from_published(read_pth(path))
    BANet(config).load_state_dict(ours)


def test_width_channels_and_classes_are_inferred() -> None:
    asked = BANetConfig(width=4, channels=5, classes=2)
    assert from_published(to_published(BANet(asked).state_dict()))[0] == asked


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("stconv3.stconv.0.conv.0.weight", (16, 8, 1, 5, 5)),
        ("ustconv4.upstconv.1.conv.1.bn.running_mean", (3,)),
        ("final_conv.bias", (7,)),
    ],
)
def test_another_shape_is_refused_by_name(state: State, name: str, shape: tuple[int, ...]) -> None:
    expected = tuple(state[name].shape)
    state[name] = torch.zeros(shape)
    with pytest.raises(InputError, match=re.escape(f"{name} has shape {shape}, expected {expected}")):
        from_published(state, "a file")


def test_a_first_tensor_of_another_rank_is_refused(state: State) -> None:
    state["stconv1.stconv.0.conv.0.weight"] = torch.zeros(3)
    with pytest.raises(InputError, match="expected 5 dimensions"):
        from_published(state)


def test_missing_and_unknown_tensors_are_named(state: State) -> None:
    del state["conv3.weight"]
    state["conv4.weight"] = torch.zeros(1)
    with pytest.raises(InputError, match=r"1 tensors missing \(first conv3.weight\), 1 unknown \(first c"):
        from_published(state)


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_code_in_a_file_is_never_run(tmp_path: Path, how: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "evil.pth"
    if how == "torch":
        torch.save({"model": Payload(marker)}, path)
    else:
        path.write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(UnreadableFileError, match="not opened"):
        load_model(path)
    assert not marker.exists()


def cut(path: Path, state: State) -> None:
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_zip(path: Path, _: State) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "no tensors")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (cut, "truncated"),
        (empty_zip, "truncated"),
        (lambda path, _: path.write_bytes(b""), "truncated"),
        (
            lambda path, _: path.write_text("<!DOCTYPE html><title>Login</title>"),
            "not a readable torch file",
        ),
        (lambda path, _: torch.save([1, 2], path), "no state dict"),
        (lambda path, _: torch.save({}, path), "no state dict"),
        (lambda path, _: torch.save({"epoch": 3, "model": None}, path), "no state dict"),
    ],
)
def test_files_that_hold_no_weights(tmp_path: Path, state: State, spoil: object, match: str) -> None:
    path = tmp_path / "weights.pth"
    spoil(path, state)  # type: ignore[operator]
    with pytest.raises(UnreadableFileError, match=match):
        read_pth(path)


def test_a_flipped_bit_is_told(tmp_path: Path, state: State) -> None:
    path = saved(state, tmp_path / "weights.pth")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=r"weights\.pth is damaged \(its part .*/data/\d+ is not what was"):
        read_pth(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        read_pth(tmp_path / "none.pth")


def test_table_of_published_files() -> None:
    assert len(PUBLISHED) == len(set(PUBLISHED.values())) == 18
    assert all(re.fullmatch("[0-9a-f]{40}", blob) for blob in PUBLISHED.values())
    assert PUBLISHED["banetv0.20-val2017-fold0"].startswith("7602c826")
    assert PUBLISHED["banetv0.20-val2012-fold2"].startswith("6f73bc1d")


def test_git_blob_id_is_gits(tmp_path: Path) -> None:
    path = tmp_path / "hello.txt"
    path.write_bytes(b"hello\n")
    # `printf 'hello\n' | git hash-object --stdin`
    assert git_blob_id(path) == "ce013625030ba8dba906f756967f9e9ca394464a"
