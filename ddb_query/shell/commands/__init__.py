"""The dot commands; `.help` lists them from one registry."""

from ddb_query.shell.commands import asking, images, keeping, looking, setting
from ddb_query.shell.commands.registry import COMMANDS, Command, run_command

__all__ = [
    "COMMANDS",
    "Command",
    "asking",
    "images",
    "keeping",
    "looking",
    "run_command",
    "setting",
]
