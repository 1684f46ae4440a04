"""Hostile hosts against the downloads: each case in a process of its own, with a time and a memory limit.

Run by hand: `python benchmarks/hostile_downloads.py [SECONDS] [FILE]`. By surface it prints the files tried
and their ends: clean (the right file came), told (one line, nothing kept), silent (a wrong file got its name,
or a wrong answer was given with status 0), raw (an error that is not banet's), hang (past the limit), and the
peak of memory and of bytes written.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from about import record

BODY = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 781
HTML = b"<!DOCTYPE html><title>Earthdata Login</title>"
GOOD = "VNP02MOD.A2021213.1142.002.2021213184222.nc"
TABLE = b"latitude,longitude,bright_ti4,acq_date,acq_time,frp\n40,-8,300,2021-08-01,0100,5\n"
Case = Callable[[BaseHTTPRequestHandler, int], None]


def reply(status: int = 200, body: bytes = BODY, keep: int | None = None, **headers: str) -> Case:
    def send(h: BaseHTTPRequestHandler, count: int) -> None:
        h.send_response(status)
        named = {key.replace("_", "-"): value.replace("COUNT", str(count)) for key, value in headers.items()}
        for key, value in {"Content-Length": str(len(body)), **named}.items():
            h.send_header(key, value)
        h.end_headers()
        h.wfile.write(body[:keep])
        if keep is not None:
            h.close_connection = True

    return send


def endless(block: bytes = b"x" * 65536, wait: float = 0, start: bytes = BODY) -> Case:
    def send(h: BaseHTTPRequestHandler, count: int) -> None:
        h.close_connection = True
        h.send_response(200)
        h.send_header("Connection", "close")
        h.end_headers()
        h.wfile.write(start)
        while True:
            h.wfile.write(block)
            h.wfile.flush()
            time.sleep(wait)

    return send


def cut_then(second: Case, etag: str = '"a"', at: int = 100_000) -> Case:
    def send(h: BaseHTTPRequestHandler, count: int) -> None:
        ranged = h.headers.get("Range")
        (second if ranged else reply(keep=at, ETag=etag))(h, count)

    return send


def ranged(span: str, body: bytes, etag: str = '"a"') -> Case:
    return cut_then(reply(206, body, ETag=etag, Content_Range=span))


def files() -> dict[str, Case]:
    rest, n = BODY[100_000:], len(BODY)
    bomb = gzip.compress(BODY[:8] + b"\0" * 300_000_000)
    cases = {
        "good": reply(ETag='"a"'),
        "cut once": cut_then(reply(206, rest, ETag='"a"', Content_Range=f"bytes 100000-{n - 1}/{n}")),
        "range is half": ranged(f"bytes 100000-{n - 1}/{2 * n}", rest),
        "range total short": ranged("bytes 100000-100010/100011", rest[:11]),
        "range of nothing": ranged(f"bytes 100000-99999/{n}", b""),
        "range of another place": ranged(f"bytes 5-{n - 1}/{n}", BODY[5:]),
        "range beyond the total": ranged("bytes 100000-400000/200", rest),
        "range without numbers": ranged("bytes */*", rest),
        "first answer is a part": reply(206, BODY[:1000], Content_Range=f"bytes 0-999/{n}"),
        "etag of each request": cut_then(
            reply(206, rest, ETag='"COUNT"', Content_Range=f"bytes 100000-{n - 1}/{n}"), '"COUNT"'
        ),
        "endless": endless(),
        "endless slow": endless(b"x", 0.2, BODY[:600]),
        "bomb": reply(200, bomb, Content_Encoding="gzip"),
        "encoded": reply(200, gzip.compress(BODY), Content_Encoding="gzip"),
        "length too short": reply(200, BODY, Content_Length=str(n - 100)),
        "length too long": reply(200, BODY, keep=n, Content_Length=str(n + 100)),
        "length negative": reply(Content_Length="-1"),
        "length endless": reply(Content_Length="9" * 300),
        "page": reply(200, HTML),
        "refusal endless": _endless_status(400),
        "redirect port": reply(302, b"", Location="http://127.0.0.1:99999/a"),
        "redirect bracket": reply(302, b"", Location="http://[::1/a"),
        "redirect scheme": reply(302, b"", Location="file:///etc/passwd"),
        "redirect circle": reply(302, b"", Location="/data/again"),
        "retry nonsense": reply(503, b"", Retry_After="\u00b2"),
        "crumbs": _crumbs,
    }
    return cases


def _endless_status(status: int) -> Case:
    def send(h: BaseHTTPRequestHandler, count: int) -> None:
        h.close_connection = True
        h.send_response(status)
        h.end_headers()
        while True:
            h.wfile.write(b"no " * 20000)

    return send


def _crumbs(h: BaseHTTPRequestHandler, count: int) -> None:
    start = int((h.headers.get("Range") or "bytes=0-")[6:-1])
    span = {"Content_Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"} if start else {}
    reply(206 if start else 200, BODY[start:], keep=1 if start else 600, ETag='"a"', **span)(h, count)


def entry(url: str, **changes: Any) -> dict[str, Any]:
    return {"umm": {"RelatedUrls": [{"URL": url, "Type": "GET DATA"}], **changes}}


def shapes(base: str) -> dict[str, Any]:
    def sized(file: Any) -> Any:
        return entry(
            f"{base}/VNP02MOD.A2021213.1200.nc", DataGranule={"ArchiveAndDistributionInformation": file}
        )

    stem = "VNP02MOD.A2021213.1200"
    odd = {
        "null": None,
        "text": "x",
        "number": 7,
        "list": [1],
        "umm null": {"umm": None},
        "umm list": {"umm": []},
        "urls null": {"umm": {"RelatedUrls": None}},
        "urls number": {"umm": {"RelatedUrls": 5}},
        "urls text": {"umm": {"RelatedUrls": ["x"]}},
        "urls dict": {"umm": {"RelatedUrls": {"a": 1}}},
        "links null": {"links": None},
        "links of null": {"links": [None]},
        "data list": entry(f"{base}/{stem}.nc", DataGranule=[1]),
        "files text": sized("abc"),
        "file null": sized([None]),
        "size text": sized([{"SizeInBytes": "many"}]),
        "size list": sized([{"SizeInBytes": [1]}]),
        "size negative": sized([{"SizeInBytes": -4}]),
        "size endless": sized([{"SizeInBytes": 1e400}]),
        "size world": sized([{"SizeInBytes": 10**18}]),
        "size dict": sized([{"Size": {"a": 1}, "SizeUnit": "MB"}]),
        "checksum text": sized([{"Checksum": "abc"}]),
        "port": entry(f"http://h:99999/{stem}.nc"),
        "bracket": entry(f"http://[::1/{stem}.nc"),
        "no host": entry(f"http:///{stem}.nc"),
        "no day": entry(f"{base}/VNP02MOD.nc"),
        "day 999": entry(f"{base}/VNP02MOD.A2021999.1200.nc"),
        "nul": entry(f"{base}/{stem}%00.nc"),
        "long": entry(f"{base}/{stem}.{'7' * 300}.nc"),
        "control": entry(f"{base}/{stem}.%1b%5b2J.nc"),
        "backslash": entry(f"{base}/..%5c{stem}.nc"),
        "surrogate": entry(f"{base}/{stem}\ud800.nc"),
    }
    return odd


def catalogue(base: str) -> dict[str, Case]:
    good = entry(f"{base}/data/{GOOD}")
    cases = {
        f"shape: {name}": reply(200, json.dumps({"items": [odd, good]}).encode())
        for name, odd in shapes(base).items()
    }
    page = json.dumps({"items": [good]}).encode()
    return {
        **cases,
        "page again and again": reply(200, page, CMR_Hits="99999", CMR_Search_After="x"),
        "page endless": endless(b'{"a": 1},' * 8000, start=b'{"items": ['),
        "page bomb": reply(200, gzip.compress(b" " * 300_000_000), Content_Encoding="gzip"),
        "hits nonsense": reply(200, page, CMR_Hits="many"),
        "nested": reply(200, b"[" * 200_000),
        "not utf-8": reply(200, b'{"items": [{"umm": {"x": "\xe9"}}, ' + json.dumps(good).encode() + b"]}"),
    }


def firms() -> dict[str, Case]:
    prose = {
        "area": b"Invalid area. Use west,south,east,north with longitude -180..180 and latitude -90..90.",
        "limit": b"Exceeding allowed transaction limit.",
        "apology": b"The latitude and longitude service is down today.",
        "page": HTML,
        "key": b"Invalid MAP_KEY.",
        "json": b'{"error": "latitude, longitude"}',
    }
    return {"good": reply(200, TABLE), **{f"prose: {k}": reply(200, v) for k, v in prose.items()}}


class Server:
    def __init__(self, case: Case | None = None) -> None:
        self.case, self.count = case, 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.count += 1
                try:
                    assert owner.case is not None
                    owner.case(self, owner.count)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def settings(url: str) -> Any:
    from banet.download import load_settings

    fields = load_settings(environ={}).model_dump(mode="json")
    quick = {"first_wait_s": 0.01, "longest_wait_s": 0.02, "longest_retry_after_s": 1, "read_timeout_s": 3}
    if "slow_window_s" in fields["transfer"]:
        quick |= {"slow_window_s": 3, "largest_bytes": 50_000_000}
    fields["transfer"] |= quick
    fields["earthdata"] |= {"search": f"{url}/search", "login": url, "token_hosts": []}
    fields["firms"]["limit_wait_s"] = 0.01
    return load_settings(environ={}).parse(fields, "here")


def child(surface: str, url: str, out: str, pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000_000, 1_000_000_000))
    resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
    from banet.days import as_day
    from banet.download.client import Client
    from banet.download.cmr import search
    from banet.download.transfer import FileJob, fetch
    from banet.errors import BanetError

    try:
        from banet.grid.region import Region
    except ImportError:
        from banet.region import Region

    ended, words = "clean", ""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with Client(settings(url)) as client:
            if surface == "catalogue":
                box = Region("PT", (-10, 36, -6, 42), 0.01)
                found = search(client, "VNP02MOD/2", box, as_day("2021-08-01"), as_day("2021-08-02"))
                names = [granule.name for granule in found]
                bad = [n for n in names if not n.isprintable() or len(n) > 250 or "\\" in n]
                ended = "silent" if bad or GOOD not in names else "clean"
            else:
                from banet.download import firms as rooms

                explain = rooms._explains(client.settings.firms) if surface == "hot spots" else None
                name = "a.csv" if surface == "hot spots" else "a.nc"
                size = len(BODY) if surface == "files of known size" else None
                fetch(client, FileJob(f"{url}/data/x", Path(out) / name, size=size, explain=explain))
                right = TABLE if surface == "hot spots" else BODY
                ended = "clean" if (Path(out) / name).read_bytes() == right else "silent"
    except BanetError as error:
        ended, words = ("raw" if "\n" in str(error) else "told"), str(error)
    except BaseException as error:
        ended, words = "raw", f"{type(error).__name__}: {error}"
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    pipe.send((ended, words[:160], peak))


def judged(surface: str, case: Case, limit: float) -> tuple[str, str, float, float, int]:
    server = Server(case)
    out = tempfile.mkdtemp()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=child, args=(surface, server.url, out, there)
    )
    most, end = 0.0, time.monotonic() + limit
    process.start()
    while process.is_alive() and time.monotonic() < end:
        process.join(0.05)
        with contextlib.suppress(FileNotFoundError):  # a part is renamed while we look
            most = max(most, sum(p.stat().st_size for p in Path(out).iterdir()) / 1e6)
    if here.poll():
        ended, words, peak = here.recv()
    else:
        ended = "hang" if process.is_alive() else "raw"
        words, peak = "", _peak(process.pid)
    process.kill()
    process.join()
    server.server.shutdown()
    shutil.rmtree(out)
    return ended, words, peak, most, server.count


def _peak(pid: int | None) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        return float(text.split("VmHWM:")[1].split()[0]) / 1000
    except (OSError, IndexError):
        return float("nan")


def cases() -> Iterator[tuple[str, str, Case]]:
    for name, case in files().items():
        yield "files of known size", name, case
        yield "files of unknown size", name, case
    for name, case in catalogue("http://127.0.0.1:9").items():
        yield "catalogue", name, case
    for name, case in firms().items():
        yield "hot spots", name, case


def main(limit: float, out: Path | None = None) -> None:
    import banet.download.cmr  # noqa: F401  # once, before the children

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    peaks: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for surface, name, case in cases():
        ended, words, peak, written, requests = judged(surface, case, limit)
        counts[surface][ended] += 1
        peaks[surface].append((peak, written, requests))
        print(
            f"{surface:<21} {name:<26} {ended:<7} {peak:7.0f} MB {written:7.1f} MB written "
            f"{requests:5} requests  {words}",
            flush=True,
        )
    found: dict[str, Any] = {}
    for surface, count in counts.items():
        memory, written, requests = (max(column) for column in zip(*peaks[surface], strict=True))
        ends = ", ".join(f"{count[end]} {end}" for end in ("clean", "told", "silent", "raw", "hang"))
        print(f"{surface}: {count.total()} tried: {ends}")
        print(f"    at most {memory:.0f} MB of memory, {written:.1f} MB written, {requests} requests")
        found[surface] = {
            **count,
            "tried": count.total(),
            "memory_mb": round(memory),
            "written_mb": round(written, 1),
            "requests": requests,
        }
    record(out, seconds=limit, surfaces=found)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
