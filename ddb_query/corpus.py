"""Corpus: an opened dataset with its engine and its views, the object that all of ddb serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ddb_query import searching
from ddb_query.dataset import is_image_name
from ddb_query.engines.base import Relation, Result
from ddb_query.errors import (
    ParameterError,
    QueryFileError,
    SearchSyntaxError,
    SqlError,
    UsageError,
)
from ddb_query.search.tree import only_negative
from ddb_query.selection.criteria import Criteria, Fields, check_fields
from ddb_query.selection.exporting import Statement, export_statement, footer_of_statement
from ddb_query.selection.selection import Selection
from ddb_query.selection.users import full_name
from ddb_query.store.place import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from ddb_query.query_file import CannedQuery
    from ddb_query.query_library import QueryLibrary
    from ddb_query.selection.exporting import Exported
    from ddb_query.workspace import Workspace

# How many similar prompts are looked at for their images.
_SIMILAR = 1000


class Corpus:
    """An opened dataset.

    One corpus serves one thread; `cursor` gives another. Close it, or open it in `with`.

    Attributes:
        dataset: 2m, large or demo.
        workspace: Where it asks, for the other parts of ddb.

    """

    def __init__(self, workspace: Workspace, library: QueryLibrary) -> None:
        self.workspace = workspace
        self._library = library
        self.dataset = workspace.source.dataset

    def sql(
        self, sql: str, params: Mapping[str, object] | None = None, *, limit: int | None = None
    ) -> Result:
        """Run SQL over the views; the rows of the last statement are the result.

        Args:
            sql: One statement or several, parted by `;`. A SELECT at the end runs when its
                result is read, all others run now.
            params: Values of the `$name` parameters, bound, never spliced in.
            limit: At most so many rows; None or 0 for all.

        Raises:
            SqlError: The engine refuses it.
            ParameterError: A parameter has no value, or a value no parameter.

        """
        result = Result(None)
        for found in self.statements(sql, params, limit=limit):
            result = found
        return result

    def statements(
        self, sql: str, params: Mapping[str, object] | None = None, *, limit: int | None = None
    ) -> Iterator[Result]:
        """Run SQL statement by statement, giving the result of each before the next one runs.

        Args:
            sql: As for `sql`.
            params: As for `sql`.
            limit: At most so many rows of each; None or 0 for all.

        Raises:
            SqlError: The engine refuses one.
            ParameterError: A parameter has no value, or a value no parameter.

        """
        parts = self.workspace.engine.statements(sql)
        if not parts:
            raise UsageError("no SQL to run", hint="ddb sql 'select count(*) from images'")
        why_not = "it is one of several statements" if len(parts) > 1 else None
        for part in _bound(parts, params or {}):
            result = self.workspace.ask(part, limit)
            said = {"kind": "sql", "sql": part.sql, "parameters": dict(part.values)}
            self._describe(result, part, {**said, "limit": limit or None}, why_not)
            yield result

    def run(self, name: str, /, *, limit: int | None = None, **parameters: object) -> Result:
        """Run a canned query.

        Args:
            name: Its name, as `ddb queries` lists it.
            limit: At most so many rows, or so many of each where the query says of what; None or
                0 for all.
            parameters: Values of its parameters, as text or of their Python types; users by their
                names, or the first eight or more digits of these.

        Raises:
            UnknownQueryError: There is none of that name.
            ParameterError: A parameter is missing, unknown or does not fit.
            UnknownUserError: There is no user of that name.
            AmbiguousUserError: Several users' names begin so.
            SqlError: The engine refuses it.

        """
        query = self._library.find(name)
        statement = self.statement(None, name, parameters, limit)
        try:
            if len(self.workspace.engine.statements(query.sql)) != 1:
                raise QueryFileError(query.path, 1, "one statement only")
            result = self.workspace.ask(statement.relation, statement.head)
        except SqlError as error:
            raise error.within(query.path) from error
        _check_columns(query, result)
        self._describe(result, Relation(query.sql), statement.said)
        return result

    def select(self, **criteria: Unpack[Fields]) -> Selection:
        """A set of images, worked out when it is read; names of users are looked up at once.

        Args:
            criteria: `subset`, `where`, `match`, `max_image_nsfw`, `max_prompt_nsfw`, `policy`,
                `include_blurred`, `sampler`, `user`, `part`, `since`, `until`, `on_disk`,
                `one_per`, `max_per`, `include_deleted`, `sample`, `seed`, `stratify`, `shares`,
                `order_by`, `limit`: the fields of `ddb_query.selection.criteria.Criteria`, which
                says what each means.

        Raises:
            UsageError: A field is unknown, or makes no sense.
            UnknownUserError: There is no user of that name.
            AmbiguousUserError: Several users' names begin so.
        """
        check_fields(criteria)
        chosen = Criteria(**criteria)
        users = tuple(full_name(self.workspace, name) for name in chosen.user)
        return Selection(self.workspace, chosen.but(user=users) if users else chosen)

    def search(
        self,
        words: str,
        within: Selection | None = None,
        *,
        limit: int | None = 20,
        images: bool = False,
        count: bool = False,
        facet: str | None = None,
        exact_syntax: bool = False,
    ) -> Result:
        """Search the prompts; docs/search.md has the language.

        Args:
            words: What to search for.
            within: Only these images count; its `order_by` takes the place of the rank.
            limit: At most so many rows, the best first; None or 0 for all.
            images: One row per image rather than per prompt.
            count: Only how many prompts match, and how many images they have.
            facet: Count all matches by sampler, user, term or day.
            exact_syntax: Whether stray quotes and brackets are errors rather than text.

        Raises:
            SearchSyntaxError: The words have no meaning, or none that has a rank.
            SqlError: The engine refuses a condition of the selection.
        """
        tree = self.workspace.parse(words, exact_syntax=exact_syntax)
        if only_negative(tree):
            raise SearchSyntaxError(
                "a search of -not words alone has no ranking", words,
                hint="add a word to find; as a filter (--match) it means every other prompt",
            )  # fmt: skip
        finder = self.workspace.source.finder
        whole = images or count or facet or within or not limit
        hits = finder.all(tree) if whole else finder.top(tree, limit or 0)
        table = self.workspace.keep_hits(hits)
        if count:
            return self.workspace.ask(searching.counted(table, within))
        if facet:
            return self.workspace.ask(searching.facet(table, within, facet), limit)
        ranked = searching.ranked_images if images else searching.ranked_prompts
        result = self.workspace.ask(ranked(table, within), limit)
        result.emphasis = {"prompt": lambda prompts: finder.highlights(tree, prompts)}
        return result

    def like(
        self,
        prompt: str,
        within: Selection | None = None,
        *,
        limit: int = 20,
        images: bool = False,
    ) -> Result:
        """Prompts similar to one, by the rarer words that they share.

        Args:
            prompt: A prompt, or the name of an image whose prompt is meant.
            within: Only these images count.
            limit: At most so many rows, the most similar first.
            images: One row per image rather than per prompt.

        Raises:
            UsageError: There is no image of that name.
        """
        workspace = self.workspace
        workspace.prepare_search()
        wanted = _SIMILAR if images or within else limit
        hits = workspace.source.finder.like(self._prompt_of(prompt), wanted)
        ranked = searching.ranked_images if images else searching.ranked_prompts
        return workspace.ask(ranked(workspace.keep_hits(hits), within), limit)

    def export(
        self,
        path: Path | str,
        *,
        sql: str | None = None,
        query: str | None = None,
        params: Mapping[str, object] | None = None,
        limit: int | None = None,
        form: str | None = None,
        hashed: bool = True,
        force: bool = False,
    ) -> Exported:
        """Write the rows of a SELECT or of a canned query to a file that says how it was made.

        Args:
            path: The file.
            sql: The SELECT.
            query: Or the name of a canned query.
            params: Values of the parameters of either.
            limit: At most so many rows; None or 0 for all.
            form: parquet, csv, tsv, jsonl, json or arrow; None to tell from the ending.
            hashed: Whether the manifest holds the content hash.
            force: Whether a file that is there is replaced.

        Raises:
            UsageError: It is not one SELECT that only reads.
            OutputError: It cannot be written; what was there stays as it was.
        """
        statement = self.statement(sql, query, params or {}, limit)
        return export_statement(
            self.workspace, statement, path, form=form, hashed=hashed, force=force
        )

    def statement(
        self,
        sql: str | None,
        query: str | None,
        params: Mapping[str, object],
        limit: int | None = None,
    ) -> Statement:
        """A SELECT or a canned query with its values and its limit.

        Args:
            sql: The SELECT.
            query: Or the name of a canned query.
            params: Values of the parameters of either.
            limit: At most so many rows; None or 0 for all.

        Raises:
            UsageError: Both were given, or neither, or it is not one statement.
        """
        if (sql is None) == (query is None):
            raise UsageError("SQL or a canned query, one of them")
        said: dict[str, object] = {"parameters": dict(params), "limit": limit or None}
        if query is not None:
            found = self._library.find(query)
            params = self._named(found, params)
            said |= {"kind": "query", "query": found.name, "parameters": params}
            relation = Relation(found.sql, found.values(params, limit))
            return Statement(relation, said, None if found.per else limit)
        parts = self.workspace.engine.statements(sql or "")
        if len(parts) != 1:
            raise UsageError("only one SELECT can be exported", hint="`ddb sql` runs anything")
        said |= {"kind": "sql", "sql": sql}
        return Statement(next(_bound(parts, params)), said, limit)

    def keep(self, result: Result) -> tuple[Result, int | None]:
        """Run a result and keep its rows as the view `_`, which replaces the one before.

        A large result is kept as its query, and runs again when `_` is read.

        Args:
            result: What `sql`, `run` or `search` gave, not read yet.

        Returns:
            Its first rows, 10,000 where there are so many; and how many rows there are, None when
            that is not known. A statement without rows is given back, with 0.

        Raises:
            SqlError: The engine failed on the way.

        """
        if result.answer is None:
            return result, 0
        first, rows = self.workspace.engine.keep(result.answer)
        return Result(first, result.emphasis), rows

    def build(self) -> bool:
        """Build the store, which makes everything faster; returns whether it had to be built.

        One that is there is read from end to end before, and built anew when it is damaged.
        """
        engine, source = self.workspace.engine, self.workspace.source
        if source.store.whole and any(engine.problem_of(source.store.table(n)) for n in TABLES):
            source.store.discard()
        return source.finder.prepare(even_if_told_not_to=True)

    def query(self, name: str) -> CannedQuery:
        """A canned query by its name.

        Args:
            name: As `ddb queries` lists it.

        Raises:
            UnknownQueryError: There is none of that name.

        """
        return self._library.find(name)

    def queries(self) -> list[CannedQuery]:
        """All canned queries, by name."""
        return self._library.all()

    def cursor(self, *, silent: bool = False) -> Corpus:
        """The same corpus for another thread; temporary tables are not shared.

        Args:
            silent: Whether its progress is not told, as of what runs in the background.

        """
        return Corpus(self.workspace.cursor(silent=silent), self._library)

    def interrupt(self) -> None:
        """Stop what runs now; may be called from another thread."""
        self.workspace.engine.interrupt()

    def close(self) -> None:
        """Let go of the engine and its files."""
        self.workspace.close()

    def __repr__(self) -> str:
        return f"<Corpus: dataset {self.dataset}, {self.workspace.source.table}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _named(self, query: CannedQuery, given: Mapping[str, object]) -> dict[str, object]:
        """What was given to a canned query, with users by their whole names."""
        users = {parameter.name for parameter in query.parameters if parameter.type == "user"}
        return {
            name: full_name(self.workspace, value)
            if name in users and isinstance(value, str)
            else value
            for name, value in given.items()
        }

    def _describe(
        self,
        result: Result,
        relation: Relation,
        said: dict[str, object],
        why_not: str | None = None,
    ) -> None:
        """Have a parquet file of the rows say how they were made."""
        if result.answer is not None:
            columns = result.columns
            result.footer = lambda rows: footer_of_statement(
                self.workspace, relation, columns, rows, said, why_not
            )

    def _prompt_of(self, prompt: str) -> str:
        if not is_image_name(prompt):
            return prompt
        found = self.workspace.ask(
            Relation("select prompt from images where image_name = $name", {"name": prompt}), 1
        )
        rows = list(found.answer.cells()) if found.answer else []
        if not rows or rows[0][0] is None:
            raise UsageError(f"no image named {prompt} with a prompt")
        return rows[0][0]


def _bound(parts: list[Relation], params: Mapping[str, object]) -> Iterator[Relation]:
    named = {name for part in parts for name in part.values}
    for name in params:
        if name not in named:
            raise ParameterError(name, "the SQL has no such parameter", hint=f"write ${name} in it")
    for name in sorted(named):
        if name not in params:
            raise ParameterError(name, "has no value", hint=f"-p {name}=VALUE gives it one")
    for part in parts:
        yield Relation(part.sql, {name: params[name] for name in part.values})


def _check_columns(query: CannedQuery, result: Result) -> None:
    found = {column.name for column in result.columns}
    for name in (*(name for name, _ in query.columns), *([query.per] if query.per else [])):
        if name not in found:
            raise QueryFileError(query.path, 1, f"column {name} is described but not in the result")
