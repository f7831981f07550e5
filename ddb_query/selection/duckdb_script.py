"""A selection as SQL for plain DuckDB: the same rows from the published table, without ddb.

What the SQL needs of ddb's views and functions is written before it, and every value in it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import COLUMNS, DATASETS, PUBLISHED, BuiltIn
from ddb_query.engines.base import Relation
from ddb_query.engines.float_bounds import unbounded
from ddb_query.errors import UsageError
from ddb_query.queries.library import VIEWS, read_view, sql_folder
from ddb_query.search.ast import names_artists
from ddb_query.search.to_sql import predicate
from ddb_query.selection.columns import HIDDEN
from ddb_query.selection.filters import Conditions, conditions
from ddb_query.selection.sampling import steps, strata_rows
from ddb_query.util.escape import printable
from ddb_query.util.sql_tokens import pieces, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ddb_query.diffusiondb import Dataset
    from ddb_query.search.ast import Node
    from ddb_query.selection.criteria import Criteria
    from ddb_query.selection.strata import Stratum

_VIEWS = {"source.images", *VIEWS[1:]}
_SOURCE = {"source.images", "source.user_totals", "source.published", "source.metadata"}
_FLOATS = [column.name for column in COLUMNS if column.type == "FLOAT"]
_HASH60 = "create or replace temp macro hash60(x) as cast('0x' || substr(md5(x), 1, 15) as bigint);"
_HEAD = """-- Images of DiffusionDB, by ddb-query; for DuckDB, in the folder of {table}.
set TimeZone = 'UTC';
-- What a CASE gives has no bounds: those of a parquet file leave NaN out, and are trusted.
create or replace temp view source_published as
select * replace ({floats}) from {file};
create or replace temp view source_metadata as
select *, hash60(prompt) as prompt_id, image_name as image_key from ({rows});"""


def plain_sql(
    criteria: Criteria,
    dataset: Dataset,
    table: Path,
    tree: Node | None,
    strata: list[Stratum],
    order: str,
    columns: Mapping[str, str],
    names: list[str] | None = None,
    *,
    repeated: bool = False,
) -> str:
    """The SQL text.

    Args:
        criteria: What is selected.
        dataset: Which one.
        table: Its metadata table, of which only the name is written.
        tree: What `criteria.match` means.
        strata: Of a stratified sample, as worked out.
        order: What the rows are ordered by.
        columns: Name and SQL of each, over `source.images` and the `weight` of strata.
        names: Of the images that a subset file names; None without one.
        repeated: Whether the table has images on more than one row.

    Raises:
        UsageError: It stands for what plain DuckDB does not have: `search()`, or a score.
    """
    _check(criteria, columns)
    passing = conditions(criteria)
    if tree is not None:
        _add_match(passing, tree)
    if names is not None:
        passing.add("image_name in (select unnest({}))", names)
    parts, last = _thinning(criteria, passing, strata)
    named = ",\n    ".join(f'{sql} as "{name}"' for name, sql in columns.items())
    source = Relation(f"from source.images{passing.where}", passing.values)
    if last:
        chosen = f"inner join {last} as chosen on chosen.image_key = published_image_key"
        source = Relation(f"from source.images\n{chosen}")
    with_ = "with " + ",\n".join(parts) + "\n" if parts else ""
    limit = f"\nlimit {criteria.limit}" if criteria.limit else ""
    # Ordered within, where names mean columns of the view rather than those published.
    rows = f"select *\n{_spelled(source)}\norder by {order}{limit}"
    query = f"{with_}select\n    {named}\nfrom (\n{rows}\n) as images;"
    return _own_names(f"{_prelude(query, dataset, table, repeated=repeated)}\n\n{query}\n")


def _check(criteria: Criteria, columns: Mapping[str, str]) -> None:
    for text in (criteria.where, criteria.order_by):
        if "search" in (token.text.lower() for token in tokens(text or "")):
            raise UsageError("plain DuckDB has no search()", hint="--match WORDS instead")
    if "score" in columns:
        raise UsageError("plain DuckDB has no score of a match", hint="leave that column out")


def _add_match(passing: Conditions, tree: Node) -> None:
    condition, values = predicate(tree)
    source = (
        "(select prompt, normalise(prompt) as text"
        " from (select distinct prompt from source.published) as spelled) as normalised"
    )
    if names_artists(tree):
        source = "prompts inner join prompt_artists using (prompt_id)"
    inner = f"select prompt from {source} where {condition}"
    passing.parts.append(f"prompt in ({inner})")
    passing.values.update(values)


def _thinning(
    criteria: Criteria, passing: Conditions, strata: list[Stratum]
) -> tuple[list[str], str]:
    """The steps as parts of a WITH, and the name of the last."""
    source = Relation(f"from source.images{passing.where}", passing.values)
    parts, last = [], ""
    for step in steps(criteria):
        table = None
        if step.stratified:
            table = "chosen_strata"
            parts.append(f"{table} as ({_spelled(strata_rows(strata))}\n)")
        chosen = step.relation(source, last, criteria.seed, table)
        last = f"chosen_{step.kind}"
        parts.append(f"{last} as (\n{_spelled(chosen)}\n)")
    return parts, last


def _prelude(query: str, dataset: Dataset, table: Path, *, repeated: bool) -> str:
    """The views and functions that the query needs, each after what it needs itself."""
    here, own = _of_dataset(dataset, table)
    written: dict[str, str] = {}
    _need("source.images", own, written)
    for name in _names(query):
        _need(name, own, written)
    floats = ", ".join(f"{unbounded(name, 'FLOAT')} as {name}" for name in _FLOATS)
    rows = read_view("published_once") if repeated else "from source.published"
    head = _HEAD.format(table=printable(here), file=_file(here), floats=floats, rows=rows)
    return "\n".join([_HASH60, head, *written.values()])


def _of_dataset(dataset: Dataset, table: Path) -> tuple[str, dict[str, str]]:
    """The name of its table's file, and the definitions that another dataset has otherwise."""
    named = dataset.table if isinstance(dataset, BuiltIn) else table.name
    files = {DATASETS[name].view: DATASETS[name].table for name in PUBLISHED}
    own = {
        view: f"create or replace temp view {view} as from {_file(file)};"
        for view, file in (files | {dataset.view: named}).items()
    }
    images = _literal(dataset.images)
    own["images_from"] = f"create or replace temp macro images_from() as {images};"
    return named, own


def _file(name: str) -> str:
    """A file in the current folder as a table; marks of patterns in its name are text."""
    plain = "".join(f"[{mark}]" if mark in "*?[" else mark for mark in name)
    return _literal(plain) if name.endswith(".parquet") else f"read_parquet({_literal(plain)})"


def _need(
    name: str, own: Mapping[str, str], written: dict[str, str], above: tuple[str, ...] = ()
) -> None:
    text = None if name in written or name in above else _definition(name, own)
    if text is None:
        return
    for other in _names(text):
        _need(other, own, written, (*above, name))
    written[name] = text


def _definition(name: str, own: Mapping[str, str]) -> str | None:
    if name in own:
        return own[name]
    if name == "images":
        hidden = ", ".join(HIDDEN)
        return (
            f"create or replace temp view images as select * exclude ({hidden}) from source.images;"
        )
    if name in _VIEWS:
        return f"create or replace temp view {name} as\n{read_view(name)};"
    path = sql_folder() / "functions" / f"{name}.sql"
    if not path.is_file():
        return None
    text = path.read_text("utf-8")
    return f"create or replace temp macro {text[3 : text.index(':')]} as (\n{text}\n);"


def _names(sql: str) -> Iterator[str]:
    """What SQL may read or call of ours: words after FROM, JOIN or a comma, and before `(`."""
    words = [token.text.strip('"').lower() for token in tokens(sql) if token.kind != "comment"]
    ahead = ["", "", *words]
    for schema, before, word, after in zip(ahead, ahead[1:], words, [*words[1:], ""], strict=False):
        if before == "." and schema in ("main", "source"):
            # What else `source` has is written first of all.
            yield f"source.{word}" if f"source.{word}" in _VIEWS | _SOURCE else word
        if word.isidentifier() and (after == "(" or before in ("from", "join", ",")):
            yield word


def _own_names(sql: str) -> str:
    """Temporary views have no schema."""
    kinds, found = zip(*pieces(sql), strict=True)
    texts = list(found)
    for place in range(2, len(texts) - 4):
        if kinds[place] != "word" or texts[place - 2].lower() not in ("from", "join", "view"):
            continue
        # White space stands between two pieces, empty or not.
        name = "".join(texts[place : place + 5]).lower()
        if name in _SOURCE:
            texts[place + 2] = "_"
        elif name.startswith("main."):
            texts[place] = texts[place + 2] = ""
    return "".join(texts)


def _spelled(relation: Relation) -> str:
    """SQL with its values in the places of its parameters."""
    values = relation.values
    return "".join(
        _literal(values[text[1:]]) if kind == "parameter" and text[1:] in values else text
        for kind, text in pieces(relation.sql)
    )


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"cast({value!r} as double)"
    if isinstance(value, datetime.datetime):
        return f"timestamp '{value.isoformat(' ')}'"
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    text = str(value).replace("'", "''")
    return f"'{text}'"
