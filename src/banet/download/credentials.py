"""Earthdata login: found first and once, before anything is fetched.

Order: EARTHDATA_TOKEN; EARTHDATA_USERNAME with EARTHDATA_PASSWORD; the netrc file (NETRC, else ~/.netrc); a
question on a terminal. A user name and password are exchanged for a token (Earthdata login, "User Token
Management"); where the login host gives none, they go to that host alone, in the redirects of each data
host's first file. Secrets are held in `SecretStr`, whose text form is asterisks.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import getpass
import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from banet.download.errors import CredentialsError
from banet.download.netrc_file import NetrcError, entry_of
from banet.download.settings import EarthdataSettings
from banet.errors import BanetWarning
from banet.io.terminal import can_ask

__all__ = ["Bearer", "Login", "Password", "ask_on_terminal", "asked_for", "find_login", "firms_key"]

Ask = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True)
class Bearer:
    """A token of Earthdata login, and where it was found."""

    token: SecretStr = field(repr=False)
    source: str

    @property
    def header(self) -> str:
        """Value of the Authorization header."""
        return f"Bearer {self.token.get_secret_value()}"

    @property
    def expired(self) -> dt.datetime | None:
        """End of the token, if it says so and that is past."""
        end = _expiry(self.token.get_secret_value())
        return end if end is not None and end < dt.datetime.now(dt.UTC) else None


@dataclass(frozen=True)
class Password:
    """A user name and password of Earthdata login, and where they were found."""

    user: SecretStr = field(repr=False)
    password: SecretStr = field(repr=False)
    source: str

    @property
    def header(self) -> str:
        """Value of the Authorization header, for the login host alone."""
        pair = f"{self.user.get_secret_value()}:{self.password.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode('utf-8', 'surrogateescape')).decode()}"


Login = Bearer | Password


def find_login(
    settings: EarthdataSettings, environ: Mapping[str, str] = os.environ, ask: Ask | None = None
) -> Login:
    """Find credentials in the order that the module names.

    Args:
        settings: names the login host, which is the machine to look for in netrc.
        environ: variables.
        ask: called with the login host where nothing else gave any; None asks on a terminal, if there is one.

    Raises:
        CredentialsError: if there are none, one is there by half, or a token is expired or no token.

    Warns:
        BanetWarning: if a netrc file has several entries for the host.
    """
    host = urlsplit(settings.login).hostname or ""
    if text := environ.get("EARTHDATA_TOKEN", "").strip():
        return Bearer(_checked_token(text, settings), "EARTHDATA_TOKEN")
    user, password = environ.get("EARTHDATA_USERNAME", ""), environ.get("EARTHDATA_PASSWORD", "")
    if bool(user) != bool(password):
        lacking = "EARTHDATA_PASSWORD" if user else "EARTHDATA_USERNAME"
        raise CredentialsError(f"Earthdata login needs a user name and a password: {lacking} is not set")
    if user:
        return Password(SecretStr(user), SecretStr(password), "EARTHDATA_USERNAME and EARTHDATA_PASSWORD")
    if found := _from_netrc(host, environ):
        return found
    if asked := asked_for(settings, ask):
        return asked
    raise CredentialsError(
        f"these files need an Earthdata login and none was found: set EARTHDATA_TOKEN (make one at "
        f"{settings.login}, 'Generate Token'), or EARTHDATA_USERNAME and EARTHDATA_PASSWORD, or write "
        f"machine {host} into ~/.netrc"
    )


def asked_for(settings: EarthdataSettings, ask: Ask | None = None) -> Password | None:
    """Ask for a user name and password, on a terminal by default; None if none is given."""
    pair = (ask or ask_on_terminal)(urlsplit(settings.login).hostname or "")
    return None if pair is None else Password(SecretStr(pair[0]), SecretStr(pair[1]), "the terminal")


def ask_on_terminal(host: str) -> tuple[str, str] | None:
    """Ask for a user name and password, if a person is there to answer; None if not, or if none is given."""
    if not can_ask():
        return None
    sys.stderr.write(f"user name for {host} (empty to stop): ")
    sys.stderr.flush()
    user = sys.stdin.readline().strip()
    if not user:
        return None
    return user, getpass.getpass(f"password for {host}: ", stream=sys.stderr)


def firms_key(environ: Mapping[str, str] = os.environ) -> SecretStr:
    """Return the FIRMS map key from FIRMS_MAP_KEY, or asked for on a terminal.

    Raises:
        CredentialsError: if it is not set, or cannot be one.
    """
    key = environ.get("FIRMS_MAP_KEY", "").strip() or _key_on_terminal()
    if not key:
        raise CredentialsError(
            "the FIRMS area service needs a key: ask for one at firms.modaps.eosdis.nasa.gov/api/map_key "
            "and set "
            "FIRMS_MAP_KEY, or take the yearly archives, which need none, with --country"
        )
    if not key.isalnum():
        raise CredentialsError("FIRMS_MAP_KEY may hold only letters and digits; copy the key again")
    return SecretStr(key)


def _key_on_terminal() -> str:
    """Ask for a FIRMS map key, if a person is there to answer; empty if not, or if none is given."""
    if not can_ask():
        return ""
    return getpass.getpass("FIRMS map key (empty to stop): ", stream=sys.stderr).strip()


def _checked_token(text: str, settings: EarthdataSettings) -> SecretStr:
    text = text.removeprefix("Authorization:").strip().removeprefix("Bearer ").strip()
    again = f"make a new one at {settings.login} ('Generate Token')"
    if not text.isascii() or not text.isprintable() or " " in text:
        raise CredentialsError(f"EARTHDATA_TOKEN holds blanks or characters that no token has; {again}")
    end = _expiry(text)
    if end is not None and end < dt.datetime.now(dt.UTC):
        raise CredentialsError(f"EARTHDATA_TOKEN expired on {end:%Y-%m-%d}; {again}")
    return SecretStr(text)


def _expiry(token: str) -> dt.datetime | None:
    """Return the end of a JSON web token (RFC 7519, `exp`); None for another kind of token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return dt.datetime.fromtimestamp(float(claims["exp"]), dt.UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _from_netrc(host: str, environ: Mapping[str, str]) -> Password | None:
    named = environ.get("NETRC")
    file = Path(named).expanduser() if named else Path.home() / ".netrc"
    if not file.is_file():
        if named:
            raise CredentialsError(f"NETRC names {file}, which does not exist")
        return None
    try:
        entry = entry_of(file.read_bytes(), host)
    except NetrcError as error:
        raise CredentialsError(f"{file} cannot be read as a netrc file (line {error.line})") from None
    except OSError as error:
        raise CredentialsError(f"{file} cannot be read: {error.strerror}") from None
    if entry is None or not (entry.user or entry.password):
        return None
    if not (entry.user and entry.password):
        has, lacks = ("login", "password") if entry.user else ("password", "login")
        raise CredentialsError(f"the entry for {host} in {file} has a {has} but no {lacks}; add it there")
    if entry.repeated:
        told = f"{file.name} has several entries for {host}: the last is taken; other programs take the first"
        warnings.warn(told, BanetWarning, stacklevel=3)
    doubt = " (its password holds a backslash: write it in quotes, or double the backslash)"
    return Password(
        SecretStr(entry.user), SecretStr(entry.password), f"{file.name}{doubt if entry.doubtful else ''}"
    )
