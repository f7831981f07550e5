"""Which Hub is asked, as whom, and how patiently; read from huggingface_hub's own settings.

Asks nothing itself, so that importing it loads no HTTP client.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from ddb_query.diffusiondb import REPOSITORY, REVISION
from ddb_query.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

READ_TIMEOUT_SECONDS = 30.0
# How long a network is waited for that has not been there yet.
PATIENCE_SECONDS = 2.0

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
