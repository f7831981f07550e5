"""Whether a server can be reached at all, told within a bound.

A client's timeout for connecting holds for each address of a name, and not for resolving it: with
a name server that is silent, or many addresses that nobody routes to, it would wait for a minute.
"""

from __future__ import annotations

import queue
import socket
import threading
import urllib.request
from typing import TYPE_CHECKING

from ddb_query.errors import NoConnectionError

if TYPE_CHECKING:
    import httpx2

_PORTS = {"http": 80, "https": 443}


def reach(url: httpx2.URL, seconds: float) -> None:
    """See that somebody listens at an address; where a proxy is asked, that is the proxy's to say.

    Args:
        url: The address.
        seconds: How long that may take.

    Raises:
        NoConnectionError: Its name does not resolve, or nobody listens, or it takes too long.
    """
    proxies = urllib.request.getproxies()
    proxied = url.scheme in proxies or "all" in proxies
    if proxied and not urllib.request.proxy_bypass(url.host):
        return
    outcome: queue.SimpleQueue[OSError | None] = queue.SimpleQueue()
    place = (url.host, url.port or _PORTS[url.scheme])
    threading.Thread(target=_try, args=(place, seconds, outcome), daemon=True).start()
    try:
        error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise NoConnectionError(url.host, f"no connection within {seconds:g} s") from None
    if error is not None:
        raise NoConnectionError(url.host, error.strerror or str(error)) from error


def _try(
    place: tuple[str, int], seconds: float, outcome: queue.SimpleQueue[OSError | None]
) -> None:
    try:
        with socket.create_connection(place, timeout=seconds):
            outcome.put(None)
    except OSError as error:
        outcome.put(error)
    except UnicodeError:
        # Of a name that cannot be one, such as an empty label.
        outcome.put(OSError("no such host"))
