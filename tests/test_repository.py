"""Files of the repository: their readers would take them, and what is promised of versions holds together."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCHEMAS = {
    "github-workflows": ".github/workflows/*.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "citation-file-format": "CITATION.cff",
}


def names(text: str) -> dict[str, str]:
    """Return the pinned versions of a file by name, as the index writes names."""
    found = re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", text)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_is_read_elsewhere_is_as_its_schema_says(schema):
    files = sorted(map(str, ROOT.glob(SCHEMAS[schema])))
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *files]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_every_python_that_is_promised_is_tried():
    promised = {one.split(" :: ")[-1] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)}
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) == promised == {"3.11", "3.12", "3.13"}


def test_the_lock_and_the_tested_versions_hold_all_that_is_needed():
    needed = {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", one)[0]).lower() for one in PROJECT["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked, tested = names(lock), names((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert needed - set(locked) == {"torch"} and needed <= set(tested)
    assert {name: locked[name] for name in needed - {"torch"}} == {n: tested[n] for n in needed - {"torch"}}
    assert lock.count("--hash=sha256:") >= len(locked)
