"""Corpus: an opened dataset with its engine and its views, the object that all of ddb serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Unpack

from ddb_query.api.selection import Selection
from ddb_query.diffusiondb import is_image_name
from ddb_query.engines.base import Relation, Result
from ddb_query.engines.ranked_rows import RankedRows
from ddb_query.errors import (
    NotPicklableError,
    ParameterError,
    QueryFileError,
    SearchSyntaxError,
    SqlError,
    UsageError,
)
from ddb_query.export.selected_rows import Statement, export_statement, footer_of_statement
from ddb_query.search.ast import only_negative
from ddb_query.selection import search_results
from ddb_query.selection.criteria import Criteria, Fields, check_fields
from ddb_query.selection.users import full_name
from ddb_query.store.paths import TABLES
from ddb_query.util.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import NoReturn, Self

    from ddb_query.export.selected_rows import Exported
    from ddb_query.export.subset import Target
    from ddb_query.queries.canned_query import CannedQuery
    from ddb_query.queries.library import QueryLibrary
    from ddb_query.search.index import Hits
    from ddb_query.workspace.workspace import Workspace

# How many hits a screen shows.
_SHOWN_HITS = 20

# What nobody means as a prompt.
_FILE_NAME = re.compile(r"\S+\.(?:png|webp)", re.IGNORECASE)


class Corpus:
    """An opened dataset.

    One corpus serves one thread; `cursor` gives another. Close it, or open it in `with`.

    Attributes:
        dataset: 2m, large, demo, or the name of an added table.
        workspace: Where it asks, for the other parts of ddb.

    """

    def __init__(self, workspace: Workspace, library: QueryLibrary) -> None:
        self.workspace = workspace
        self._library = library
        self.dataset = workspace.source.dataset.name

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
        # What is limited by section was limited by its own SQL.
        result.shown_rows = None if query.per else query.limit
        self._describe(result, Relation(query.sql), statement.said)
        return result

    def select(self, **criteria: Unpack[Fields]) -> Selection:
        """A set of images, worked out when it is read; names of users are looked up at once.

        Args:
            criteria: `subset`, `where`, `match`, `max_image_nsfw`, `max_prompt_nsfw`, `policy`,
                `include_blurred`, `exclude_blurred`, `sampler`, `user`, `part`, `since`, `until`,
                `on_disk`,
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
        limit: int | None = None,
        images: bool = False,
        count: bool = False,
        facet: str | None = None,
        exact_syntax: bool = False,
        order_by: str | None = None,
    ) -> Result:
        """Search the prompts; docs/search.md has the language.

        Args:
            words: What to search for.
            within: Only these images count.
            limit: At most so many rows, the best first; None or 0 for all.
            images: One row per image rather than per prompt.
            count: Only how many prompts match, and how many images they have.
            facet: Count all matches by sampler, user, term or day.
            exact_syntax: Whether stray quotes and brackets are errors rather than text.
            order_by: SQL over the columns of the result that takes the place of the rank; with
                `images` over all columns of the view `images` and `score`.

        Raises:
            SearchSyntaxError: The words have no meaning, or none that has a rank.
            SqlError: The engine refuses a condition of the selection, or the order.
            UsageError: Counts are to be ordered, or an order of the selection changes nothing.
        """
        _check_order(within, order_by, counts=count or facet is not None)
        tree = self.workspace.parse(words, exact_syntax=exact_syntax)
        if only_negative(tree):
            raise SearchSyntaxError(
                "a search of -not words alone has no ranking", words,
                hint="add a word to find; as a filter (--match) it means every other prompt",
            )  # fmt: skip
        workspace, searcher = self.workspace, self.workspace.source.searcher
        if images or count or facet or within or order_by:
            table = workspace.keep_hits(searcher.all(tree))
            if count:
                return workspace.ask(search_results.counted(table, within))
            if facet:
                return _shown_as_hits(
                    workspace.ask(search_results.facet(table, within, facet), limit)
                )
            result = self._ordered(table, within, limit, order_by, images=images)
        else:
            result = self._ranked(
                lambda most: searcher.top(tree, most), lambda: searcher.count(tree), limit
            )
        result.emphasis = {"prompt": lambda prompts: searcher.highlights(tree, prompts)}
        return _shown_as_hits(result)

    def like(
        self,
        prompt: str,
        within: Selection | None = None,
        *,
        limit: int | None = None,
        images: bool = False,
        order_by: str | None = None,
    ) -> Result:
        """Prompts similar to one, by the rarer words that they share.

        Args:
            prompt: A prompt, or the name of an image whose prompt is meant.
            within: Only these images count.
            limit: At most so many rows, the most similar first; None or 0 for all.
            images: One row per image rather than per prompt.
            order_by: As for `search`, of those that are most similar.

        Raises:
            UsageError: There is no image of that name.
        """
        _check_order(within, order_by)
        workspace, searcher = self.workspace, self.workspace.source.searcher
        text = self._prompt_of(prompt)
        workspace.prepare_search()
        if images or within or order_by:
            table = workspace.keep_hits(searcher.like(text, None))
            return _shown_as_hits(self._ordered(table, within, limit, order_by, images=images))
        return _shown_as_hits(
            self._ranked(
                lambda most: searcher.like(text, most), lambda: searcher.count_like(text), limit
            )
        )

    def export(
        self,
        path: Target | str,
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
            path: The file, or an open stream of bytes.
            sql: The SELECT.
            query: Or the name of a canned query.
            params: Values of the parameters of either.
            limit: At most so many rows; None or 0 for all.
            form: parquet, csv, tsv, jsonl, json or arrow; None to tell from the ending.
            hashed: Whether the manifest holds the content hash.
            force: Whether a file that is there is replaced.

        Raises:
            UsageError: It is not one SELECT that only reads.
            ExistsError: The file exists, and `force` is not given.
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
        answer = result.answer
        whole = answer.all if isinstance(answer, RankedRows) else answer
        first, rows = self.workspace.engine.keep(whole)
        kept = Result(first, result.emphasis)
        kept.shown_rows = result.shown_rows
        return kept, rows

    def build(self) -> bool:
        """Build the store, which makes everything faster; returns whether it had to be built.

        One that is there is read from end to end before, and built anew when it is damaged.
        """
        engine, source = self.workspace.engine, self.workspace.source
        engine.check_process()
        with step(source.progress, "reading the store"):
            tables = map(source.store.table, TABLES)
            damaged = source.store.whole and any(map(engine.problem_of, tables))
        if damaged:
            source.store.discard()
        return source.searcher.prepare(even_if_told_not_to=True)

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

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError("Corpus", "call ddb_query.open in the worker process itself")

    def __repr__(self) -> str:
        return f"<Corpus: dataset {self.dataset}, {self.workspace.source.table}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ordered(
        self,
        hits: str,
        within: Selection | None,
        limit: int | None,
        order_by: str | None,
        *,
        images: bool,
    ) -> Result:
        """Prompts or images of a table of hits, by rank or in an order of the user's."""
        ranked = search_results.ranked_images if images else search_results.ranked_prompts
        found = ranked(hits, within)
        if order_by is not None:
            self.workspace.engine.check_order(found.rows, found.name, order_by)
        return self.workspace.ask(found.ordered(order_by), limit)

    def _ranked(
        self, find: Callable[[int | None], Hits], count: Callable[[], int], limit: int | None
    ) -> Result:
        """Prompts in the order of their rank, of which no more are looked for than are read."""
        workspace = self.workspace

        def relation(most: int | None) -> Relation:
            return search_results.ranked_prompts(workspace.keep_hits(find(most)), None).ordered(
                None
            )

        if limit:
            return workspace.ask(relation(limit), limit)
        return Result(RankedRows(lambda most: workspace.answer(relation(most)), count))

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
            if _FILE_NAME.fullmatch(prompt):
                raise UsageError(
                    f"{prompt} is not the name of an image",
                    hint="names are as in the column image_name; a prompt has words",
                )
            return prompt
        found = self.workspace.ask(
            Relation("select prompt from images where image_name = $name", {"name": prompt}), 1
        )
        rows = list(found.answer.cells()) if found.answer else []
        if not rows or rows[0][0] is None:
            raise UsageError(f"no image named {prompt} with a prompt")
        return rows[0][0]


def _check_order(within: Selection | None, order_by: str | None, *, counts: bool = False) -> None:
    """Refuse an order that would change nothing."""
    if counts and order_by is not None:
        raise UsageError("counts have an order of their own", hint="leave the order out")
    if within is not None and within.criteria.order_by is not None and not within.criteria.limit:
        raise UsageError(
            "the order of a selection is not the order of a search",
            hint="give the order to the search itself: search(words, within, order_by=…)",
        )


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


def _shown_as_hits(result: Result) -> Result:
    result.shown_rows = _SHOWN_HITS
    return result


def _check_columns(query: CannedQuery, result: Result) -> None:
    found = {column.name for column in result.columns}
    for name in (*(name for name, _ in query.columns), *([query.per] if query.per else [])):
        if name not in found:
            raise QueryFileError(query.path, 1, f"column {name} is described but not in the result")
