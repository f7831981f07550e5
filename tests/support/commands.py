"""The installed command line, and which commands there are."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import installed
import typer
from conftest import Ran

from ddb_query.cli.app import app

Run = Callable[..., Ran]


def runner() -> Run:
    """Run the installed `ddb` in a process of its own, in the folder that is the current one."""

    def run(*args: object) -> Ran:
        done = subprocess.run(
            [installed.ddb(), *map(str, args)],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr.decode())

    return run


def commands() -> dict[str, Any]:
    """Every command by the words that call it, but for the canned queries."""
    group = typer.main.get_command(app)
    found: dict[str, Any] = {}
    context: Any = group.make_context("ddb", [], resilient_parsing=True)
    for name in group.list_commands(context):  # type: ignore[attr-defined]
        one = group.get_command(context, name)  # type: ignore[attr-defined]
        if name == "data":
            found |= {f"data {sub}": command for sub, command in one.commands.items()}
        elif name != "run":
            found[name] = one
    return found


def options_of(command: Any) -> set[str]:
    """The names of a command's options."""
    return {name for param in command.params for name in param.opts if name.startswith("-")}
