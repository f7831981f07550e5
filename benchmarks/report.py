"""`ddb report`, all sections, beside the same numbers in pandas and beside DuckDB's SUMMARIZE.

The numbers of ddb and pandas are compared first, table by table. Seconds of processor time stand
beside those of the clock: on a machine that others use, they say more.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness import ddb, python, record

TESTS = Path(__file__).parent.parent / "tests" / "support"

SUMMARIZE = """
import duckdb
duckdb.connect().sql("summarize from read_parquet({table!r})").fetchall()
"""

PANDAS = """
import json, resource, sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
import ddb_query
from report_truth import truth
started, used = time.perf_counter(), time.process_time()
expected = truth(Path({table!r}), {dataset!r})
took = {{
    "seconds": round(time.perf_counter() - started, 2),
    "cpu_seconds": round(time.process_time() - used, 2),
    "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
}}
with ddb_query.open({dataset!r}, data_dir={folder!r}) as corpus:
    sections = corpus.select().report().sections
found = {{f"{{s.name}}/{{t.name}}": list(t.rows) for s in sections for t in s.tables}}

def near(a, b):
    return abs(a - b) <= 1.1e-6 if isinstance(a, float) and isinstance(b, (int, float)) else a == b

# Python's re knows no scripts of Unicode; the truth has ranges in their place, a little narrower.
differ = [
    name for name, rows in expected.items()
    if name != "prompts/scripts"
    if len(rows) != len(found[name])
    or not all(near(*pair) for a, b in zip(rows, found[name]) for pair in zip(a, b))
]
if differ:
    sys.exit(f"these tables differ: {{differ}}")
Path({out!r}).write_text(json.dumps(took))
"""


@dataclass(frozen=True)
class Run:
    """A command in a process of its own: seconds by the clock and of processors, peak memory."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def main() -> None:
    """Run all; pandas only with --pandas, as it takes minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="2m")
    parser.add_argument("--pandas", action="store_true")
    asked = parser.parse_args()
    file = "metadata.parquet" if asked.dataset == "2m" else "metadata-large.parquet"
    table = asked.data_dir / file
    values = {
        "tests": str(TESTS), "table": str(table), "dataset": asked.dataset,
        "folder": str(asked.data_dir),
    }  # fmt: skip
    common = ["--data-dir", str(asked.data_dir), "--dataset", asked.dataset]
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as empty:
        _run(ddb(*common, "data", "build"))
        page = Path(empty) / "report.html"
        report = ddb(*common, "report", "-o", str(page))
        rows.append({"what": "ddb report, store", **vars(_run(report))})
        rows[0]["html_bytes"] = page.stat().st_size
        rows.append({"what": "ddb report, no store", **vars(_run(report, DDB_CACHE_DIR=empty))})
    rows.append({"what": "DuckDB SUMMARIZE", **vars(_run(python(SUMMARIZE.format(**values))))})
    if asked.pandas:
        rows.append({"what": "pandas, the same numbers", **_pandas(values)})
    mine = float(str(rows[0]["cpu_seconds"]))
    for row in rows:
        row["cpu_ratio"] = round(float(str(row["cpu_seconds"])) / mine, 2)
    record(f"report-{asked.dataset}", rows, table)


def _pandas(values: dict[str, str]) -> dict[str, object]:
    """What pandas took, once its numbers have been found to be those of the report."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "took.json"
        _run(python(PANDAS.format(**values, out=str(out))))
        found: dict[str, object] = json.loads(out.read_text("utf-8"))
    return found


def _run(command: list[str], **environment: str) -> Run:
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, {**os.environ, **environment})
    _, status, usage = os.wait4(process, 0)
    took = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{command[:4]} failed")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(round(took, 2), round(cpu, 2), round(usage.ru_maxrss / 1024, 1))


if __name__ == "__main__":
    main()
