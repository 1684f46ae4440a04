"""Manifests: the same for equal runs, complete, and without credentials."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError, NotFoundError, OutputError, UnreadableFileError
from banet.io.manifest import InputFile, Manifest
from banet.io.scrub import HIDDEN, scrubbed, scrubbed_command, scrubbed_settings

SECRET = "s3cr3t-V4lue"


def manifest(**fields):
    return Manifest(**{"command": ["banet", "map", "PT.zarr"], "config": {"threshold": 0.5}, **fields})


def test_it_comes_back_from_its_file(tmp_path):
    (tmp_path / "a.hdf").write_bytes(b"abc")
    made = Manifest.begin("banet map 'a b.zarr'", {"x": [1, 2]}, inputs=[tmp_path / "a.hdf"], digest=True)
    made = made.end({"PT.nc": "00"})
    assert Manifest.load(made.write(tmp_path / "m.json")) == made
    assert made.command == ("banet", "map", "a b.zarr")


def test_equal_runs_differ_only_in_their_times(tmp_path):
    one = Manifest.begin(["banet", "map"], {"b": 1, "a": 2}, weights={"w": "1", "v": "2"}).end(
        {"y": "1", "x": "2"}
    )
    two = Manifest.begin(["banet", "map"], {"a": 2, "b": 1}, weights={"v": "2", "w": "1"}).end(
        {"x": "2", "y": "1"}
    )
    a, b = json.loads(one.to_json()), json.loads(two.to_json())
    assert a["fingerprint"] == b["fingerprint"] and a["reproducible"] == b["reproducible"]
    assert set(a["run"]) == {"started", "finished", "seconds"} and a["run"]["seconds"] >= 0
    assert "started" not in json.dumps(a["reproducible"])


@pytest.mark.parametrize(
    "change",
    [
        {"command": ["banet", "demo"]},
        {"config": {"threshold": 0.4}},
        {"weights": {"default": "ff"}},
        {"inputs": (InputFile("a", 1),)},
        {"version": "0.1"},
        {"products": {"a.nc": "1"}},
    ],
)
def test_whatever_could_change_a_product_changes_the_fingerprint(change):
    assert manifest().fingerprint != manifest(**change).fingerprint


def test_it_names_what_numbers_depend_on():
    environment = manifest().environment
    assert {"python", "numpy", "torch", "platform"} <= set(environment)
    assert environment["numpy"] == np.__version__
    import platform

    assert platform.node() == "" or platform.node() not in manifest().to_json()


def test_inputs_are_named_without_folders_and_sorted(tmp_path):
    for name in ("b.hdf", "a.hdf"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "cube.zarr" / "c").mkdir(parents=True)
    (tmp_path / "cube.zarr" / "c" / "0").write_bytes(b"123")
    made = Manifest.begin("banet", inputs=[tmp_path / "cube.zarr", tmp_path / "b.hdf", tmp_path / "a.hdf"])
    assert made.inputs == (InputFile("a.hdf", 5), InputFile("b.hdf", 5), InputFile("cube.zarr", 3))
    assert str(tmp_path) not in made.to_json()
    digest = InputFile.of(tmp_path / "a.hdf", digest=True).sha256
    assert (
        digest == "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
    )  # sha256sum of "12345"


def test_a_missing_input_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Manifest.begin("banet", inputs=[tmp_path / "a.hdf"])


@pytest.mark.parametrize(
    "text",
    [
        f"https://joe:{SECRET}@example.org/file",
        f"https://example.org/file?day=3&token={SECRET}",
        f"https://example.org/file?api_key={SECRET}",
        f"https://example.org/file?X-Amz-Signature={SECRET}",
        f"EARTHDATA_TOKEN={SECRET} banet download",
        f"Authorization: Bearer {SECRET}",
        "eyJhbGciOi.s3cr3t-V4lue.c2ln",
    ],
)
def test_credentials_are_taken_out_of_text(text):
    clean = scrubbed(text, {}, "/home/joe")
    assert SECRET not in clean and HIDDEN in clean


def test_the_key_in_an_address_of_firms_is_taken_out():
    key = "0123456789abcdef" * 2
    clean = scrubbed(
        f"https://firms.example/api/area/csv/{key}/VIIRS_SNPP_NRT/-10,36,5,44/1", {}, "/home/joe"
    )
    assert clean == f"https://firms.example/api/area/csv/{HIDDEN}/VIIRS_SNPP_NRT/-10,36,5,44/1"


def test_values_of_secret_variables_are_taken_out_wherever_they_are():
    clean = scrubbed(f"read {SECRET}/x", {"EARTHDATA_PASSWORD": SECRET, "HOMEPAGE": "read"}, "/home/joe")
    assert clean == f"read {HIDDEN}/x"


@pytest.mark.parametrize(
    "command",
    [
        ["banet", "download", "--token", SECRET, "--days", "3"],
        ["banet", "download", f"--token={SECRET}", "--days", "3"],
        ["banet", "download", "--map-key", SECRET, "--days", "3"],
        f"banet download --password '{SECRET} and more' --days 3",
    ],
)
def test_credentials_are_taken_out_of_commands(command):
    words = scrubbed_command(command)
    assert words[:2] == ("banet", "download") and words[-2:] == ("--days", "3")
    assert not any(SECRET in word for word in words)


def test_credentials_are_taken_out_of_settings():
    class Settings(pydantic.BaseModel):
        map_key: str = SECRET
        day: str = "2021-08-01"

    made = Manifest.begin(
        "banet", {"download": Settings(), "urls": [f"https://a:{SECRET}@b"], "Token": SECRET}
    )
    assert SECRET not in made.to_json()
    assert made.config["download"] == {"map_key": HIDDEN, "day": "2021-08-01"}


def test_the_home_folder_is_not_named():
    home = str(Path.home())
    assert scrubbed(f"{home}/data/cube.zarr", {}, home) == "~/data/cube.zarr"
    assert scrubbed("/home/joe2/x", {}, "/home/joe") == "/home/joe2/x"
    assert scrubbed("/data", {}, "/") == "/data"


PIECES = [
    "token=",
    "abc",
    "://",
    "@",
    "/home/joe",
    " ",
    "Bearer ",
    "eyJ",
    ".",
    "&",
    "=",
    "--key",
    "/api/area/csv/",
    "'",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_was_scrubbed_once_stays_as_it_is(tmp_path_factory, text):
    made = Manifest.begin(["banet", text], {"text": text})
    path = made.write(tmp_path_factory.mktemp("manifest") / "m.json")
    assert Manifest.load(path) == made
    assert Manifest.load(path).end().command == made.command


def test_ordinary_words_stay():
    text = "banet map PT.zarr --start 2021-08 --weights default,fast --tile 128 sort=keyed monkeys=3"
    assert scrubbed(text, {}, "/home/joe") == text


def test_settings_become_what_json_holds():
    made = scrubbed_settings(
        {
            "day": np.datetime64("2021-08-01"),
            "days": np.array(["2021-08-01"], "datetime64[D]"),
            "number": np.float32(0.5),
            "nothing": float("nan"),
            "path": Path("a/b"),
            "pair": (1, None),
            "set": {"b", "a"},
            "flag": True,
        }
    )
    assert made == {
        "day": "2021-08-01",
        "days": ["2021-08-01"],
        "number": 0.5,
        "nothing": "nan",
        "path": "a/b",
        "pair": [1, None],
        "set": ["a", "b"],
        "flag": True,
    }
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    "text", ["", "<html></html>", "[]", "{}", '{"format": "banet-manifest/1"}', '{"format": "x"}']
)
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UnreadableFileError, match=r"m\.json"):
        Manifest.load(tmp_path / "m.json")


def test_missing_and_unwritable(tmp_path):
    with pytest.raises(NotFoundError, match="does not exist"):
        Manifest.load(tmp_path / "m.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        manifest().write(tmp_path / "file" / "m.json")
