"""Ctrl-C at a terminal: how soon it is answered and the prompt is back, for each kind of work.

python benchmarks/interrupt.py DATASET DATA_DIR [TRIES]: each try presses it at another moment.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from harness import ddb, record

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from terminal import Terminal

TABLES = {"2m": "metadata.parquet", "large": "metadata-large.parquet"}
TRIES = 20
# The first press comes so long after Enter, the last so long.
EARLIEST_SECONDS, LATEST_SECONDS = 0.3, 3.0
# Each takes longer than that when it is left alone.
WORK = {
    "join on equality, many pairs": (
        "select count(*), max(a.prompt || b.prompt) from images a join images b on a.step = b.step;"
    ),
    "join on equality, large keys": (
        "select count(*) from (select prompt || i as k from images, range(30) t(i)) a"
        " join (select prompt || i as k from images, range(30) t(i)) b using (k);"
    ),
    "join on an inequality": (
        "select count(*) from images a join images b on a.prompt < b.prompt and a.seed > b.seed;"
    ),
    "cross join": "select count(*) from images a, images b where a.prompt || b.prompt = 'x';",
    "sort": (
        "select * from images, range(20) t(i) order by md5(prompt || i), image_name"
        " offset 11_000_000;"
    ),
    "window": (
        "select max(n) from (select row_number() over (partition by user_name order by prompt, i)"
        " as n from images, range(20) t(i));"
    ),
    "aggregation, large groups": (
        "select count(*) from (select prompt || i as p, list(seed) as l from images,"
        " range(40) t(i) group by all);"
    ),
    "aggregation, exact quantile": (
        "select quantile_cont(hash(prompt || i), 0.5) from images, range(60) t(i);"
    ),
    "regular expression": (
        "select count(*) from prompts where regexp_matches(repeat(prompt, 40), '(a|b|c)*d.*e.*f$');"
    ),
    "search joined": (
        "select count(*), max(a.prompt || b.prompt) from prompts a join search('a')"
        " using (prompt_id), prompts b;"
    ),
    "search, without a store": ".search castle",
    "export": (
        ".export {folder}/out.parquet where='md5(md5(md5(prompt))) <> prompt' order_by=md5(prompt)"
    ),
    "export of a result": (
        "select prompt || i as p, image_name from images, range(100) t(i);"
        "\n.export {folder}/out.csv"
    ),
    "report": ".report {folder}/out.json where='md5(md5(prompt)) <> prompt'",
}  # fmt: skip


def main() -> None:
    """Measure one dataset."""
    dataset, folder = sys.argv[1], Path(sys.argv[2])
    tries = int(sys.argv[3]) if len(sys.argv) > 3 else TRIES
    rows: list[dict[str, object]] = []
    for what, typed in WORK.items():
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(HOME=home, DDB_CACHE_DIR=f"{home}/cache")
            command = ddb("--data-dir", str(folder), "--dataset", dataset, "shell")
            rows.append(measured(what, typed.format(folder=home), command, f"{dataset}>", tries))
            left = [
                path.name for path in Path(home).iterdir() if path.name.startswith((".out", "out"))
            ]
            rows[-1]["left_behind"] = left
        print(rows[-1])
    rows.append({"what": "load of the machine", "one_minute": round(os.getloadavg()[0], 1)})
    record(f"interrupt-{dataset}", rows, folder / TABLES[dataset])


def measured(
    what: str, typed: str, command: list[str], prompt: str, tries: int
) -> dict[str, object]:
    """Seconds from the key to "stopping…", and to the prompt, over some tries."""
    told, back = [], []
    prepared, _, last = typed.rpartition("\n")
    with Terminal(command=command, columns=200) as terminal:
        terminal.wait_for_prompt(prompt).run("select 1 as one;").wait_for("1 row")
        if "search(" in typed:
            terminal.wait_for_prompt(prompt).run(".search nothing").wait_for("rows,", seconds=300)
        if prepared:
            terminal.wait_for_prompt(prompt).run(prepared).wait_for("of many")
        for place in range(tries):
            terminal.wait_for_prompt(prompt).press("ctrl-l").wait_without("interrupted")
            terminal.wait_for_prompt(prompt).run(last)
            moment = EARLIEST_SECONDS + (LATEST_SECONDS - EARLIEST_SECONDS) * place / tries
            until = time.monotonic() + moment
            while time.monotonic() < until:
                terminal.wait_until(lambda: True)
            began = time.perf_counter()
            terminal.press("ctrl-c").wait_for("stopping…", seconds=60)
            told.append(round(time.perf_counter() - began, 3))
            terminal.wait_for("ddb: interrupted", seconds=60)
            terminal.wait_for_prompt(prompt)
            back.append(round(time.perf_counter() - began, 3))
    return {
        "what": what, "tries": tries, "told_most_seconds": max(told),
        "back_median_seconds": sorted(back)[tries // 2], "back_most_seconds": max(back),
        "back_seconds": back,
    }  # fmt: skip


if __name__ == "__main__":
    main()
