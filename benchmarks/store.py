"""The store at full scale: its build, its size, and every canned query beside bare DuckDB.

Bare DuckDB answers the same SQL on the published file, in a process of its own, and groups prompts
by their text, so that it need not hash them. Seconds are of the query alone: `[cold, hot, hot]`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bare import setup
from harness import ddb, measure, record

from ddb_query.queries.library import QueryLibrary

VALUES = {"user-profile": {"user": "deleted_account"}}
FIVE_TIMES = ("user-stats", "prompt-top", "prompt-terms", "prompt-lengths", "users", "prompts")
TWO_AND_A_HALF = ("duplicates", "data-quality", "timeline")
VIEW_SQL = {
    "users": "select * from users order by images desc, user_name",
    "prompts": "select prompt, images, users, prompt_nsfw, first_seen, last_seen from prompts"
    " order by images desc, prompt",
}

WORKER = """
import json, sys, time
name, sql, values, limit, rest = json.loads(sys.argv[1])
if rest["system"] == "ddb":
    import ddb_query
    corpus = ddb_query.open(rest["dataset"], data_dir=rest["data_dir"])
    def ask():
        return list(corpus.sql(sql, values or None, limit=limit).answer.cells())
else:
    import duckdb
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute(open(rest["setup"]).read())
    def ask():
        rows = con.sql(sql, params=values or None).limit(limit)
        return rows.project("columns(*)::varchar").fetchall()
tries = []
for _ in range(3):
    began = time.perf_counter()
    rows = ask()
    tries.append(round(time.perf_counter() - began, 4))
print(json.dumps([tries, len(rows)]), flush=True)
(corpus if rest["system"] == "ddb" else con).close()
"""


def main() -> None:
    """Build, then ask everything of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="large")
    parser.add_argument("--cache-dir", type=Path, help="Keep the store there, and use one there.")
    parser.add_argument("--only", nargs="*", default=[])
    asked = parser.parse_args()
    name = "metadata.parquet" if asked.dataset == "2m" else "metadata-large.parquet"
    table = asked.data_dir / name
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DDB_CACHE_DIR"] = str(asked.cache_dir or Path(folder) / "cache")
        rows = [_build(asked, table)]
        text = Path(folder) / "setup.sql"
        text.write_text(setup(table, asked.dataset, prompt_id="prompt"), "utf-8")
        for query in _questions():
            if not asked.only or query[0] in asked.only:
                rows.append(_compare(query, asked, text))
                print(rows[-1], flush=True)
    record(f"store-{asked.dataset}", rows, table)


def _build(asked: argparse.Namespace, table: Path) -> dict[str, object]:
    command = ddb("--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "data", "build")
    (built,) = measure(command, tries=1)
    stores = Path(os.environ["DDB_CACHE_DIR"]) / "stores"
    size = sum(path.stat().st_size for path in stores.rglob("*") if path.is_file())
    row = {
        "what": "build",
        "seconds": built.seconds,
        "cpu_seconds": built.cpu_seconds,
        "load_after": round(os.getloadavg()[0], 1),
        "peak_megabytes": built.peak_megabytes,
        "store_bytes": size,
        "of_the_table": round(size / table.stat().st_size, 3),
    }
    print(row, flush=True)
    return row


def _questions() -> list[tuple[str, str, dict[str, object], int]]:
    found: list[tuple[str, str, dict[str, object], int]] = [
        (name, sql, {}, 101) for name, sql in VIEW_SQL.items()
    ]
    for name in QueryLibrary().names():
        if name != "prompt-search":
            query = QueryLibrary().find(name)
            values = query.values(VALUES.get(name, {}))
            found.append((name, query.sql, values, (query.limit or 100) + 1))
    return found


def _compare(
    query: tuple[str, str, dict[str, object], int], asked: argparse.Namespace, text: Path
) -> dict[str, object]:
    rest = {"data_dir": str(asked.data_dir), "dataset": asked.dataset, "setup": str(text)}
    ours, rows = _ask(query, {**rest, "system": "ddb"})
    bare, bare_rows = _ask(query, {**rest, "system": "duckdb"})
    if rows != bare_rows:
        raise SystemExit(f"{query[0]}: {rows} rows with the store, {bare_rows} without")
    target = 5 if query[0] in FIVE_TIMES else 2.5 if query[0] in TWO_AND_A_HALF else 1 / 1.1
    return {
        "what": query[0],
        "ddb_seconds": ours,
        "duckdb_seconds": bare,
        "times_faster": round(min(bare) / min(ours), 2),
        "target": round(target, 2),
    }


def _ask(
    query: tuple[str, str, dict[str, object], int], rest: dict[str, str]
) -> tuple[list[float], int]:
    done = subprocess.run(
        [sys.executable, "-c", WORKER, json.dumps([*query, rest])],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{query[0]} on {rest['system']}: {done.stderr[-800:]}")
    tries, rows = json.loads(
        next(line for line in done.stdout.splitlines() if line.startswith("[["))
    )
    return tries, rows


if __name__ == "__main__":
    main()
