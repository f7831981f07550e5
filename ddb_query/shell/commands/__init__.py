"""The dot commands; `.help` lists them from one registry."""

from ddb_query.shell.commands import export, images, inspect, queries, settings
from ddb_query.shell.commands.registry import COMMANDS, Command, run_command

__all__ = [
    "COMMANDS",
    "Command",
    "export",
    "images",
    "inspect",
    "queries",
    "run_command",
    "settings",
]
