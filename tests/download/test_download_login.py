"""Earthdata login: where credentials are looked for, where they go, and where they never show."""

from __future__ import annotations

import base64
import json
import logging
import os
import traceback
import warnings

import pytest
from pydantic import SecretStr

from banet.download import FileJob, connected, fetch, fetch_all
from banet.download.client import Client, shown
from banet.download.credentials import Bearer, Password, ask_on_terminal, find_login, firms_key
from banet.download.errors import CredentialsError, TransientError
from banet.errors import BanetWarning, PartialFailureError
from fake_agencies import HDF5, KEY, PASSWORD, TOKEN, USER, Reply, agencies  # noqa: F401

BODY = HDF5 + b"x" * 3000
BOTH = {"EARTHDATA_USERNAME": USER, "EARTHDATA_PASSWORD": PASSWORD}
NOBODY = lambda host: None  # noqa: E731


@pytest.fixture
def settings(agencies, tmp_path):  # noqa: F811
    return agencies.settings(tmp_path)


def netrc(path, text=f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"):
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_the_order_of_places(settings, tmp_path):
    file = netrc(tmp_path / "n")
    every = {"EARTHDATA_TOKEN": TOKEN, **BOTH, "NETRC": file}
    ask = lambda host: ("asked", "secret")  # noqa: E731
    found = find_login(settings.earthdata, every, ask)
    assert isinstance(found, Bearer)
    del every["EARTHDATA_TOKEN"]
    found = find_login(settings.earthdata, every, ask)
    assert isinstance(found, Password)
    assert found.source == "EARTHDATA_USERNAME and EARTHDATA_PASSWORD"
    found = find_login(settings.earthdata, {"NETRC": file}, ask)
    assert isinstance(found, Password)
    assert found.source == "n"
    found = find_login(settings.earthdata, {}, ask)
    assert isinstance(found, Password)
    assert found.source == "the terminal"


def test_the_netrc_in_the_home_folder(settings, tmp_path):
    netrc(tmp_path / "home" / ".netrc")
    assert find_login(settings.earthdata, {}, NOBODY).source == ".netrc"


def test_none_found_says_what_to_do_and_asks_nobody_without_a_terminal(settings):
    with pytest.raises(CredentialsError, match="set EARTHDATA_TOKEN .* or write machine 127.0.0.1"):
        find_login(settings.earthdata, {})
    assert ask_on_terminal("host") is None


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"EARTHDATA_USERNAME": USER}, "EARTHDATA_PASSWORD is not set"),
        ({"EARTHDATA_PASSWORD": PASSWORD}, "EARTHDATA_USERNAME is not set"),
        ({"EARTHDATA_TOKEN": "two words"}, "holds blanks"),
        ({"NETRC": "/no/such/netrc"}, "does not exist"),
    ],
)
def test_half_credentials(settings, environ, words):
    with pytest.raises(CredentialsError, match=words):
        find_login(settings.earthdata, environ, NOBODY)


def test_a_netrc_of_which_an_entry_is_repeated_or_lacks_a_half(settings, tmp_path):
    entry = "machine {} login {} password {}\n"
    text = entry.format("LOCALHOST", "old", "first") + entry.format("localhost", USER, PASSWORD)
    earthdata = settings.earthdata.model_copy(update={"login": "http://LocalHost:1"})
    environ = {"NETRC": netrc(tmp_path / "n", text)}
    with pytest.warns(BanetWarning, match="n has several entries for localhost: the last is taken"):
        assert find_login(earthdata, environ, NOBODY).password.get_secret_value() == PASSWORD
    for text, words in (
        (f"machine 127.0.0.1 login {USER}\ndefault login d password dd\n", "has a login but no password"),
        (f"machine 127.0.0.1 password {PASSWORD}\n", "has a password but no login"),
    ):
        with pytest.raises(CredentialsError, match=f"the entry for 127.0.0.1 in .*n {words}"):
            find_login(settings.earthdata, {"NETRC": netrc(tmp_path / "n", text)}, NOBODY)


def test_the_same_entry_twice_and_an_anonymous_default_are_nothing_odd(settings, tmp_path):
    entry = f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"
    environ = {"NETRC": netrc(tmp_path / "n", entry * 2)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_login(settings.earthdata, environ, NOBODY).password.get_secret_value() == PASSWORD
    environ = {"NETRC": netrc(tmp_path / "n", "machine other login a password b\ndefault login anonymous\n")}
    asked = find_login(settings.earthdata, environ, lambda host: (USER, PASSWORD))
    assert asked.source == "the terminal"


def test_a_broken_netrc_does_not_show_its_text(settings, tmp_path):
    file = netrc(tmp_path / "n", f"machine 127.0.0.1 login {USER} {PASSWORD} oops\n")
    with pytest.raises(CredentialsError, match="cannot be read as a netrc file") as caught:
        find_login(settings.earthdata, {"NETRC": file}, NOBODY)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def jwt(**claims):
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({}, claims)]
    return ".".join([*parts, "signature"])


def test_an_expired_token_is_known_before_anything_is_fetched(settings):
    with pytest.raises(CredentialsError, match="expired on 2001-09-09; make a new one"):
        find_login(settings.earthdata, {"EARTHDATA_TOKEN": jwt(exp=1_000_000_000)})
    good = find_login(settings.earthdata, {"EARTHDATA_TOKEN": f"Bearer {jwt(exp=99_000_000_000)}"})
    assert good.header == f"Bearer {jwt(exp=99_000_000_000)}"
    assert find_login(settings.earthdata, {"EARTHDATA_TOKEN": "a.b.c"}).header == "Bearer a.b.c"


def test_a_password_becomes_a_token_once_and_goes_only_to_the_login_host(agencies, settings, tmp_path):  # noqa: F811
    jobs = [FileJob(agencies.data.add(f"/{i}.nc", BODY), tmp_path / f"{i}.nc", login=True) for i in range(4)]
    with connected(settings, login=True, environ=BOTH, ask=NOBODY) as client:
        assert fetch_all(client, jobs).complete
    assert agencies.login.paths() == ["/api/users/find_or_create_token"]
    assert set(agencies.data.sent("authorization")) == {f"Bearer {TOKEN}"}
    basic = agencies.login.sent("authorization")[0].removeprefix("Basic ")
    for name, text in agencies.everything_sent().items():
        assert (basic in text or PASSWORD in text) is (name == "login")
        assert (TOKEN in text) is (name == "data")


def test_without_a_token_service_the_redirects_are_followed_once(agencies, settings, tmp_path):  # noqa: F811
    agencies.login.gives_tokens = False
    agencies.data.protect = "cookie"
    jobs = [FileJob(agencies.data.add(f"/{i}.nc", BODY), tmp_path / f"{i}.nc", login=True) for i in range(4)]
    with connected(settings, login=True, environ=BOTH, ask=NOBODY) as client:
        assert fetch_all(client, jobs).complete
    assert agencies.login.paths() == ["/api/users/find_or_create_token", "/oauth/authorize"]
    assert agencies.data.sent("authorization") == []
    assert all((tmp_path / f"{i}.nc").read_bytes() == BODY for i in range(4))


def test_a_wrong_password_is_known_first(agencies, settings):  # noqa: F811
    wrong = {**BOTH, "EARTHDATA_PASSWORD": "n0t-this-one"}
    entered = connected(settings, login=True, environ=wrong, ask=NOBODY)
    with pytest.raises(CredentialsError, match="does not accept the user name and password") as caught:
        entered.__enter__()
    assert "n0t-this-one" not in str(caught.value)
    assert agencies.data.received == []


def test_a_busy_login_host_is_asked_again(agencies, settings):  # noqa: F811
    agencies.login.faults["*"] = [Reply(503), Reply(429, headers={"Retry-After": "0"})]
    with connected(settings, login=True, environ=BOTH, ask=NOBODY) as client:
        assert isinstance(client.login, Bearer)
    agencies.login.faults["*"] = [Reply(503)] * 9
    entered = connected(settings, login=True, environ=BOTH, ask=NOBODY)
    with pytest.raises(TransientError, match="Earthdata login: 127.0.0.1 answered 503"):
        entered.__enter__()


def test_a_token_that_the_data_host_refuses(agencies, settings, tmp_path):  # noqa: F811
    url = agencies.data.add("/a.nc", BODY)
    with Client(settings, Bearer(SecretStr("EDL-0ther-token"), "EARTHDATA_TOKEN")) as client:
        with pytest.raises(CredentialsError, match="answered 401"):
            fetch(client, FileJob(url, tmp_path / "a.nc", login=True))
        agencies.data.protect = "cookie"
        with pytest.raises(CredentialsError, match="sent us to the login page.*from EARTHDATA_TOKEN"):
            fetch(client, FileJob(url, tmp_path / "a.nc", login=True))
    with Client(settings) as client, pytest.raises(CredentialsError, match="wants an Earthdata login"):
        fetch(client, FileJob(url, tmp_path / "a.nc"))
    assert "/oauth/authorize" not in agencies.login.paths()


def ends(agencies, after):  # noqa: F811
    """Have the token end after so many files; the login host then gives another one."""
    seen, answer = [], agencies.data.answer

    def counting(request):
        seen.append(request)
        if len(seen) == after + 1:
            agencies.login.token = "EDL-the-next-t0ken"
        return answer(request)

    agencies.data.answer = counting
    return seen


def jobs_of(agencies, tmp_path, count=5):  # noqa: F811
    return [
        FileJob(agencies.data.add(f"/{i}.nc", BODY), tmp_path / f"{i}.nc", login=True) for i in range(count)
    ]


def one_by_one(agencies, tmp_path):  # noqa: F811
    return agencies.settings(tmp_path, transfer={**agencies.fields()["transfer"], "parallel": 1})


def test_a_token_that_ends_during_the_run_is_made_anew_from_the_password(agencies, tmp_path):  # noqa: F811
    jobs = jobs_of(agencies, tmp_path)
    with connected(one_by_one(agencies, tmp_path), login=True, environ=BOTH, ask=NOBODY) as client:
        ends(agencies, after=2)
        assert fetch_all(client, jobs).complete
    assert agencies.login.paths() == ["/api/users/find_or_create_token"] * 2


def test_a_token_that_ends_during_the_run_is_asked_for_where_somebody_is_there(agencies, tmp_path):  # noqa: F811
    jobs, asked = jobs_of(agencies, tmp_path), []

    def ask(host):
        asked.append(host)
        return USER, PASSWORD

    environ = {"EARTHDATA_TOKEN": TOKEN}
    with connected(one_by_one(agencies, tmp_path), login=True, environ=environ, ask=ask) as client:
        ends(agencies, after=2)
        assert fetch_all(client, jobs).complete
    assert asked == ["127.0.0.1"]


def test_a_token_that_ends_during_the_run_costs_the_remaining_files(agencies, tmp_path):  # noqa: F811
    jobs = jobs_of(agencies, tmp_path)
    environ = {"EARTHDATA_TOKEN": TOKEN}
    with connected(one_by_one(agencies, tmp_path), login=True, environ=environ, ask=NOBODY) as client:
        ends(agencies, after=2)
        report = fetch_all(client, jobs)
    assert (len(report.fetched), len(report.failed), len(report.not_attempted)) == (2, 1, 2)
    assert "answered 401, it does not accept the login; make a new token" in report.failed[0].reason
    with pytest.raises(PartialFailureError, match="2 were not attempted"):
        report.check()


def test_a_token_that_says_when_it_ends_is_not_sent_after_that(agencies, tmp_path):  # noqa: F811
    jobs = jobs_of(agencies, tmp_path)
    ended = Bearer(SecretStr(jwt(exp=1_000_000_000)), "EARTHDATA_TOKEN")
    with Client(one_by_one(agencies, tmp_path), ended) as client:
        report = fetch_all(client, jobs)
    assert "the token from EARTHDATA_TOKEN ended at 2001-09-09 01:46 UTC; make a new one" in report.lines()[0]
    assert len(report.not_attempted) == 4
    assert agencies.data.received == []


def test_a_token_that_was_never_accepted_is_not_asked_for_again(agencies, tmp_path):  # noqa: F811
    environ = {"EARTHDATA_TOKEN": "EDL-0ther-token"}
    asking = lambda host: pytest.fail("asked")  # noqa: E731
    with connected(one_by_one(agencies, tmp_path), login=True, environ=environ, ask=asking) as client:
        assert len(fetch_all(client, jobs_of(agencies, tmp_path)).not_attempted) == 4


def test_secrets_show_nowhere(agencies, settings, tmp_path, caplog):  # noqa: F811
    caplog.set_level(logging.DEBUG)
    agencies.data.faults["*"] = [Reply(503)]
    agencies.data.redirects["/a.nc"] = f"{agencies.mirror.url}/a.nc?X-Signature=s1gned-thing"
    agencies.mirror.add("/a.nc", BODY)
    agencies.mirror.faults["*"] = [Reply(500), Reply(404)]
    agencies.data.add("/a.nc", BODY)
    with connected(settings, login=True, environ=BOTH, ask=NOBODY) as client:
        report = fetch_all(client, [FileJob(f"{agencies.data.url}/a.nc", tmp_path / "a.nc", login=True)])
        report.write(tmp_path / "report.json")
        text = " ".join(
            [
                caplog.text,
                repr(client.login),
                str(vars(client)),
                repr(report),
                (tmp_path / "report.json").read_text(),
                repr(find_login(settings.earthdata, BOTH)),
            ]
        )
    assert "trying again" in caplog.text
    assert report.failed[0].reason.startswith("127.0.0.1 answered 404")
    for secret in (TOKEN, PASSWORD, "s1gned-thing", base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()):
        assert secret not in text


def test_other_users_of_the_http_library_keep_their_log(agencies, settings, caplog):  # noqa: F811
    import httpx

    caplog.set_level(logging.INFO)
    agencies.mirror.add("/a", b"x")
    with Client(settings):
        httpx.get(f"{agencies.mirror.url}/a")
    assert "HTTP Request: GET" in caplog.text


def test_addresses_are_shown_without_what_is_secret():
    assert shown("https://joe:pw@h.org/a/b.nc?token=1#f") == "https://h.org/a/b.nc"
    assert KEY not in shown(f"https://h.org/api/area/csv/{KEY}/SRC/1,2,3,4/1/2020-01-01")


def test_the_firms_key(monkeypatch):
    assert firms_key({"FIRMS_MAP_KEY": f" {KEY}\n"}).get_secret_value() == KEY
    assert KEY not in repr(firms_key({"FIRMS_MAP_KEY": KEY}))
    with pytest.raises(CredentialsError, match="set FIRMS_MAP_KEY, or take the yearly archives"):
        firms_key({})
    with pytest.raises(CredentialsError, match="only letters and digits"):
        firms_key({"FIRMS_MAP_KEY": "../x"})


def test_a_terminal_is_asked_without_echo(monkeypatch, settings):
    import getpass
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{USER}\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt, stream: PASSWORD)
    found = find_login(settings.earthdata, {})
    assert isinstance(found, Password)
    assert found.password.get_secret_value() == PASSWORD
    assert PASSWORD not in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    with pytest.raises(CredentialsError, match="none was found"):
        find_login(settings.earthdata, {})


def test_a_terminal_is_asked_for_the_map_key(monkeypatch):
    import getpass
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(sys, stream, Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt, stream: f" {KEY} ")
    assert firms_key({}).get_secret_value() == KEY
    monkeypatch.setattr(getpass, "getpass", lambda prompt, stream: "")
    with pytest.raises(CredentialsError, match="set FIRMS_MAP_KEY"):
        firms_key({})


def test_no_credential_of_the_environment_is_seen_in_these_tests(agencies):  # noqa: F811
    assert not [name for name in os.environ if name.startswith(("EARTHDATA", "FIRMS"))]
