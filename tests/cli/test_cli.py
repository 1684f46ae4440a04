"""The command line: what it prints, and how it fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from banet.cli import main
from banet.grid.region import Region


def test_region_new_writes_a_file_that_loads(tmp_path, capsys):
    assert main(["region", "new", "X1", "--bbox", "-10,36,5,44", "--dir", str(tmp_path)]) == 0
    assert Region.load(tmp_path / "R_X1.json") == Region("X1", (-10, 36, 5, 44), 0.01)
    assert "800 x 1500 cells" in capsys.readouterr().out


def test_a_box_grows_to_whole_cells_and_says_so(tmp_path, capsys):
    words = ["region", "new", "X1", "--bbox=-8.123,39.4,-6.4,41.407", "--dir", str(tmp_path)]
    assert main(words) == 0
    assert "grew to whole cells" in capsys.readouterr().err
    assert Region.load(tmp_path / "R_X1.json").bbox == (-8.13, 39.4, -6.4, 41.41)
    assert main([*words[:3], "--bbox=-8.13,39.4,-6.4,41.41", "--dir", str(tmp_path)]) == 0
    assert "grew" not in capsys.readouterr().err


def test_a_region_is_not_written_over_unless_asked_for(tmp_path, capsys):
    words = ["region", "new", "X1", "--dir", str(tmp_path), "--bbox"]
    assert main([*words, "0,0,1,1"]) == 0
    assert main([*words, "0,0,1,1"]) == 0
    assert main([*words, "0,0,1,2"]) == 2
    assert "holds another region" in capsys.readouterr().err
    assert main([*words, "0,0,1,2", "--force"]) == 0


@pytest.mark.parametrize("words", [["region", "list"], ["--help"], ["run", "--help"]])
def test_it_runs_as_a_module_and_ends_well_when_nobody_reads_on(words):
    command = [sys.executable, "-m", "banet", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


_WORK = """
import pathlib, sys
from banet.cli import run_guarded
from banet.cli.progress import caution, failure, say

def work():
    for number in range(3):
        say(f"line {number} \u00e9")
        caution(f"note {number} \u00e9")
        failure("a part")
    pathlib.Path(sys.argv[1]).write_text("whole")
    return 3

sys.exit(run_guarded(work))
"""


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize(
    "where", ["| head -1", "| true", "2>&1 | true", ">&-", "2>&-", ">&- 2>&-", "> /dev/null", "2> /dev/null"]
)
def test_the_work_goes_on_whoever_reads_what_it_says(where, tmp_path):
    whole = tmp_path / "whole"
    command = f'set -o pipefail; "$0" -c "$1" "$2" {where}'
    words = ["bash", "-c", command, sys.executable, _WORK, str(whole)]
    done = subprocess.run(
        words, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"}, check=False
    )
    assert whole.read_text() == "whole" and done.returncode == 3
    assert b"Error" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8:surrogateescape", b"\xe9 \xc3\xa9 \\ud800"),
        ("ascii:surrogateescape", b"\xe9 \\xe9 \\ud800"),
        ("ascii:replace", b"? ? ?"),
        ("utf-8:strict", b"\\udce9 \xc3\xa9 \\ud800"),
    ],
)
def test_text_is_written_as_its_stream_asks_and_never_refused(encoding, written):
    work = "from banet.cli import run_guarded; run_guarded(lambda: print('\\udce9 \\xe9 \\ud800') or 0)"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, env=environment, check=True)
    assert (done.stdout.strip(), done.stderr) == (written, b"")


def test_a_size_of_no_cell_is_refused(tmp_path, capsys):
    assert main(["simulate", "--out", str(tmp_path / "out"), "--size", "0", "--days", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_region_list_and_show(capsys):
    assert main(["region", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7
    assert main(["region", "show", "PI"]) == 0
    assert "PI [-10,36,5,44] 800 x 1500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["region", "new", "X", "--bbox", "5,36,-10,44"], "swapped"),
        (["region", "new", "X", "--bbox", "5,36"], "W,S,E,N"),
        (["region", "new", "X", "--bbox", "a,b,c,d"], "W,S,E,N"),
        (["region", "show", "nowhere"], "no region file"),
        (["regoin"], "regoin"),
        (["region", "new"], "requires an argument"),
        (["cube", "info", "/no/such.zarr"], "/no/such.zarr"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(argv, words, capsys):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err + out


def test_debug_shows_the_traceback_and_keeps_the_exit_code(capsys):
    assert main(["region", "show", "nowhere", "--debug"]) == 2
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert "no region file" in told.splitlines()[-1]


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    commands = (
        "region download cube map events report evaluate baseline benchmark tiles train weights simulate "
        "demo doctor"
    )
    for command in commands.split():
        assert command in text


def test_importing_banet_is_quick_and_light():
    code = (
        "import banet, sys; print(sorted(m for m in ('torch','numpy','xarray','zarr') if m in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import banet

    assert len(banet.__all__) <= 30
    for name in banet.__all__:
        assert getattr(banet, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        banet.nonsense  # noqa: B018


def test_a_demo_with_wrong_weights_ends_before_it_simulates(tmp_path, capsys):
    assert main(["demo", "--weights", "nope", "--out", str(tmp_path / "demo")]) == 2
    assert "no weights named 'nope'" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
