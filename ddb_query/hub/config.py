"""Which Hub is asked, as whom, and how patiently; read from huggingface_hub's own settings.

Asks nothing itself, so that importing it loads no HTTP client.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from ddb_query.diffusiondb import REPOSITORY, REVISION
from ddb_query.errors import HubError, NoConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ddb_query.errors import TransientHubError

READ_TIMEOUT_SECONDS = 30.0
MAX_RETRIES = 5
# How long a network is waited for that has not been there yet.
PATIENCE_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 16.0
# The Hub counts requests in windows of five minutes: an honest wait is no longer than that.
LONGEST_ASKED_WAIT_SECONDS = 600.0

_TOKEN = re.compile(r"[!-~]+")
_LOGIN_HINT = "check HF_TOKEN, or log in anew with `hf auth login`"


@dataclass(frozen=True)
class Hub:
    """Which Hub is asked, as whom, and how patiently.

    Attributes:
        endpoint: Address of the Hub or of a mirror, without a slash at its end.
        token: Of the account that asks; None for anybody.
        offline: Whether nothing may be asked.
        revision: A branch, a tag or a commit of the repository.
        read_timeout_seconds: How long a server may be silent.
        patience_seconds: How long a network is waited for before anything has answered.
        sleep: Waits; a test hands in one that does not.

    """

    endpoint: str
    token: str | None = field(default=None, repr=False)
    offline: bool = False
    revision: str = REVISION
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS
    patience_seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_environment(
        cls, *, revision: str = REVISION, patience_seconds: float = PATIENCE_SECONDS
    ) -> Hub:
        """Read huggingface_hub's own settings: mirror, token, offline mode, timeout.

        Args:
            revision: A branch, a tag or a commit of the repository.
            patience_seconds: How long a network is waited for before anything has answered.

        Raises:
            HubError: A setting is no good, or the stored token cannot be read.

        """
        constants = _constants()
        return cls(
            endpoint=constants.ENDPOINT or constants.HUGGINGFACE_CO_URL_HOME.rstrip("/"),
            # Reading a stored login may renew it over the network.
            token=None if constants.HF_HUB_OFFLINE else _stored_token(),
            offline=constants.HF_HUB_OFFLINE,
            revision=revision,
            read_timeout_seconds=max(READ_TIMEOUT_SECONDS, constants.HF_HUB_DOWNLOAD_TIMEOUT),
            patience_seconds=patience_seconds,
        )

    @classmethod
    def without_account(cls, *, revision: str = REVISION) -> Hub:
        """Read which Hub it is and no more, for those who will ask it nothing."""
        constants = _constants()
        endpoint = constants.ENDPOINT or constants.HUGGINGFACE_CO_URL_HOME.rstrip("/")
        return cls(endpoint, revision=revision, offline=True)

    def address(self, path: str) -> str:
        """Where the Hub says what a path is."""
        revision = quote(self.revision, safe="")
        return f"{self.endpoint}/datasets/{REPOSITORY}/resolve/{revision}/{quote(path)}"


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
        return longest * (1 + spread()) / 2


def spread() -> float:
    """A part of a second that keeps callers apart."""
    return random.random()  # noqa: S311 - it hides nothing


def _constants() -> ModuleType:
    try:
        from huggingface_hub import constants
    except ValueError as error:
        hint = "check HF_HUB_DOWNLOAD_TIMEOUT and HF_HUB_ETAG_TIMEOUT"
        raise HubError("a setting of the Hub is not a whole number", hint=hint) from error
    return constants


def _stored_token() -> str | None:
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import OIDCError

    if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return None
    try:
        token = get_token()
    except (OSError, ValueError, OIDCError) as error:
        raise HubError("the token for the Hub cannot be read", hint=_LOGIN_HINT) from error
    # A header holds printable ASCII; whatever else stands there must not be quoted in an error.
    if token is not None and not _TOKEN.fullmatch(token):
        raise HubError("the token for the Hub is not a token", hint=_LOGIN_HINT)
    return token
