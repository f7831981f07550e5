"""When a failed request to the Hub is tried again, and how long is waited before."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from ddb_query.errors import NoConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.errors import TransientHubError
    from ddb_query.hub.config import Hub

MAX_RETRIES = 5
LONGEST_BACKOFF_SECONDS = 16.0
# The Hub counts requests in windows of five minutes: an honest wait is no longer than that.
LONGEST_ASKED_WAIT_SECONDS = 600.0


class Retries:
    """How many failures in a row are borne, and how long is waited after each.

    Before anything has answered, a network that is not there is waited for as long as the user
    said, and no longer. Later, failures are counted.
    """

    def __init__(
        self,
        hub: Hub,
        on_note: Callable[[str], None],
        answered: Callable[[], bool] = lambda: True,
    ) -> None:
        """Begin a piece of work.

        Args:
            hub: How patiently.
            on_note: Told of every wait.
            answered: Says whether anything has answered so far.
        """
        self._hub = hub
        self._on_note = on_note
        self._answered = answered
        self._failures = 0
        self._begun = time.monotonic()
        self._waited = 0.0

    def renew(self) -> None:
        """Forget the failures so far: there was progress."""
        self._failures = 0

    def wait(self, error: TransientHubError) -> None:
        """Wait longer after each failure.

        When the server asks for a wait, the next request to it keeps to that (`client`).

        Raises:
            TransientHubError: The error itself, once there were too many.

        """
        self._failures += 1
        if isinstance(error, NoConnectionError) and not self._answered():
            self._wait_for_network(error)
            return
        asked = error.retry_after_seconds
        if self._failures > MAX_RETRIES or (asked or 0.0) > LONGEST_ASKED_WAIT_SECONDS:
            raise error
        seconds = self._backoff() if asked is None else asked
        count = f"{self._failures} of {MAX_RETRIES}"
        self._on_note(f"{error.message}; trying again in {seconds:.1f} s ({count})")
        if asked is None:
            self._hub.sleep(seconds)

    def _wait_for_network(self, error: NoConnectionError) -> None:
        spent = max(time.monotonic() - self._begun, self._waited)
        seconds = min(self._backoff(), self._hub.patience_seconds - spent)
        if seconds <= 0:
            raise error
        self._waited += seconds
        self._on_note(f"{error.message}; trying again in {seconds:.1f} s")
        self._hub.sleep(seconds)

    def _backoff(self) -> float:
        longest = min(LONGEST_BACKOFF_SECONDS, 2.0 ** (self._failures - 1))
        return longest * (1 + jitter()) / 2


def jitter() -> float:
    """A part of a second that keeps callers apart."""
    return random.random()  # noqa: S311 - it hides nothing
