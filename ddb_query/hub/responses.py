"""What an answer of the Hub means: a file, a place in it, a redirect, a wait, a refusal.

Pure: nothing here asks anything. No value or error of this module shows a signed address.

Source: the `resolve` addresses of the Hugging Face Hub with their `X-Repo-Commit`, `X-Linked-Size`
and `X-Linked-Etag` (for a file in large storage: its sha256); RFC 9110 for ranges and ETags; the
Hub's `RateLimit: "resolvers";r=0;t=55`, draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import ipaddress
import re
import time
from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING

from ddb_query.errors import (
    BrokenTransferError,
    ExpiredAddressError,
    HubAccessError,
    HubBusyError,
    HubError,
    NotOnHubError,
    RangeRefusedError,
    RefusedRedirectError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A weak ETag, W/"…", does not match: it says nothing of single bytes.
_ETAG = re.compile(r'"?([^"]+)"?')
_NUMBER = re.compile(r"[0-9]{1,15}")
_RATE_LIMIT = re.compile(r"\br\s*=\s*0\s*;\s*t\s*=\s*([0-9]{1,9})\b")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)")


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub describes it.

    Attributes:
        path: Its path inside the repository.
        address: Where its bytes are; often signed, and then it expires.
        size: In bytes; None when the server does not say.
        sha256: Of its bytes; None for small files, and from mirrors that do not pass it on.
        etag: A strong ETag without its quotes; None when there is only a weak one, or none.
        commit: The commit of the repository that it was taken from.
        own_etag: Whether `address` itself answers with that ETag, so that `If-Range` may name it.

    """

    path: str
    address: str = field(repr=False)
    size: int | None = None
    sha256: str | None = None
    etag: str | None = None
    commit: str | None = None
    own_etag: bool = False

    @property
    def identity(self) -> str | None:
        """What tells these bytes from all others; None when nothing does."""
        return self.sha256 or self.etag


def described(
    path: str, address: str, status: int, headers: Mapping[str, str], commit: str | None
) -> RemoteFile:
    """Read from headers what they say of a file.

    Args:
        path: Its path inside the repository.
        address: Where its bytes are.
        status: Of the answer that describes it: a redirect to `address`, or of `address` itself.
        headers: Of that answer, whatever their case.
        commit: From an answer before this one, if any.

    """
    redirected = 300 <= status < 400
    linked = _strong_etag(headers.get("x-linked-etag"))
    plain = _strong_etag(headers.get("etag"))
    size = _number(headers.get("x-linked-size"))
    return RemoteFile(
        path=path,
        address=address,
        size=whole_size(status, headers) if size is None and not redirected else size,
        sha256=linked if linked and _SHA256.fullmatch(linked) else None,
        etag=linked or plain,
        commit=commit,
        own_etag=not redirected and plain is not None and plain == (linked or plain),
    )


def place(
    file: RemoteFile, status: int, headers: Mapping[str, str], start: int
) -> tuple[int, int | None]:
    """Where a body begins in its file, and how large the whole file is, if that is said.

    Raises:
        BrokenTransferError: The bytes are not those asked for.

    """
    if file.own_etag and _strong_etag(headers.get("etag")) not in (None, file.etag):
        raise ExpiredAddressError(file.path, "it has changed on the server meanwhile")
    if headers.get("content-encoding", "identity") != "identity":
        raise BrokenTransferError(
            file.path, "the server sends it compressed, which nobody asked for"
        )
    if status == 416:
        raise RangeRefusedError(file.path, start)
    if status == 200:
        return 0, _number(headers.get("content-length"))
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if status != 206 or match is None or int(match[1]) != start:
        raise BrokenTransferError(
            file.path, f"the server sends other bytes than those from {start} on"
        )
    return start, _number(match[2])


def whole_size(status: int, headers: Mapping[str, str]) -> int | None:
    """How large a file is, by an answer with all of it or a piece of it; None if that is not said.

    Some servers say 0 where they do not know, or the size of a compressed form.
    """
    if headers.get("content-encoding", "identity") != "identity":
        return None
    if status == 200:
        return _number(headers.get("content-length")) or None
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    return _number(match[2]) if match else None


def asked_wait_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to be left alone; None when it does not say."""
    asked = []
    retry_after = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(retry_after):
        asked.append(float(retry_after))
    elif moment := parsedate_tz(retry_after):
        asked.append(max(0.0, mktime_tz(moment) - time.time()))
    if match := _RATE_LIMIT.search(headers.get("ratelimit", "")):
        asked.append(float(match[1]))
    return max(asked, default=None)


def quiet_seconds(status: int, headers: Mapping[str, str]) -> float | None:
    """How long nobody here should ask a server again; None when it does not mind."""
    if status in (429, 503):
        return asked_wait_seconds(headers)
    match = _RATE_LIMIT.search(headers.get("ratelimit", ""))
    return float(match[1]) if match else None


def is_http(url: httpx2.URL) -> bool:
    """Whether an address can be asked at all."""
    return url.scheme in ("http", "https") and bool(url.host) and (url.port or 80) < 65536


def is_safe(url: httpx2.URL) -> bool:
    """Whether nobody on the way can read along."""
    return url.scheme == "https" or is_loopback(url.host)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def next_address(url: httpx2.URL, location: str) -> httpx2.URL:
    """Where a redirect leads.

    Raises:
        RefusedRedirectError: It leads nowhere, away from HTTP, or from https to open http.

    """
    import httpx2

    try:
        target = url.join(location)
    except (httpx2.InvalidURL, ValueError) as error:
        raise RefusedRedirectError(url.host, "to something that is no address") from error
    if not is_http(target):
        raise RefusedRedirectError(url.host, "to something that is not http")
    if url.scheme == "https" and not is_safe(target):
        raise RefusedRedirectError(url.host, f"from https to unprotected http on {target.host}")
    return target


def refusal(
    response: httpx2.Response, path: str, revision: str, *, with_token: bool, expires: bool
) -> HubError | None:
    """Say what is wrong with an answer; None when nothing is.

    Args:
        response: The answer; its body is not looked at.
        path: The file that was asked for.
        revision: At which revision.
        with_token: Whether a token is known.
        expires: Whether the address is one that the Hub handed out for a while.

    """
    status, host = response.status_code, response.request.url.host
    if status < 400 or status == 416:
        return None
    if status in _BUSY:
        return _busy(response, host, with_token=with_token)
    if expires and status in _EXPIRED:
        return ExpiredAddressError(path, f"{host} no longer gives it at this address ({status})")
    if status in (404, 410):
        return NotOnHubError(host, path, revision)
    if status in (401, 403):
        return _no_access(response, host, path, with_token=with_token)
    return HubError(f"{host} answers HTTP {status} for {path}", hint="check HF_ENDPOINT")


def _busy(response: httpx2.Response, host: str, *, with_token: bool) -> HubError:
    status = response.status_code
    hint = None
    if status == 429 and not with_token:
        hint = "wait five minutes, or log in with `hf auth login`: the Hub allows an account more"
    wait = asked_wait_seconds(response.headers) if status in (429, 503) else None
    return HubBusyError(host, status, hint=hint, retry_after_seconds=wait)


def _no_access(response: httpx2.Response, host: str, path: str, *, with_token: bool) -> HubError:
    if response.headers.get("x-error-code") == "GatedRepo":
        problem = "only for accounts that were let in"
        hint = "ask for access on the dataset's page, then log in with `hf auth login`"
    elif with_token:
        problem = f"it does not accept the token (HTTP {response.status_code})"
        hint = (
            "check HF_TOKEN or log in anew with `hf auth login`; the token is sent only over https"
        )
    else:
        problem = f"it wants to know who asks (HTTP {response.status_code})"
        hint = "log in with `hf auth login`, or set HF_TOKEN"
    return HubAccessError(host, path, problem, hint=hint)


def _strong_etag(value: str | None) -> str | None:
    match = _ETAG.fullmatch(value.strip()) if value else None
    return match[1] if match else None


def _number(text: str | None) -> int | None:
    return int(text) if text and _NUMBER.fullmatch(text) else None
