"""What is refused of a command line, and the hint that mends it."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import TYPE_CHECKING

from ddb_query.errors import OptionNotTakenError, UsageError

if TYPE_CHECKING:
    from typer.exceptions import TyperException

# Options of other commands that one does not take, and what does there what they seem to promise.
_INSTEAD = {
    ("report", "--limit"): "--sample N describes N images, chosen at random",
    ("report", "--order-by"): "a report describes all images of a selection; --sample N takes N",
    ("gallery", "--limit"): "--page N sets the images on a page; `ddb fetch --limit N` fetches N",
    ("gallery", "--format"): "a gallery is always HTML",
    ("fetch", "--force"): "a fetch goes on in a folder of its own, and replaces nothing else",
    ("verify", "--dataset"): "the file itself says which dataset it is of",
}

_NO_CHOICE = re.compile(r"'([^']*)' is not one of (.*)", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")


def not_taken(command_path: str, option: str) -> OptionNotTakenError:
    """The error for an option that other commands take, and this one does not."""
    command = command_path.rpartition(" ")[2]
    instead = _INSTEAD.get((command, option))
    return OptionNotTakenError(command_path, option, instead)


def not_understood(error: TyperException) -> UsageError:
    """What typer says of a command line, in the form of all errors."""
    message = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "ddb COMMAND"
    close: list[str] = []
    if isinstance(option := getattr(error, "option_name", None), str):
        close = getattr(error, "possibilities", None) or []
        close = difflib.get_close_matches(option, close, n=2, cutoff=0.7)
        message = message.partition(" (Possible options: ")[0]
    elif choice := _NO_CHOICE.search(message):
        close = difflib.get_close_matches(choice[1], _QUOTED.findall(choice[2]), n=1)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    lists = "its commands" if message == "Missing command" else "its options"
    return UsageError(
        message[:1].lower() + message[1:], hint=f"{meant}`{command} --help` lists {lists}"
    )


def taken_for_option(command_path: str, word: str, texts: list[str]) -> UsageError:
    """The error for text that begins with a dash; `texts` is all text of the command."""
    words = shlex.join(texts)
    hint = f"put -- before text that begins with a dash: {command_path} -- {words}"
    if len(texts) > 1 and not texts[0].startswith("-"):
        hint = f"quote the text, {command_path} {shlex.quote(' '.join(texts))}; or {hint}"
    return UsageError(f"{command_path} takes {word} for an option, which it is not", hint=hint)
