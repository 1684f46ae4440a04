"""Downloads: satellite files, active fires, label tiles and weights into a folder, resumed and verified.

Plan first (`plan_viirs`, `plan_labels`, `plan_hotspots`, `plan_archives`, `plan_weights`), then `fetch_all`.
Every address, collection and limit is a setting; see `banet.download.settings`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from banet.download.client import Client
from banet.download.credentials import Ask, Password, asked_for, find_login, firms_key
from banet.download.firms import plan_archives, plan_hotspots, remove_superseded
from banet.download.labels import plan_labels
from banet.download.plan import Plan
from banet.download.pool import Failure, Report, fetch_all
from banet.download.settings import Settings, load_settings
from banet.download.tidying import remove_older
from banet.download.transfer import FileJob, fetch
from banet.download.viirs import plan_viirs

__all__ = [
    "Client",
    "Failure",
    "FileJob",
    "Plan",
    "Report",
    "Settings",
    "connected",
    "fetch",
    "fetch_all",
    "firms_key",
    "load_settings",
    "plan_archives",
    "plan_hotspots",
    "plan_labels",
    "plan_viirs",
    "remove_older",
    "remove_superseded",
]


@contextlib.contextmanager
def connected(
    settings: Settings | None = None,
    *,
    login: bool = False,
    environ: Mapping[str, str] = os.environ,
    ask: Ask | None = None,
) -> Iterator[Client]:
    """Give a client, logged in to Earthdata first and once if `login` says so.

    Args:
        settings: hosts and limits; those of `load_settings` by default.
        login: find credentials and take them to the login host now.
        environ: variables.
        ask: asks for a user name and password; on a terminal by default. A token that ends during the run is
            asked for again: with the password that it came from, or else here.

    Raises:
        CredentialsError: if there are no credentials, or they are not accepted.
    """
    chosen = settings or load_settings(environ=environ)
    with Client(chosen) as client:
        if login:
            found = find_login(chosen.earthdata, environ, ask)

            def again() -> Password | None:
                return found if isinstance(found, Password) else asked_for(chosen.earthdata, ask)

            client.log_in(found, again)
        yield client
