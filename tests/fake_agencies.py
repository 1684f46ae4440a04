"""The agencies on 127.0.0.1: catalogue (CMR), Earthdata login, data, mirror, FIRMS, weights.

Each plays its part over real HTTP, writes down what it was sent, and can be told to misbehave.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import socket
import threading
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
import yaml

from banet.download.settings import Settings, load_settings

HDF4 = b"\x0e\x03\x13\x01"
HDF5 = b"\x89HDF\r\n\x1a\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>Earthdata Login</title></head><body>sign in</body></html>"
HEADER = (
    "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,"
    "bright_ti5,frp,daynight"
)
TOKEN = "EDL-s3cret-token-of-the-tests"
USER, PASSWORD = "wanderer", "pass-w0rd-of-the-tests"
KEY = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Received:
    """A request as a host got it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"


@dataclass
class Reply:
    """What a host sends back; `keep` bytes of the body, then the line is cut."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    keep: int | None = None
    delay: float = 0.0


class Host:
    """An HTTP server on a free port of 127.0.0.1. `faults[path]` are replies to give first, in turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._serve(self)

            do_HEAD = do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Forget what was sent and told."""
        self.received: list[Received] = []
        self.faults: dict[str, list[Reply]] = defaultdict(list)
        self.most_at_once = self._now = 0

    @property
    def netloc(self) -> str:
        return "{}:{}".format(*self._server.server_address[:2])

    @property
    def url(self) -> str:
        return f"http://{self.netloc}"

    def paths(self) -> list[str]:
        return [request.path for request in self.received]

    def sent(self, header: str) -> list[str]:
        """Values of a header in all requests that had it."""
        return [r.headers[header.lower()] for r in self.received if header.lower() in r.headers]

    def answer(self, request: Received) -> Reply:
        return Reply(404, b"not here")

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urllib.parse.urlsplit(handler.path)
        headers = {key.lower(): value for key, value in handler.headers.items()}
        query = dict(urllib.parse.parse_qsl(parts.query))
        request = Received(urllib.parse.unquote(parts.path), query, headers, handler.command)
        with self._lock:
            self.received.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            waiting = self.faults[request.path] or self.faults["*"]
            fault = waiting.pop(0) if waiting else None
        try:
            reply = fault or self.answer(request)
            time.sleep(reply.delay)
            self._send(handler, reply)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True
        finally:
            with self._lock:
                self._now -= 1

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        length = {} if "Transfer-Encoding" in reply.headers else {"Content-Length": str(len(reply.body))}
        for key, value in {**length, **reply.headers}.items():
            handler.send_header(key, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        handler.wfile.write(reply.body if reply.keep is None else reply.body[: reply.keep])
        if reply.keep is not None:
            handler.wfile.flush()
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)


class FileHost(Host):
    """Serves `files`, with ranges and ETags. `protect` is None, `bearer` or `cookie`."""

    def __init__(self, name: str, login: LoginHost | None = None) -> None:
        self.login = login
        super().__init__(name)

    def reset(self) -> None:
        super().reset()
        self.files: dict[str, bytes] = {}
        self.protect = None if self.login is None else "bearer"
        self.ranges = self.etags = True
        self.sessions: set[str] = set()
        self.redirects: dict[str, str] = {}

    def add(self, path: str, body: bytes) -> str:
        self.files[path] = body
        return self.url + path

    def answer(self, request: Received) -> Reply:
        if request.path == "/oauth" and self.login is not None:
            return self._from_login(request)
        refused = self._refused(request)
        if refused is not None:
            return refused
        if request.path in self.redirects:
            return Reply(302, headers={"Location": self.redirects[request.path]})
        body = self.files.get(request.path)
        return Reply(404, b"not here") if body is None else self.ranged(request, body)

    def ranged(self, request: Received, body: bytes) -> Reply:
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        headers = {"ETag": etag} if self.etags else {}
        wanted = request.headers.get("range")
        same = request.headers.get("if-range", etag) == etag
        if not (self.ranges and wanted and same):
            return Reply(200, body, headers)
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(body):
            return Reply(416, headers={"Content-Range": f"bytes */{len(body)}"})
        span = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Reply(206, body[start:], {**headers, "Content-Range": span})

    def _refused(self, request: Received) -> Reply | None:
        if self.protect is None or self.login is None:
            return None
        if self.protect == "bearer" and "authorization" in request.headers:
            good = request.headers["authorization"] == f"Bearer {self.login.token}"
            return None if good else Reply(401, b'{"error":"invalid_token"}')
        if any(f"session={value}" in request.headers.get("cookie", "") for value in self.sessions):
            return None
        back = urllib.parse.quote(f"{self.url}/oauth", safe="")
        state = urllib.parse.quote(request.path, safe="")
        where = f"{self.login.url}/oauth/authorize?redirect_uri={back}&state={state}"
        return Reply(302, headers={"Location": where})

    def _from_login(self, request: Received) -> Reply:
        assert self.login is not None
        if request.query.get("code") not in self.login.codes:
            return Reply(401, b"bad code")
        session = f"s{len(self.sessions)}"
        self.sessions.add(session)
        return Reply(
            302,
            headers={"Location": request.query["state"], "Set-Cookie": f"session={session}; Path=/"},
        )


class LoginHost(Host):
    """Earthdata login: tokens for a user name and password, and the redirects."""

    def reset(self) -> None:
        super().reset()
        self.token, self.gives_tokens = TOKEN, True
        self.codes: set[str] = set()

    def answer(self, request: Received) -> Reply:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {pair}"
        if request.path == "/api/users/find_or_create_token":
            if not self.gives_tokens:
                return Reply(404, HTML)
            if request.method != "POST" or not known:
                return Reply(401, b'{"error":"invalid_credentials"}')
            return Reply(200, json.dumps({"access_token": self.token, "token_type": "Bearer"}).encode())
        if request.path == "/oauth/authorize":
            if not known:
                return Reply(200, HTML) if "authorization" not in request.headers else Reply(401, HTML)
            code = f"c{len(self.codes)}"
            self.codes.add(code)
            where = f"{request.query['redirect_uri']}?code={code}&state={request.query['state']}"
            return Reply(302, headers={"Location": where})
        return Reply(404, HTML)


class Catalogue(Host):
    """The granule search, `/granules.umm_json` and `/granules.json`, in pages."""

    def reset(self) -> None:
        super().reset()
        self.granules: list[dict[str, object]] = []

    def add(self, collection: str, url: str, **fields: object) -> None:
        """List a file: size, checksum (algorithm, value), night, start (ISO), box (W, S, E, N)."""
        self.granules.append({"collection": collection, "url": url, **fields})

    def answer(self, request: Received) -> Reply:
        query = request.query
        if "short_name" not in query:
            return Reply(400, b'{"errors":["Parameter short_name is needed"]}')
        wanted = f"{query['short_name']}/{query['version']}"
        hits = [g for g in self.granules if g["collection"] == wanted and _touches(g, query["bounding_box"])]
        size = int(query["page_size"])
        begin = int(request.headers.get("cmr-search-after", "0"))
        page = hits[begin : begin + size]
        headers = {"CMR-Hits": str(len(hits)), "Content-Type": "application/json"}
        if page:
            headers["CMR-Search-After"] = str(begin + size)
        if request.path.endswith(".umm_json"):
            body = {"hits": len(hits), "items": [{"umm": _umm(g)} for g in page]}
        else:
            body = {"feed": {"entry": [_entry(g) for g in page]}}
        return Reply(200, json.dumps(body).encode(), headers)


def _touches(granule: dict[str, object], text: str) -> bool:
    w, s, e, n = (float(value) for value in text.split(","))
    box = granule.get("box")
    assert -180 <= w < e <= 180, text
    return not isinstance(box, tuple) or (box[0] < e and box[2] > w and box[1] < n and box[3] > s)


def _umm(granule: dict[str, object]) -> dict[str, object]:
    url = str(granule["url"])
    file: dict[str, object] = {"Name": url.rpartition("/")[2]}
    if "size" in granule:
        file["SizeInBytes"] = granule["size"]
    if "checksum" in granule:
        algorithm, value = granule["checksum"]  # type: ignore[misc]
        file["Checksum"] = {"Algorithm": algorithm, "Value": value}
    return {
        "GranuleUR": "LAADS:1",
        "RelatedUrls": [
            {"URL": url.replace("http", "s3", 1), "Type": "GET DATA VIA DIRECT ACCESS"},
            {"URL": url + ".png", "Type": "GET DATA"},
            {"URL": url, "Type": "GET DATA"},
        ],
        "DataGranule": {
            "DayNightFlag": "Night" if granule.get("night") else "Day",
            "ArchiveAndDistributionInformation": [file],
        },
        "TemporalExtent": {"RangeDateTime": {"BeginningDateTime": granule.get("start", "")}},
    }


def _entry(granule: dict[str, object]) -> dict[str, object]:
    return {
        "time_start": granule.get("start", ""),
        "day_night_flag": "NIGHT" if granule.get("night") else "DAY",
        "granule_size": str(float(granule.get("size", 0)) / 1e6),  # type: ignore[arg-type]
        "links": [
            {"rel": "http://esipfed.org/ns/fedsearch/1.1/metadata#", "href": f"{granule['url']}.xml"},
            {"rel": "http://esipfed.org/ns/fedsearch/1.1/data#", "href": str(granule["url"])},
        ],
    }


class Firms(Host):
    """The area service, what days it has, and the archives of countries. `days[source]` is (first, last).

    `tables[source]` are rows with `acq_date` to serve; without it each request is answered by one row.
    """

    def reset(self) -> None:
        super().reset()
        self.key, self.max_days = KEY, 5
        self.days: dict[str, tuple[str, str]] = {}
        self.tables: dict[str, pd.DataFrame] = {}
        self.archives: dict[str, bytes] = {}

    def areas(self) -> list[tuple[str, ...]]:
        """(source, box, days, date) of each area request, in order."""
        areas = [path.split("/")[5:] for path in self.paths() if path.startswith("/api/area")]
        return [tuple(area) for area in areas]

    def answer(self, request: Received) -> Reply:
        if request.path in self.archives:
            return Reply(200, self.archives[request.path])
        parts = request.path.strip("/").split("/")
        if parts[0] != "api":
            return Reply(404, HTML)
        if parts[3] != self.key:
            return Reply(400, b"Invalid MAP_KEY.")
        if parts[1] == "data_availability":
            rows = [f"{source},{first},{last}" for source, (first, last) in self.days.items()]
            return Reply(200, "\n".join(["data_id,min_date,max_date", *rows]).encode())
        source, _, days, date = parts[4:8]
        if not 1 <= int(days) <= self.max_days:
            return Reply(400, f"Invalid day range. Expects [1..{self.max_days}].".encode())
        if source not in self.days:
            return Reply(400, b"Invalid source.")
        if source in self.tables:
            table = self.tables[source]
            wanted = pd.date_range(date, periods=int(days)).strftime("%Y-%m-%d")
            return Reply(200, table[table["acq_date"].astype(str).isin(wanted)].to_csv(index=False).encode())
        version = "2.0NRT" if source.endswith("NRT") else "2"
        row = f"40.1,-8.2,320,0.4,0.4,{date},1230,N,VIIRS,n,{version},290,5.5,D"
        return Reply(200, f"{HEADER}\n{row}\n".encode())


class Archive(FileHost):
    """A public archive that lists its files below a prefix, 700 a page; `pages` may answer in its place."""

    def reset(self) -> None:
        super().reset()
        self.pages: Callable[[Received], bytes] | None = None

    def answer(self, request: Received) -> Reply:
        if request.query.get("list-type") != "2":
            return super().answer(request)
        if self.pages is not None:
            return Reply(200, self.pages(request))
        keys = sorted(path[1:] for path in self.files if path[1:].startswith(request.query["prefix"]))
        begin = int(request.query.get("continuation-token", "0"))
        entries = [
            f"<Contents><Key>{key}</Key><Size>{len(self.files['/' + key])}</Size></Contents>"
            for key in keys[begin : begin + 700]
        ]
        more = (
            f"<NextContinuationToken>{begin + 700}</NextContinuationToken>" if begin + 700 < len(keys) else ""
        )
        head = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
        return Reply(200, f"{head}{more}{''.join(entries)}</ListBucketResult>".encode())


class Agencies:
    """All of them, and the settings that lead to them and nowhere else."""

    def __init__(self) -> None:
        self.login = LoginHost("login")
        self.catalogue = Catalogue("catalogue")
        self.data = FileHost("data", self.login)
        self.mirror = FileHost("mirror")
        self.firms = Firms("firms")
        self.noaa = Archive("noaa")
        self.weights = FileHost("weights")

    @property
    def hosts(self) -> list[Host]:
        return [self.login, self.catalogue, self.data, self.mirror, self.firms, self.noaa, self.weights]

    def everything_sent(self) -> dict[str, str]:
        """All that each host received, as one text a host."""
        return {host.name: repr(host.received) for host in self.hosts}

    def fields(self) -> dict[str, dict[str, object]]:
        firms = self.firms.url
        return {
            "transfer": {
                "attempts": 4,
                "first_wait_s": 0.01,
                "longest_wait_s": 0.02,
                "longest_retry_after_s": 5,
                "connect_timeout_s": 5,
                "read_timeout_s": 5,
            },
            "earthdata": {
                "search": f"{self.catalogue.url}/granules.umm_json",
                "login": self.login.url,
                "page_size": 3,
                "token_hosts": [self.data.netloc],
            },
            "firms": {
                "area": firms + "/api/area/csv/{key}/{source}/{bbox}/{days}/{date}",
                "availability": firms + "/api/data_availability/csv/{key}/ALL",
                "archive": firms + "/data/country/{set}/{year}/{set}_{year}_{country}.csv",
                "limit_wait_s": 0.05,
            },
            "noaa": {"archives": dict.fromkeys(("snpp", "noaa20", "noaa21"), self.noaa.url)},
            "weights": {"published": self.weights.url + "/model/{name}.pth"},
        }

    def config(self, path: Path, **changes: dict[str, object]) -> Path:
        """Write the settings to a file, with some fields changed."""
        fields = self.fields()
        for part, change in changes.items():
            fields[part] = {**fields.get(part, {}), **change}
        path.write_text(yaml.safe_dump(fields))
        return path

    def settings(self, tmp_path: Path, **changes: dict[str, object]) -> Settings:
        return load_settings(self.config(tmp_path / "download.yaml", **changes), {})


SECRETS = ("EARTHDATA_TOKEN", "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "FIRMS_MAP_KEY", "NETRC")


@pytest.fixture
def agencies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run the agencies; no address but theirs can be reached, no credential of the user is seen."""
    for name in (*SECRETS, "BANET_DOWNLOAD_CONFIG", "BANET_CACHE", "BANET_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    real = socket.create_connection

    def near(address: tuple[str, int], *args: object, **more: object) -> socket.socket:
        assert address[0] == "127.0.0.1", f"a test tried to reach {address}"
        return real(address, *args, **more)

    monkeypatch.setattr(socket, "create_connection", near)
    running = _running()
    for host in running.hosts:
        host.reset()
    return running


@functools.cache
def _running() -> Agencies:
    """One set for all tests: to start and stop six servers takes longer than most tests."""
    return Agencies()
