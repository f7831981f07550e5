"""A proxy on loopback, and certificates made on the spot."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path


class LoopbackProxy:
    """An HTTP proxy that forwards requests and tunnels `CONNECT`, and keeps all that it can read.

    Attributes:
        asked: First lines of the requests.
        seen: All bytes that came from clients, those in tunnels too.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.seen = bytearray()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        """What HTTP_PROXY would be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: LoopbackProxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()

    def do_CONNECT(self) -> None:
        self._note()
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as there:
            self.send_response(200)
            self.end_headers()
            self._tunnel(there)
        self.close_connection = True

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name in the base class
        pass

    def _note(self) -> None:
        self.server.proxy.asked.append(self.requestline)
        self.server.proxy.seen += self.requestline.encode() + bytes(self.headers)

    def _forward(self) -> None:
        self._note()
        url = urlsplit(self.path)
        there = HTTPConnection(url.hostname or "", url.port, timeout=10)
        there.request(self.command, url.path, headers=dict(self.headers))
        answer = there.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        there.close()

    def _tunnel(self, there: socket.socket) -> None:
        other = {self.connection: there, there: self.connection}
        while True:
            for ready in select.select(list(other), [], [], 10)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                if ready is self.connection:
                    self.server.proxy.seen += data
                other[ready].sendall(data)


def make_certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """An authority made up for a test, and what a server on 127.0.0.1 needs that it vouches for.

    Returns:
        The authority's certificate, for SSL_CERT_FILE, and the server's context.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch"
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san"
    for arguments in (
        f"{new} -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        f"{new} -subj /CN=loopback -keyout hub.key -out hub.csr",
        f"x509 -req -in hub.csr {signed} -out hub.pem",
    ):
        openssl = shutil.which("openssl") or "openssl"
        subprocess.run([openssl, *arguments.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "hub.pem", folder / "hub.key")
    return folder / "ca.pem", context
