"""Scripts: dot commands, variables and `_` without a terminal, and files that are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


@pytest.fixture
def script(ddb: Callable[..., Ran]) -> Callable[..., Ran]:
    """Run a script from standard input."""

    def run(text: str, *args: str, **env: str) -> Ran:
        return ddb(*args, stdin=text.encode(), **env)

    return run


def test_dot_commands_work_in_a_script(script: Callable[..., Ran]) -> None:
    ran = script(
        "-- two forms\n.mode csv\nselect 1 as a;\n.mode jsonl\n.set w 'a b'\n"
        "select $w as b, 2 as c;\n.set n 007\n.set m:text 007\nselect $n as n, $m as m;"
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.text == 'a\n1\n{"b":"a b","c":2}\n{"n":7,"m":"007"}\n'


def test_in_a_data_format_the_last_result_before_a_command_is_printed(
    script: Callable[..., Ran],
) -> None:
    ran = script(
        "select 1 as a; select 2 as a;\n.mode tsv\nselect 3 as a; select 4 as a", "--format", "csv"
    )
    assert (ran.code, ran.text) == (0, "a\n2\na\n4\n")


def test_the_last_result_can_be_queried_in_a_script(script: Callable[..., Ran]) -> None:
    ran = script(
        "select i from range(30_000) t(i); select count(*) as n, max(i) as m from _;",
        "--format",
        "csv",
    )
    assert (ran.code, ran.text, ran.err) == (0, "n,m\n30000,29999\n", "")


def test_a_script_stops_at_its_first_mistake(script: Callable[..., Ran], tmp_path: Path) -> None:
    ran = script("select 6 as a;\n.xyzzy\nselect 7 as b;", "--format", "csv")
    assert (ran.code, ran.text) == (2, "a\n6\n")
    assert ran.err == "ddb: no command .xyzzy\nhint: .help lists all\n"
    (tmp_path / "inner.sql").write_text("select 1 as a;\n\nselect nonsense;\n")
    ran = script(".read inner.sql\nselect 2 as a;")
    assert ran.code == 1
    assert ran.err.startswith('ddb: inner.sql:3: Binder Error: Referenced column "nonsense"')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".read nowhere.sql", "cannot read nowhere.sql: No such file or directory"),
        (".read itself.sql", "itself.sql:1: itself.sql reads itself"),
        (".mode xml", ".mode xml: not known"),
        (".rows many", ".rows takes a number from 0"),
        (".rows", ".rows takes N"),
        (".schema 'open", "a quote has no end"),
        (".schema imgaes", "no view or table named imgaes"),
        (".set 1x 2", "parameter 1x=2: is not NAME=VALUE"),
        (".set x", "$x is not set"),
        ("select $x", "parameter x: has no value"),
        (".run user-profile", "parameter user: user-profile needs a value for it"),
        (".run user-profile nobody", "parameter nobody: is not NAME=VALUE"),
        (".run", ".run takes the name of a canned query"),
        (".export some.csv", "there is no last result"),
        (".export some.csv castle", "castle is not NAME=VALUE"),
        ("select 1;\n.export some.xyz", "cannot tell a format from the ending of some.xyz"),
        (".output some.parquet", "a parquet file holds one result"),
        (".save x", "there is no last query"),
        (".last", "there is no last result"),
        (".explain", "there is no last statement"),
        (".dataset 3m", 'there is no dataset called "3m"'),
    ],
)
def test_a_command_that_makes_no_sense_is_a_usage_error(
    text: str, problem: str, script: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "itself.sql").write_text(".read itself.sql")
    ran = script(text)
    assert ran.code == 2
    assert ran.err.splitlines()[0] == f"ddb: {problem}"


def test_the_last_result_is_exported_whole(script: Callable[..., Ran], tmp_path: Path) -> None:
    ran = script("select i from range(30_000) t(i);\n.export all.parquet\n.export all.csv\n")
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "note: written to all.parquet", "note: written to all.csv"
    ]  # fmt: skip
    assert pq.read_table(tmp_path / "all.parquet")["i"].to_pylist() == list(range(30_000))
    assert len((tmp_path / "all.csv").read_text().split()) == 30_001


def test_a_selection_is_exported_with_how_it_was_made(
    script: Callable[..., Ran], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = script(".export some.parquet sampler=ddim sampler=plms max_image_nsfw=0.5 sample=7\n")
    assert ran.code == 0, ran.err
    assert pq.read_table(tmp_path / "some.parquet").num_rows == 7
    assert set(pq.read_table(tmp_path / "some.parquet")["sampler"].to_pylist()) <= {1, 2}
    assert ddb("verify", "some.parquet").code == 0
    assert script(".export other.parquet nonsense=1").code == 2


def test_results_go_to_a_file_until_that_ends(script: Callable[..., Ran], tmp_path: Path) -> None:
    ran = script(
        ".output both.csv\nselect 1 as a; select 2 as b;\n.output\n.once one.json\n"
        "select 3 as c; select 4 as d;\n.output last.csv\nselect 5 as e;",
        "--format", "csv",
    )  # fmt: skip
    assert (ran.code, ran.text) == (0, "d\n4\n")
    assert (tmp_path / "both.csv").read_text() == "a\n1\nb\n2\n"
    assert json.loads((tmp_path / "one.json").read_text()) == [{"c": 3}]
    assert (tmp_path / "last.csv").read_text() == "e\n5\n"
    assert {path.name for path in tmp_path.iterdir()} == {
        "home",
        "both.csv",
        "one.json",
        "last.csv",
    }


def test_a_result_that_fails_leaves_nothing_of_itself_in_the_file(
    script: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select 5 // (i - 400_000) as x from range(500_000) as t(i)"
    ran = script(f".output some.csv\nselect 1 as a; {sql};")
    assert ran.code == 1
    assert (tmp_path / "some.csv").read_text() == "a\n1\n"


def test_an_output_option_holds_all_tables_or_the_last_data(
    script: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select 1 as a; select 2 as a;"
    assert script(sql, "-o", "both.txt").code == 0
    assert (tmp_path / "both.txt").read_text().count("│ a │") == 2
    assert script(sql, "-o", "last.parquet").code == 0
    assert pq.read_table(tmp_path / "last.parquet")["a"].to_pylist() == [2]


def test_tables_schemas_queries_and_plans_are_shown(script: Callable[..., Ran]) -> None:
    ran = script(
        ".tables\n.schema users\n.queries\n.queries timeline\n.explain select 42 as a\n.help\n"
    )
    assert (ran.code, ran.err) == (0, "")
    for text in (
        "images  ",
        "user_name",
        "VARCHAR",
        "nsfw-retention",
        "--grain",
        "Projections: a",
        ".save NAME",
    ):
        assert text in ran.text


def test_the_last_result_is_shown_again_in_another_form(script: Callable[..., Ran]) -> None:
    ran = script("select 42 as a;\n.mode json\n.last\n")
    assert (ran.code, ran.text[-11:]) == (0, '\n{"a":42}\n]\n'[-11:])


def test_canned_queries_and_searches_run_in_a_script(
    script: Callable[..., Ran], ddb: Callable[..., Ran]
) -> None:
    ran = script(
        ".mode csv\n.run timeline grain=hour\nselect count(*) > 20 as many from _;\n"
        ".search castle\n"
        "select count(*) as n, count(distinct prompt_id) as p from _;\n"
    )
    assert ran.code == 0, ran.err
    assert "many\ntrue\n" in ran.text
    every = ddb("search", "castle", "--count", "--format", "csv").text.splitlines()[1]
    matching = every.partition(",")[0]
    assert int(matching) > 20
    assert ran.text.splitlines()[-2:] == ["n,p", f"{matching},{matching}"]


def test_a_saved_query_runs_from_the_command_line(
    script: Callable[..., Ran], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = script(
        ".set least 100\nselect width from images where width > $least group by all order by 1;\n"
        ".save widths\n.save widths\n",
        DDB_SQL_DIR=str(tmp_path),
    )
    assert ran.code == 2
    assert "widths.sql exists already\nhint: --force" in ran.err
    ran = ddb("run", "widths", "--least", "1000", "--format", "csv", DDB_SQL_DIR=str(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert ran.text.startswith("width\n1")


def test_the_first_query_that_is_saved_is_found_at_once(script: Callable[..., Ran]) -> None:
    ran = script("select 7 as seven;\n.save seven\n.run seven\n.queries seven\n")
    assert ran.code == 0
    assert "│     7 │" in ran.text


def test_a_canned_query_takes_a_number_of_rows(script: Callable[..., Ran]) -> None:
    ran = script(".mode csv\n.run sampler-stats limit=2\n")
    assert (ran.code, ran.text.count("\n")) == (0, 3)
    ran = script(".run sampler-stats limit=few\n")
    assert (ran.code, ran.err) == (
        2, "ddb: parameter limit: expected a number of rows, found 'few'\nhint: limit=20\n"
    )  # fmt: skip


def test_a_search_says_that_it_takes_no_options(script: Callable[..., Ran]) -> None:
    ran = script(".search castle -night --facet sampler\n")
    assert (ran.code, ran.text) == (2, "")
    assert ran.err.startswith("ddb: .search takes words, no options such as --facet\nhint: ")
    assert script(".search castle --ar 16:9\n").code == 0, "what stands in prompts is text"


@pytest.mark.parametrize(
    "sql",
    ["select 1 as a; select a from _;", "describe images;", "values (1);"],
)
def test_what_cannot_be_a_canned_query_is_not_saved(
    sql: str, script: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = script(f"{sql}\n.save mine\n", DDB_SQL_DIR=str(tmp_path))
    assert (ran.code, (tmp_path / "mine.sql").exists()) == (2, False)


def test_rc_runs_before_a_script_unless_told_not_to(home: Path, script: Callable[..., Ran]) -> None:
    rc = home / ".config/ddb-query/rc.sql"
    rc.parent.mkdir(parents=True)
    rc.write_text("create macro answer() as 42;")
    ran = script("select answer() as a", "--format", "csv")
    assert (ran.code, ran.text, ran.err) == (0, "a\n42\n", "")
    assert script("select answer() as a", "--no-rc").code == 1
    assert script("select answer() as a", "shell", "--no-rc").code == 1


def test_the_images_of_the_last_result_are_fetched_and_reported_on(
    script: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = script(
        "select image_name from images where not image_blurred order by image_name limit 3;\n"
        ".fetch three\n.report three.json\n.report two.json sample=2\n.fetch two sample=2",
        "--dataset", "demo",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "3 images fetched into three" in ran.err
    assert len(list((tmp_path / "three").glob("*.png"))) == 3
    for name, images in (("three", 3), ("two", 2)):
        report = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
        assert str(images) in json.dumps(report["sections"]["overview"])
    assert "2 images fetched into two" in ran.err


def test_a_result_that_names_no_images_is_not_fetched(script: Callable[..., Ran]) -> None:
    ran = script("select 1 as a;\n.fetch some", "--dataset", "demo")
    assert ran.code == 2
    assert "names no images" in ran.err


def test_names_are_not_asked_for_where_nobody_needs_them(script: Callable[..., Ran]) -> None:
    asked = (
        "select count(*) > 0 as asked from duckdb_logs"
        " where message like '%group by function_name%' and message not like '%duckdb_logs%';\n"
    )
    changing = "".join(f"create table t{i}(a int); insert into t{i} values (1);" for i in range(9))
    ran = script(
        f".mode csv\ncall enable_logging('QueryLog');{changing}\n{asked}.schema t8\n{asked}"
    )
    assert ran.code == 0, ran.err
    found = ran.text.splitlines()
    assert [line for line in found if line in ("true", "false")] == ["false", "true"]
    assert any(line.split() == ["a", "INTEGER"] for line in found)


def test_a_mistake_in_a_transaction_is_told_in_its_own_words(script: Callable[..., Ran]) -> None:
    ran = script("begin; create table t(a int); create table t(a int);")
    assert ran.code == 1
    assert ran.err.startswith("ddb: Catalog Error: Table with name")


@pytest.mark.parametrize("command", [".export", ".once", ".output", ".read", ".fetch"])
def test_a_home_that_is_not_there_is_a_usage_error(
    command: str, script: Callable[..., Ran]
) -> None:
    ran = script(f"select image_name from images limit 1;\n{command} ~nobody-at-all/x.csv\n")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2, "ddb: ~nobody-at-all/x.csv: there is no such home folder"
    )  # fmt: skip


@pytest.mark.parametrize("word", ["exit;", "quit;", "EXIT", "\\q", ".quit", ".exit;"])
def test_a_script_is_left_as_other_shells_are(
    word: str, script: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "inner.sql").write_text(f"select 1 as a;\n{word}\n.nonsense\n")
    ran = script(".mode csv\n.read inner.sql\nselect nonsense;")
    assert (ran.code, ran.text, ran.err) == (0, "a\n1\n", "")


def test_a_report_takes_what_the_command_takes(script: Callable[..., Ran], tmp_path: Path) -> None:
    ran = script(
        ".report one.json section=terms section=settings title='Mine' users sample=50\n"
        ".report two.json section=settings vs=rest sampler=ddim\n"
        ".report three.json section=settings vs='sampler=plms sample=5' sampler=ddim\n"
    )
    assert ran.code == 0, ran.err
    one, two, three = (
        json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
        for name in ("one", "two", "three")
    )
    assert list(one["sections"]) == ["terms", "settings"]
    assert one["title"] == "Mine"
    assert "versus" in two["manifest"]
    assert three["manifest"]["versus"]["selection"] == {"sampler": ["plms"], "sample": 5}
    ran = script(".report section=nonsense")
    assert (ran.code, ran.err.splitlines()[0]) == (2, "ddb: no section named nonsense")


def test_a_boolean_is_a_flag(script: Callable[..., Ran]) -> None:
    counts = [
        int(script(f".mode csv\n.run nsfw-filter {said}\nselect count(*) as n from _;")
            .text.splitlines()[-1])
        for said in ("include_blurred", "include_blurred=true", "", "--no-include-blurred")
    ]  # fmt: skip
    assert counts[0] == counts[1] > counts[2] == counts[3]
    ran = script(".export all.csv on_disk no_include_blurred sample=1\n")
    assert ran.code == 0, ran.err
