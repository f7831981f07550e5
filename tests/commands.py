"""The command line in this process: many commands are tried in the time that one start takes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer
from conftest import Ran

from ddb_query.__main__ import main
from ddb_query.cli.app import app

if TYPE_CHECKING:
    import pytest

Run = Callable[..., Ran]


def runner(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `ddb` as its entry does, with its standard streams caught."""

    def run(*args: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["ddb", *map(str, args)])
        capfd.readouterr()
        try:
            code = main()
        except SystemExit as error:
            code = int(error.code or 0)
        sys.stdout.flush()
        found = capfd.readouterr()
        return Ran(code, found.out.encode(), found.err)

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
