"""Options of commands that spread their work."""

from __future__ import annotations

from pathlib import Path

import pytest

from banet.cli import app
from banet.cli.workers import Workers
from banet.errors import InputError

PEM = Path("a.pem")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 2, "scheduler": "tcp://a:1"}, "give --workers or --scheduler, not both"),
        ({"workers": 0}, "--workers 0: give at least one"),
        ({"workers": 2, "tls_ca": PEM, "tls_cert": PEM, "tls_key": PEM}, "give --scheduler too"),
        ({"scheduler": "tls://a:1", "tls_ca": PEM}, "give --tls-ca, --tls-cert and --tls-key together"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        Workers(**options).check()


def test_nobody_else_works_by_default():
    with Workers().connected() as client:
        assert client is None


@pytest.mark.parametrize("command", [["map"], ["cube", "build"], ["tiles"]])
def test_every_command_that_spreads_takes_the_same_options(command, capsys):
    app()([*command, "--help"], result_action="return_value")
    told = capsys.readouterr().out
    for option in ("--workers", "--scheduler", "--tls-ca", "--tls-cert", "--tls-key"):
        assert option in told
    assert "--spread" not in told
