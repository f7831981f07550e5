"""A fetch through a proxy, and from a Hub whose certificate is of an authority of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fetching import Fetcher, made_part, path_of, rows_of
from hub import LoopbackHub
from proxy import LoopbackProxy, make_certificates

from ddb_query.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

ROWS = rows_of(1)[::9]
PARTS = {path_of(1): made_part(rows_of(1))}
TOKEN = "hf_secretToken"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """An authority, and a server's context with a certificate of it."""
    return make_certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def proxy() -> Iterator[LoopbackProxy]:
    with LoopbackProxy() as proxy:
        yield proxy


@pytest.fixture
def safe_hub(certificates: tuple[Path, ssl.SSLContext]) -> Iterator[LoopbackHub]:
    """A Hub that speaks https, whose certificate nobody knows, and that wants a token."""
    with LoopbackHub(PARTS, tls=certificates[1]) as hub:
        hub.token, hub.gated = TOKEN, True
        yield hub


def fetcher(hub: LoopbackHub, tmp_path: Path) -> Fetcher:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    return Fetcher(hub.endpoint, tmp_path / "images", settings, token=TOKEN)


def test_a_proxy_is_asked_for_all_that_a_fetch_needs(
    proxy: LoopbackProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    with LoopbackHub(PARTS) as hub:
        one = fetcher(hub, tmp_path)
        one.fetch(ROWS)
        asked = [f"{r.method} {hub.address_of(r.host)}{r.path} HTTP/1.1" for r in hub.requests]
    one.assert_right(ROWS)
    assert sorted(proxy.asked) == sorted(asked)
    assert len(asked) > 2


@pytest.fixture
def trusted_hub(
    safe_hub: LoopbackHub,
    certificates: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> LoopbackHub:
    """The safe Hub, whose authority stands in SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[0]))
    return safe_hub


def test_a_certificate_of_an_authority_in_ssl_cert_file_is_trusted(
    trusted_hub: LoopbackHub, tmp_path: Path
) -> None:
    one = fetcher(trusted_hub, tmp_path)
    assert one.fetch(ROWS).complete
    one.assert_right(ROWS)


def test_a_certificate_of_an_unknown_authority_ends_it_before_the_token_is_sent(
    safe_hub: LoopbackHub,
    one_certificate: Path | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if one_certificate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
    done = fetcher(safe_hub, tmp_path).fetch(ROWS)
    assert (done.new, done.missing) == (0, len(ROWS))
    assert "CERTIFICATE" in str(done.stopped or done.errors).upper()
    assert safe_hub.requests == []


def test_a_proxy_sees_no_token_on_its_way_over_https(
    trusted_hub: LoopbackHub,
    proxy: LoopbackProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    one = fetcher(trusted_hub, tmp_path)
    assert one.fetch(ROWS).complete
    one.assert_right(ROWS)
    assert {line.split()[0] for line in proxy.asked} == {"CONNECT"}
    assert len(proxy.seen) > 1000
    assert TOKEN.encode() not in proxy.seen
    assert {r.headers.get("authorization") for r in trusted_hub.asked("hub")} == {f"Bearer {TOKEN}"}
    assert not any("authorization" in r.headers for r in trusted_hub.asked("cdn"))
