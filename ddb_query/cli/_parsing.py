"""How a command line is read: what is not understood is refused with a hint that mends it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from ddb_query.cli._help import write_options
from ddb_query.cli._refusals import not_taken, taken_for_option
from ddb_query.errors import NoSuchCommandError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Command(TyperCommand):
    """A command that says what to write instead of an option that it does not take."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options: its own, and those that it shares by group."""
        write_options(self.get_params(ctx), ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look at the words before they are parsed."""
        for word, is_text in self._unknown(args):
            option = word.partition("=")[0]
            if option in known_elsewhere():
                raise not_taken(ctx.command_path, option)
            if is_text:
                raise taken_for_option(ctx.command_path, word, self._texts(args))
        return super().parse_args(ctx, args)

    def _unknown(self, args: list[str]) -> Iterable[tuple[str, bool]]:
        """Words that look like options and are none, and whether each must be text."""
        takes_text = any(param.param_type_name == "argument" for param in self.params)
        takes_words = any(param.nargs == -1 for param in self.params)
        options = {name: param for param in self.params for name in param.opts if name[0] == "-"}
        rest = iter(args)
        for word in rest:
            if word == "--":
                return
            name = word.partition("=")[0]
            if not word.startswith("-") or word == "-":
                continue
            if name in options:
                if name == word and _takes_value(options[name]):
                    next(rest, None)
            elif word[:2] in options and not takes_words:
                # Short options in one word: -oFILE, -qo FILE.
                last = options.get(f"-{word[-1]}")
                if last and _takes_value(last) and not _takes_value(options[word[:2]]):
                    next(rest, None)
            else:
                one_dash = not word.startswith("--")
                yield word, takes_text and (one_dash or any(mark.isspace() for mark in word))

    def _texts(self, args: list[str]) -> list[str]:
        """The words of a line that are no options, nor values of options."""
        options = {name: param for param in self.params for name in param.opts}
        found, rest = [], iter(args)
        for word in rest:
            if word not in options:
                found.append(word)
            elif _takes_value(options[word]):
                next(rest, None)
        return found


class Group(TyperGroup):
    """Commands; names close to one that is not there are told, and summaries are not cut."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first word names."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            close = difflib.get_close_matches(name, self.list_commands(ctx), n=3, cutoff=0.6)
            raise NoSuchCommandError(ctx.command_path, name, close)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the name of each command and the first paragraph of its help, whole."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, _first_paragraph(one.help or "")) for name, one in found if one]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _takes_value(param: object) -> bool:
    return not getattr(param, "is_flag", False)


def known_elsewhere() -> frozenset[str]:
    """The options that more than one command takes."""
    from ddb_query.cli._options import common_parameters
    from ddb_query.cli._selection_options import selection_parameters

    declared = (*common_parameters(), *selection_parameters())
    return frozenset(
        name
        for parameter in declared
        for name in (
            *parameter.annotation.__metadata__[0].param_decls,
            f"--{parameter.name.replace('_', '-')}",
        )
    )


def _first_paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
