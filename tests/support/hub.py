"""A Hub on loopback: a real HTTP server that answers like the Hub, and fails on demand.

Two servers on two ports, as the Hub and its CDN are two hosts:

- the *hub* answers `/datasets/<repository>/resolve/<revision>/<path>` with a 302 to a signed
  address, with `X-Repo-Commit`, `X-Linked-Size` and `X-Linked-Etag` (the sha256);
- the *cdn* answers `/signed/<signature>/<path>` with the bytes: `Range`, `If-Range`, 206, 416; and
  with 403 once the signature is used up (`signature_uses`).

    with LoopbackHub({"metadata.parquet": table}) as hub:
        hub.faults.append(Truncate(after=1000))
        download(Hub(hub.endpoint), "metadata.parquet", ...)
        assert hub.ranges() == [None, "bytes=1000-"]

A fault is used up by the first request that it fits, or by `times` of them; of several that fit,
a request meets the first. `hub.requests` has every request of both servers with its headers. With
`mirror=True` there is no CDN, no `X-` header and no sha256: the hub gives the bytes itself, with an
ETag of its own. A zip of images is a file like any other: `Status(404, path="images/…")` strikes
one part, `hub.expire()` ends all signed addresses at once. `latency_seconds` is waited before each
answer, and `bytes_per_second` is the bandwidth that all bodies share, for benchmarks. With `tls`,
the context of a server, both speak https.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

Host = Literal["hub", "cdn"]

REPOSITORY_PATH = "/datasets/poloclub/diffusiondb/resolve/"
RENAMED_PATH = "/datasets/poloclub/diffusiondb-renamed/resolve/"


@dataclass(frozen=True)
class Request:
    """What a server was asked: on which host, and with which headers (names in lower case)."""

    host: Host
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong: on which host, for which method and path, how many times.

    The first `after_requests` requests that fit are let through.
    """

    on: Host = "cdn"
    method: str | None = None
    times: int = 1
    path: str = ""
    after_requests: int = 0

    def fits(self, request: Request) -> bool:
        if self.on != request.host or self.method not in (None, request.method):
            return False
        if not request.path.endswith(self.path):
            return False
        self.after_requests -= 1
        return self.times > 0 and self.after_requests < 0


@dataclass
class Status(Fault):
    """Another status instead of an answer: `Status(429, {"Retry-After": "2"}, on="hub")`."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Redirect(Fault):
    """A redirect to anywhere, without the headers that describe the file."""

    location: str
    code: int = 302


@dataclass
class Truncate(Fault):
    """The connection ends after so many bytes of the body, though more were promised."""

    after: int


@dataclass
class Reset(Fault):
    """The connection is reset (RST) after so many bytes of the body."""

    after: int


@dataclass
class Stall(Fault):
    """The server falls silent after so many bytes of the body."""

    after: int


@dataclass
class Drip(Fault):
    """The body comes in small pieces with a pause after each."""

    bytes: int = 8192
    pause_seconds: float = 0.02


@dataclass
class ShiftRange(Fault):
    """A 206 whose `Content-Range`, and body, begin elsewhere than asked."""

    by: int = 1


@dataclass
class IgnoreRange(Fault):
    """A 200 with the whole file, whatever was asked; or with as much of it as comes through."""

    after: int | None = None


@dataclass
class ShortRange(Fault):
    """A 206 with fewer bytes than asked, and headers that say so."""

    bytes: int


@dataclass
class OtherFile(Fault):
    """Other bytes, as many as there should be, or so many more, under the same signature."""

    longer_by: int = 0


@dataclass
class Corrupt(Fault):
    """A body with one byte changed, so far from its beginning; lengths and headers are right."""

    at: int = 100


@dataclass
class Compressed(Fault):
    """A body that claims to be compressed, although nobody asked for that."""


class LoopbackHub:
    """The two servers, their files and their faults.

    Attributes:
        files: The bytes by path in the repository; may be changed at any time.
        faults: What goes wrong next.
        requests: What was asked, in order of arrival.
        commit: What `X-Repo-Commit` says.
        mirror: Whether this is a plain mirror: 200 with the bytes, an ETag, no more.
        etag: The ETag of every file on a mirror; by default it is made from the bytes.
        renamed: Whether the repository has another name now (307 with a relative `Location`).
        gated: Whether nobody is let in without a token.
        token: The one token that is accepted; any other gets a 401. None accepts all.
        signature_uses: How many requests a signed address serves before it has expired.
        no_ranges: Whether the CDN gives whole files whatever is asked.
        head: What a mirror's answers to HEAD say of the size: the `right` one, none at all
            (`chunked`), `zero`, or that of a compressed form (`gzip`).
        lower_case: Whether names of headers are in lower case.
        etag_only: Whether a redirect tells the sha256 of a file and not its size.
        rate_limit: What `RateLimit` says in the next answer of the hub.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        mirror: bool = False,
        latency_seconds: float = 0.0,
        bytes_per_second: float | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.scheme = "https" if tls else "http"
        self.files = dict(files)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.commit = "c0ffee" * 6 + "c0ff"
        self.mirror = mirror
        self.etag: str | None = None
        self.renamed = False
        self.gated = False
        self.token: str | None = None
        self.signature_uses = 1_000_000
        self.no_ranges = False
        self.head: Literal["right", "chunked", "zero", "gzip"] = "right"
        self.lower_case = False
        self.etag_only = False
        self.rate_limit: str | None = None
        self.latency_seconds = latency_seconds
        self.link = _Link(bytes_per_second) if bytes_per_second else None
        self.sent_bytes = 0
        self._digests: dict[str, tuple[bytes, str]] = {}
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._signatures: dict[str, int] = {}
        self._counter = itertools.count(1)
        self._servers = {host: _Server(self, host, tls) for host in ("hub", "cdn")}

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT would be."""
        return self.address_of("hub")

    def address_of(self, host: Host) -> str:
        """The address of one of the two servers."""
        return f"{self.scheme}://127.0.0.1:{self._servers[host].server_address[1]}"

    def asked(self, host: Host | None = None, method: str | None = None) -> list[Request]:
        """The requests to one host, or with one method."""
        return [
            request
            for request in self.requests
            if host in (None, request.host) and method in (None, request.method)
        ]

    def ranges(self) -> list[str | None]:
        """The `Range` of every request for bytes."""
        return [request.headers.get("range") for request in self.asked(method="GET")]

    def sha256(self, path: str) -> str:
        """The sha256 of a file."""
        content = self.files[path]
        known = self._digests.get(path)
        if known is None or known[0] is not content:
            known = (content, hashlib.sha256(content).hexdigest())
            self._digests[path] = known
        return known[1]

    def expire(self) -> None:
        """End all signed addresses that were handed out."""
        with self.lock:
            self._signatures.clear()

    def sign(self, path: str) -> str:
        """A signed address for a file."""
        with self.lock:
            signature = f"secret-signature-{next(self._counter)}"
            self._signatures[signature] = self.signature_uses
        return f"{self.address_of('cdn')}/signed/{signature}/{path}"

    def use(self, signature: str) -> bool:
        """Whether a signature is still good; this use of it counts."""
        with self.lock:
            left = self._signatures.get(signature, 0)
            self._signatures[signature] = left - 1
            return left > 0

    def note(self, request: Request) -> Fault | None:
        """Keep a request; return the fault that it meets."""
        with self.lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.fits(request)), None)
            if fault is not None:
                fault.times -= 1
            return fault

    def __enter__(self) -> Self:
        for server in self._servers.values():
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers.values():
            server.stop()


class _Link:
    """A bandwidth that all connections share: a piece waits until those before it are through."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def carry(self, size: int) -> None:
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
            wait = self._free_at - time.monotonic()
        time.sleep(max(0.0, wait))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hub: LoopbackHub, host: Host, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls is not None:
            # Hands are shaken by the thread of a connection: one that never does stops nobody else.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.hub = hub
        self.host = host
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: being killed is what some of them are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written apart; together with delayed ACKs that would cost 40 ms.
    disable_nagle_algorithm = True
    server: _Server

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name in the base class
        pass

    def _answer(self) -> None:
        # A request through a proxy has the whole address where others have the path.
        path = unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub, host = self.server.hub, self.server.host
        fault = hub.note(Request(host, self.command, path, headers))
        if hub.latency_seconds:
            time.sleep(hub.latency_seconds)
        match fault:
            case Status(code=code, headers=extra):
                self._send(code, extra)
            case Redirect(location=location, code=code):
                self._send(code, {"Location": location})
            case _ if host == "hub":
                self._resolve(path, fault)
            case _:
                self._signed(path, fault)

    def _resolve(self, path: str, fault: Fault | None) -> None:
        hub = self.server.hub
        if hub.renamed and path.startswith(REPOSITORY_PATH):
            new = path.replace(REPOSITORY_PATH, RENAMED_PATH, 1)
            return self._send(307, {"Location": new})
        if self._is_refused():
            return self._send(401, {"X-Error-Code": "GatedRepo"} if hub.gated else {})
        prefix = RENAMED_PATH if hub.renamed else REPOSITORY_PATH
        revision, _, name = path.removeprefix(prefix).partition("/")
        if not path.startswith(prefix) or not revision or name not in hub.files:
            return self._send(404, {"X-Error-Code": "EntryNotFound"})
        if hub.mirror:
            return self._bytes(name, hub.etag or f'"{hub.sha256(name)[:32]}"', fault)
        limit, hub.rate_limit = hub.rate_limit, None
        extra = {"RateLimit": limit} if limit else {}
        return self._send(302, {"Location": hub.sign(name), **self._description(name), **extra})

    def _is_refused(self) -> bool:
        hub, sent = self.server.hub, self.headers["Authorization"]
        wrong = sent is not None and hub.token is not None and sent != f"Bearer {hub.token}"
        return wrong or (hub.gated and sent is None)

    def _description(self, name: str) -> dict[str, str]:
        hub = self.server.hub
        size = {} if hub.etag_only else {"X-Linked-Size": str(len(hub.files[name]))}
        return {
            "X-Repo-Commit": hub.commit,
            **size,
            "X-Linked-Etag": f'"{hub.sha256(name)}"',
        }

    def _signed(self, path: str, fault: Fault | None) -> None:
        _, _, signature, name = path.split("/", 3)
        if not self.server.hub.use(signature) or self.command != "GET":
            return self._send(403, {})
        return self._bytes(name, f'"cdn-{self.server.hub.sha256(name)[:8]}"', fault)

    def _bytes(self, name: str, etag: str, fault: Fault | None) -> None:
        content = self.server.hub.files[name]
        if isinstance(fault, OtherFile):
            content = bytes(255 - byte for byte in content) + b"!" * fault.longer_by
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        if isinstance(fault, Compressed):
            headers["Content-Encoding"] = "gzip"
        whole = isinstance(fault, IgnoreRange) or self.server.hub.no_ranges
        span = None if whole else self._span(etag, len(content))
        if span is None:
            return self._send(200, headers, content, fault)
        first, last = span
        if first >= len(content):
            return self._send(416, {"Content-Range": f"bytes */{len(content)}"})
        if isinstance(fault, ShiftRange):
            first += fault.by
        if isinstance(fault, ShortRange):
            last = first + fault.bytes - 1
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return self._send(206, headers, content[first : last + 1], fault)

    def _span(self, etag: str, size: int) -> tuple[int, int] | None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None or self.headers.get("If-Range", etag) != etag:
            return None
        if not match[1]:
            return max(0, size - int(match[2])), size - 1
        return int(match[1]), min(int(match[2] or size - 1), size - 1)

    def _send(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes = b"",
        fault: Fault | None = None,
    ) -> None:
        self.send_response(status)
        described = self.command == "HEAD" and status == 200
        size = self._size_in_head(len(body)) if described else {"Content-Length": str(len(body))}
        for name, value in {**headers, **size}.items():
            self.send_header(name.lower() if self.server.hub.lower_case else name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(body, fault)

    def _size_in_head(self, size: int) -> dict[str, str]:
        match self.server.hub.head:
            case "chunked":
                return {"Transfer-Encoding": "chunked"}
            case "zero":
                return {"Content-Length": "0"}
            case "gzip":
                return {"Content-Encoding": "gzip", "Content-Length": str(size // 2)}
            case _:
                return {"Content-Length": str(size)}

    def _write(self, body: bytes, fault: Fault | None) -> None:
        match fault:
            case Drip(bytes=step, pause_seconds=pause):
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    self.server.hub.closing.wait(pause)
            case (
                Truncate(after=int(after))
                | Reset(after=int(after))
                | Stall(after=int(after))
                | IgnoreRange(after=int(after))
            ):
                self.wfile.write(body[:after])
                self._break(fault)
            case Corrupt(at=at) if at < len(body):
                self.wfile.write(body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :])
            case _:
                self._write_all(body)

    def _write_all(self, body: bytes) -> None:
        hub = self.server.hub
        step = 65536 if hub.link else max(1, len(body))
        for start in range(0, len(body), step):
            piece = body[start : start + step]
            if hub.link:
                hub.link.carry(len(piece))
            self.wfile.write(piece)
        with hub.lock:
            hub.sent_bytes += len(body)

    def _break(self, fault: Fault) -> None:
        if isinstance(fault, Stall):
            self.server.hub.closing.wait()
        if isinstance(fault, Reset):
            # A lingering time of zero makes close() send RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        self.close_connection = True
