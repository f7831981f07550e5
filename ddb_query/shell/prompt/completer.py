"""What can be typed next, for prompt_toolkit's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from ddb_query.shell.commands import COMMANDS
from ddb_query.shell.commands.images import REPORT_FIELDS
from ddb_query.shell.keywords import KEYWORDS
from ddb_query.shell.prompt.cursor_context import context
from ddb_query.shell.prompt.highlighter import LONGEST
from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent

    from ddb_query.shell.names import Names
    from ddb_query.shell.prompt.cursor_context import Context

    # A name, and the word that the menu shows beside it.
    Candidate = tuple[str, str]

_FILES = PathCompleter(expanduser=True)
# Unasked, the menu comes up behind so many letters.
_LETTERS = 2


class ShellCompleter(Completer):
    """Completes SQL and dot commands.

    Args:
        names: The names of the corpus, as they are now.
        variables: Names of the variables that are set.
        values: Values of a column of a relation, as far as they are known.

    """

    def __init__(
        self,
        names: Callable[[], Names],
        variables: Callable[[], Iterable[str]],
        values: Callable[[str, str], tuple[str, ...]],
    ) -> None:
        self._names = names
        self._variables = variables
        self._values = values

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """The completions at the cursor, the likeliest first."""
        before = document.text_before_cursor
        if len(document.text) > LONGEST:
            return
        line = before.rpartition("\n")[2].lstrip()
        if line.startswith("."):
            yield from self._of_command(line, complete_event)
            return
        found = context(before, document.text_after_cursor)
        certain = found.kind in ("value", "variable", "column")
        if not (complete_event.completion_requested or certain or len(found.word) >= _LETTERS):
            return
        yield from _matching(found.word, self._candidates(found))

    def _candidates(self, found: Context) -> Iterator[Candidate]:
        names = self._names()
        if found.kind == "relation":
            yield from ((name, "view") for name in names.relations)
            yield from ((alias, "") for alias in found.aliases)
            yield "search(", "function"
        elif found.kind == "column":
            columns = names.relations.get(found.relation(found.owner), ())
            yield from ((column.name, column.type.lower()) for column in columns)
        elif found.kind == "variable":
            yield from ((f"${name}", "") for name in self._variables())
        elif found.kind == "value":
            yield from self._of_column(found, names)
        elif found.kind == "name":
            yield from _names(found, names)

    def _of_column(self, found: Context, names: Names) -> Iterator[Candidate]:
        relations = list(dict.fromkeys(name for _, name in found.relations)) or ["images"]
        for relation in relations:
            for column in names.relations.get(relation, ()):
                if column.name.lower() == found.owner.lower() and column.type == "VARCHAR":
                    values = self._values(relation, column.name)
                    yield from ((value.replace("'", "''") + "'", "") for value in values)

    def _of_command(self, line: str, event: CompleteEvent) -> Iterator[Completion]:
        name, space, rest = line[1:].partition(" ")
        if not space:
            candidates = ((f".{c.name}", c.help) for c in COMMANDS.values())
            yield from _matching(line, candidates)
            return
        argument = COMMANDS[name].argument if name in COMMANDS else ""
        if name in ("export", "fetch", "report") and " " in rest:
            yield from _of_selection(name, rest.rpartition(" ")[2])
        elif argument == "file":
            yield from _FILES.get_completions(Document(rest), event)
        elif name == "run" and " " in rest:
            yield from self._of_parameters(rest)
        elif " " not in rest:
            yield from _matching(rest, self._of_argument(argument))

    def _of_argument(self, argument: str) -> Iterator[Candidate]:
        names = self._names()
        if argument == "relation":
            yield from ((name, "") for name in names.relations)
        elif argument == "query":
            yield from ((query.name, query.description) for query in names.queries)
        elif argument == "command":
            yield from ((c.name, c.help) for c in COMMANDS.values())
        elif argument == "variable":
            yield from ((name, "") for name in self._variables())
        elif argument == "dataset":
            yield from ((name, "") for name in names.datasets)
        elif argument:
            yield from ((word, "") for word in argument.split("|"))

    def _of_parameters(self, rest: str) -> Iterator[Completion]:
        name, *given = rest.split(" ")
        query = next((q for q in self._names().queries if q.name == name), None)
        if query is None:
            return
        parameter, equals, word = given[-1].partition("=")
        if equals:
            choices = [c for p in query.parameters if p.name == parameter for c in p.choices]
            yield from _matching(word, ((choice, "") for choice in choices))
            return
        told = {text.partition("=")[0] for text in given[:-1]}
        free = (p for p in query.parameters if p.name not in told)
        yield from _matching(parameter, ((f"{p.name}=", p.help or p.type) for p in free))


def _of_selection(command: str, word: str) -> Iterator[Completion]:
    """Fields of a selection, and of a report; the values of those that have few."""
    from ddb_query.api.choices import choices_of
    from ddb_query.selection.criteria import Criteria

    field, equals, value = word.partition("=")
    if equals:
        yield from _matching(value, ((one, "") for one in choices_of(field)))
        return
    more = REPORT_FIELDS if command == "report" else ()
    names = [*more, *Criteria.__dataclass_fields__]
    yield from _matching(word, ((f"{name}=", "") for name in names))


def _names(found: Context, names: Names) -> Iterator[Candidate]:
    """All that an expression may hold, what is nearest to it first."""
    relations = list(dict.fromkeys(name for _, name in found.relations))
    known = [names.relations[name] for name in relations if name in names.relations]
    columns = known or [names.relations.get("images", ())]
    yield from ((c.name, c.type.lower()) for some in columns for c in some)
    yield from ((alias, "") for alias, name in found.relations if alias != name.lower())
    yield from ((alias, "") for alias in found.aliases)
    upper = found.word.isupper()
    yield from ((k.upper() if upper else k, "") for k in KEYWORDS)
    yield from ((f"{name}(", "function") for name in names.functions)
    yield from ((name, "view") for name in names.relations)


def _matching(word: str, candidates: Iterable[Candidate]) -> Iterator[Completion]:
    """The candidates that begin like a word, then those of which a later part does."""
    typed = word.lower()
    first, second = [], []
    seen = {typed}
    for text, meta in candidates:
        name = text.lower()
        if name in seen:
            continue
        seen.add(name)
        if name.startswith(typed):
            first.append((text, meta))
        elif (
            typed
            and meta != "function"
            and any(part.startswith(typed) for part in name.split("_")[1:])
        ):
            second.append((text, meta))
    for text, meta in [*first, *second]:
        yield Completion(
            text, -len(word), display=printable(text.removesuffix("'")), display_meta=meta
        )
