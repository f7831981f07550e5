"""The connection to the Hub, or to a mirror of it: what a path is, and the bytes of it.

Owns the HTTP client and who is told the token: only the endpoint itself, only over https or on
loopback. Refuses to write files.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ddb_query.errors import (
    BrokenTransferError,
    HubError,
    HubUnreachableError,
    NoConnectionError,
    OfflineError,
    RefusedRedirectError,
    TransientHubError,
)
from ddb_query.hub.reach import reach
from ddb_query.hub.responses import (
    described,
    is_http,
    is_safe,
    next_address,
    place,
    quiet_seconds,
    refusal,
    whole_size,
)
from ddb_query.hub.retries import LONGEST_ASKED_WAIT_SECONDS, Retries, jitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx2

    from ddb_query.hub.config import Hub
    from ddb_query.hub.responses import RemoteFile

CONNECT_TIMEOUT_SECONDS = 10.0
# For the first connection of a run, unless more patience was asked for.
FIRST_CONNECT_SECONDS = 3.5
MAX_REDIRECTS = 5


@dataclass(frozen=True)
class Body:
    """The bytes of an answer.

    Attributes:
        start: Where in the file they begin: zero when the server gives the whole file instead.
        size: Of the whole file, in bytes, if the server says.
        etag: That the server gives with these bytes, as it stands.
        chunks: The bytes as they arrive; reading them may raise `BrokenTransferError`.

    """

    start: int
    size: int | None
    etag: str | None
    chunks: Iterator[bytes]


@contextmanager
def connect(
    hub: Hub, on_note: Callable[[str], None], *, connections: int = 4
) -> Iterator[Connection]:
    """Open a connection; `on_note` is told of every wait.

    Args:
        hub: Which Hub.
        on_note: May be called from any thread that uses it.
        connections: How many are kept alive.

    Raises:
        OfflineError: The user has switched the network off.
        HubError: The endpoint, the proxy or the certificates of the environment are no good.

    """
    if hub.offline:
        raise OfflineError
    with _client(hub.read_timeout_seconds, connections) as client:
        yield Connection(hub, client, on_note)


class Connection:
    """An open connection to the Hub; threads may share it."""

    def __init__(self, hub: Hub, client: httpx2.Client, on_note: Callable[[str], None]) -> None:
        self._hub = hub
        self._client = client
        self._on_note = on_note
        self._endpoint = _url(hub.endpoint)
        # Whether any server has answered anything so far.
        self._answered = False
        # When the servers that asked for quiet may be asked again, by all threads.
        self._quiet_until: dict[bytes, float] = {}

    @property
    def host(self) -> str:
        """The host of the endpoint."""
        return self._endpoint.host

    def retries(self) -> Retries:
        """Give the patience for one piece of work."""
        return Retries(self._hub, self._on_note, lambda: self._answered)

    def resolve(self, path: str) -> RemoteFile:
        """Ask what a path is, again when the Hub is busy.

        Raises:
            HubError: It is not there, not for this account, or the Hub does not answer.

        """
        retries = self.retries()
        while True:
            try:
                return self._resolve(path)
            except TransientHubError as error:
                retries.wait(error)

    @contextmanager
    def open(self, file: RemoteFile, *, start: int = 0, stop: int | None = None) -> Iterator[Body]:
        """Ask once for the bytes of a file from `start` up to, not including, `stop`.

        Raises:
            TransientHubError: Worth another try, from `resolve` on: busy, unreachable, an address
                that has expired, other bytes than those asked for.
            HubError: Not worth another try.

        """
        response = self._get(file, _range(file, start, stop))
        try:
            first, size = place(file, response.status_code, response.headers, start)
            etag = response.headers.get("etag")
            yield Body(first, size, etag, _chunks(file.path, response))
        finally:
            response.close()

    def _resolve(self, path: str) -> RemoteFile:
        url, commit = _url(self._hub.address(path)), None
        for _ in range(MAX_REDIRECTS + 1):
            response = self._describe(url, path)
            headers = response.headers
            commit = commit or headers.get("x-repo-commit")
            redirected = response.has_redirect_location
            if redirected:
                url = next_address(url, headers["location"])
            if not redirected or "x-linked-etag" in headers or "x-linked-size" in headers:
                file = described(path, str(url), response.status_code, headers, commit)
                return file if file.size is not None else self._measured(file)
        raise RefusedRedirectError(url.host, f"more than {MAX_REDIRECTS} times")

    def _describe(self, url: httpx2.URL, path: str) -> httpx2.Response:
        response = self._send("HEAD", url)
        refuses_head = (405, 501) if self._is_own(url) else (403, 405, 501)
        if response.status_code in refuses_head:
            # An address signed for GET refuses HEAD, and some mirrors do not know it.
            response.close()
            response = self._send("GET", url, {"Range": "bytes=0-0"})
        response.close()
        self._raise_for_status(response, path, expires=False)
        return response

    def _measured(self, file: RemoteFile) -> RemoteFile:
        """The same with its size, which comes with its first byte where a HEAD does not tell it."""
        response = self._get(file, {"Range": "bytes=0-0"})
        response.close()
        return replace(file, size=whole_size(response.status_code, response.headers))

    def _get(self, file: RemoteFile, headers: Mapping[str, str]) -> httpx2.Response:
        url = _url(file.address)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send("GET", url, headers)
            if not response.has_redirect_location:
                self._raise_for_status(response, file.path, expires=not self._is_own(url))
                return response
            response.close()
            url = next_address(url, response.headers["location"])
        raise RefusedRedirectError(url.host, f"more than {MAX_REDIRECTS} times")

    def _send(
        self, method: str, url: httpx2.URL, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        import httpx2

        own = self._is_own(url)
        sent = dict(headers or {})
        if own and self._hub.token and is_safe(url):
            sent["Authorization"] = f"Bearer {self._hub.token}"
        request = self._client.build_request(method, url, headers=sent)
        self._keep_quiet(url.netloc)
        if not self._answered:
            longest = max(FIRST_CONNECT_SECONDS, self._hub.patience_seconds)
            reach(url, min(CONNECT_TIMEOUT_SECONDS, longest))
        try:
            # Without an Auth the client makes credentials of a `name:password@` in any address.
            response = self._client.send(
                request, stream=method != "HEAD", auth=None if own else httpx2.Auth()
            )
        except httpx2.TransportError as error:
            raise _unreachable(url.host, error) from error
        self._answered = True
        if (quiet := quiet_seconds(response.status_code, response.headers)) is not None:
            longest = min(quiet, LONGEST_ASKED_WAIT_SECONDS)
            self._quiet_until[url.netloc] = time.monotonic() + longest
        return response

    def _keep_quiet(self, server: bytes) -> None:
        until = self._quiet_until.get(server)
        if until is not None:
            self._hub.sleep(max(0.0, until - time.monotonic()) + jitter())
            self._quiet_until.pop(server, None)

    def _is_own(self, url: httpx2.URL) -> bool:
        return url.origin == self._endpoint.origin

    def _raise_for_status(self, response: httpx2.Response, path: str, *, expires: bool) -> None:
        with_token = self._hub.token is not None
        error = refusal(response, path, self._hub.revision, with_token=with_token, expires=expires)
        if error is not None:
            response.close()
            raise error


def _range(file: RemoteFile, start: int, stop: int | None) -> dict[str, str]:
    if start == 0 and stop is None:
        return {}
    headers = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
    if file.own_etag:
        headers["If-Range"] = f'"{file.etag}"'
    return headers


def _chunks(path: str, response: httpx2.Response) -> Iterator[bytes]:
    import httpx2

    try:
        yield from response.iter_raw()
    except httpx2.TransportError as error:
        raise BrokenTransferError(path, f"the connection broke ({_reason(error)})") from error


def _url(address: str) -> httpx2.URL:
    import httpx2

    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if not is_http(url):
        raise HubError("HF_ENDPOINT is not the http address of a Hub", hint="unset it, or mend it")
    return url


def _client(read_timeout_seconds: float, connections: int) -> httpx2.Client:
    import httpx2

    try:
        return httpx2.Client(
            headers={"Accept-Encoding": "identity", "User-Agent": "ddb-query"},
            timeout=httpx2.Timeout(read_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            follow_redirects=False,
            limits=httpx2.Limits(max_keepalive_connections=2 * connections),
        )
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise HubError(
            "the proxy or the certificates that the environment names cannot be used",
            hint="check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
            " (a SOCKS proxy needs the package socksio)",
        ) from error


def _unreachable(host: str, error: httpx2.TransportError) -> HubError:
    import httpx2

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "if a proxy stands between, let SSL_CERT_FILE name a file with its certificate"
        return HubError(f"cannot reach {host}: its certificate is not trusted", hint=hint)
    # These come before a byte of an answer; a proxy's refusal is one of them.
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        return NoConnectionError(host, _reason(error))
    return HubUnreachableError(host, _reason(error))


def _reason(error: httpx2.TransportError) -> str:
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return "timed out"
    # Protocol errors may quote what the server sent.
    if isinstance(error, httpx2.ProtocolError) or not str(error):
        return "closed by the server, or no proper HTTP"
    return str(error)
