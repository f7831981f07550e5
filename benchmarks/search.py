"""Search beside SQLite's FTS5 over the same prompts, and DuckDB's ILIKE on the published file.

All in one process, on an opened corpus with its store; then `ddb search` from the shell.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from harness import ddb, measure, record

import ddb_query
from ddb_query.selection.search_results import FACETS

if TYPE_CHECKING:
    from collections.abc import Callable

SEARCHES = {
    "one word": ("castle", "castle", ["castle"]),
    "two words": ("castle night", "castle night", ["castle", "night"]),
    "phrase": ('"matte painting"', '"matte painting"', ["matte painting"]),
    "frequent phrase": ('"highly detailed"', '"highly detailed"', ["highly detailed"]),
    "not": ("castle -portrait", "castle NOT portrait", ["castle"]),
    "prefix": ("cast*", "cast*", ["cast"]),
}


def main() -> None:
    """Ask every search of every system; milliseconds are the best of five."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="large")
    asked = parser.parse_args()
    name = "metadata.parquet" if asked.dataset == "2m" else "metadata-large.parquet"
    table = asked.data_dir / name
    rows = []
    with (
        ddb_query.open(asked.dataset, data_dir=asked.data_dir) as corpus,
        tempfile.TemporaryDirectory() as folder,
    ):
        corpus.build()
        fts, built = _fts5(corpus, Path(folder) / "fts.db")
        rows.append({"what": "FTS5 build", "fts5_seconds": round(built, 2)})
        bare = duckdb.connect()
        for what, (ours, theirs, words) in SEARCHES.items():
            rows.append({"what": what, **_compare(corpus, fts, bare, table, ours, theirs, words)})
            print(rows[-1], flush=True)
        fts.close()
        bare.close()
    commands = [
        ddb("--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "search", query)
        for query in ("castle night", '"matte painting"')
    ]
    for command, found in zip(commands, measure(*commands, tries=5), strict=True):
        rows.append({"what": f"ddb search {command[-1]}", "seconds": found.seconds, "target": 0.5})
        print(rows[-1], flush=True)
    record(f"search-{asked.dataset}", rows, table)


def _compare(
    corpus: ddb_query.Corpus,
    fts: sqlite3.Connection,
    bare: duckdb.DuckDBPyConnection,
    table: Path,
    ours: str,
    theirs: str,
    words: list[str],
) -> dict[str, object]:
    searcher = corpus.workspace.source.searcher
    tree = searcher.parse(ours)
    count = searcher.count(tree)
    like = " and ".join(f"prompt ilike '%{word}%'" for word in words)
    ilike = f"select prompt from '{table}' where {like} limit 20"
    ranked = f"select rowid from p where p match '{theirs}' order by rank limit 20"
    ilike_count = f"select count(*) from '{table}' where {like}"
    top = _best(lambda: searcher.top(searcher.parse(ours), 20))
    slow = _best(lambda: bare.sql(ilike_count).fetchall(), tries=2)
    return {
        "prompts": count,
        "top_20_ms": top,
        "count_ms": _best(lambda: searcher.count(searcher.parse(ours))),
        "rows_20_ms": _best(lambda: list(_cells(corpus.search(ours)))),
        **{f"facet_{by}_ms": _facet(corpus, ours, by) for by in FACETS},
        "fts5_top_20_ms": _best(lambda: fts.execute(ranked).fetchall()),
        "ilike_first_20_ms": _best(lambda: bare.sql(ilike).fetchall(), tries=2),
        "ilike_count_ms": slow,
        "times_faster_than_ilike": round(slow / max(top, 0.01)),
    }


def _facet(corpus: ddb_query.Corpus, words: str, by: str) -> float:
    return _best(lambda: _cells(corpus.search(words, facet=by)))


def _cells(result: ddb_query.Result) -> list[tuple[str | None, ...]]:
    return list(result.answer.cells()) if result.answer else []


def _fts5(corpus: ddb_query.Corpus, path: Path) -> tuple[sqlite3.Connection, float]:
    connection = sqlite3.connect(path)
    began = time.perf_counter()
    connection.execute("create virtual table p using fts5(text)")
    for batch in corpus.sql("select text from prompts").reader():
        texts = ((text,) for text in batch.column(0).to_pylist())
        connection.executemany("insert into p values (?)", texts)
    connection.commit()
    return connection, time.perf_counter() - began


def _best(ask: Callable[[], object], tries: int = 5) -> float:
    took = []
    for _ in range(tries):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return round(min(took) * 1000, 2)


if __name__ == "__main__":
    main()
