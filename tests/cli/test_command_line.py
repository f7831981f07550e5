"""What a command line may say: options that mean something, files that are kept, close names."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from commands import Run, commands, options_of, runner

import ddb_query
from ddb_query.cli._options import common_parameters
from ddb_query.cli._parsing import known_elsewhere
from ddb_query.cli.fetch import without_pandas
from ddb_query.errors import ExistsError, OptionNotTakenError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = commands()
COMMON = sorted(
    name for name in known_elsewhere() if name.startswith("--") and not name.startswith("--subset")
)
# A command for each that writes what -o names; `{}` is a subset that is there.
WRITE = {
    "sql": ["sql", "select 1 as a", "-o", "new.csv"],
    "search": ["search", "castle", "-o", "new.csv"],
    "queries": ["queries", "-o", "new.csv"],
    "export": ["export", "--sample", "2", "-o", "new.csv"],
    "export of a folder": ["export", "--sample", "2", "--partition-by", "part", "-o", "new"],
    "export of SQL": ["export", "--sql", "select 1 as a", "-o", "new.parquet"],
    "run": ["run", "sampler-stats", "-o", "new.md"],
    "report": ["report", "--section", "overview", "-o", "new.json"],
    "replay": ["replay", "subset.parquet", "-o", "new.csv"],
    "data status": ["data", "status", "-o", "new.json"],
    "data mend": ["data", "mend", "subset.parquet", "-o", "new.parquet"],
}

pytestmark = pytest.mark.installed


@pytest.fixture(autouse=True)
def dataset(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    return runner()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_refuses_options_of_others_with_a_hint(name: str, run: Run) -> None:
    taken = options_of(COMMANDS[name])
    refused = [option for option in COMMON if option not in taken]
    shown = run(*name.split(), "--help").text
    assert not [option for option in refused if f" {option} " in shown]
    for option in refused:
        with pytest.raises(OptionNotTakenError) as caught:
            COMMANDS[name].main([option, "1"], prog_name=f"ddb {name}", standalone_mode=False)
        assert caught.value.message == f"ddb {name} takes no {option}"
        assert caught.value.hint
    # A process takes a quarter of a second.
    for option in {refused[0], refused[-1]}:
        ran = run(*name.split(), option, "1")
        assert (ran.code, ran.out) == (2, b"")
        first, hint, *_ = ran.err.splitlines()
        assert first == f"ddb: ddb {name} takes no {option}"
        assert hint.startswith("hint: ")


def test_which_options_mean_nothing_to_which_command() -> None:
    """Written down once, so that a change of it is seen."""
    every = {f"--{one.name.replace('_', '-')}" for one in common_parameters()}
    assert {name: sorted(every - options_of(one)) for name, one in COMMANDS.items()} == {
        "sql": ["--sql-dir", "--yes"],
        "queries": ["--data-dir", "--dataset", "--engine", "--memory-limit", "--threads",
                    "--timeout", "--yes"],
        "search": ["--sql-dir", "--yes"],
        "export": ["--yes"],
        "verify": sorted(every - {"--quiet"}),
        "replay": ["--limit", "--yes"],
        "report": ["--limit", "--sql-dir", "--yes"],
        "fetch": ["--force", "--sql-dir"],
        "gallery": sorted(every - {"--output", "--force", "--quiet"}),
        "shell": ["--yes"],
        "data status": ["--dataset", "--engine", "--sql-dir", "--yes"],
        "data add": sorted(every - {"--data-dir", "--threads", "--memory-limit", "--timeout",
                                    "--quiet"}),
        "data pull": sorted(every - {"--data-dir", "--threads", "--memory-limit", "--timeout",
                                     "--quiet"}),
        "data demo": sorted(every - {"--threads", "--memory-limit", "--timeout", "--quiet"}),
        "data mend": sorted(
            every - {"--force", "--memory-limit", "--output", "--quiet"}
            - {"--threads", "--timeout"}
        ),
        "data build": ["--force", "--format", "--limit", "--output", "--sql-dir", "--yes"],
        "data remove": sorted(every - {"--data-dir", "--quiet", "--yes"}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["report", "--limit", "5"], "--sample N describes N images, chosen at random"),
        (["--limit", "5", "report"], "--sample N describes N images, chosen at random"),
        (["data", "--limit", "5", "build"], "`ddb data build --help` lists its options"),
        (["report", "--vs", "--limit 5"], "`ddb report --vs --help` lists its options"),
        (["--format", "csv", "gallery", "x"], "a gallery is always HTML"),
    ],
    ids=str,
)
def test_an_option_that_would_mean_something_else_is_refused(
    args: list[str], hint: str, run: Run
) -> None:
    ran = run(*args)
    assert (ran.code, ran.out) == (2, b"")
    assert f"hint: {hint}" in ran.err


def test_a_report_from_python_is_of_all_images_too(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        for criteria in ({"limit": 5}, {"order_by": "seed"}):
            with pytest.raises(UsageError, match="describes all images"):
                corpus.select(**criteria).report(sections=["overview"])


@pytest.mark.parametrize("name", WRITE)
def test_a_file_that_exists_is_kept_unless_it_is_forced(
    name: str, run: Run, tmp_path: Path
) -> None:
    args = WRITE[name]
    target = tmp_path / args[-1]
    if "subset.parquet" in args:
        assert run("export", "--sample", "2", "-o", "subset.parquet").code == 0
    if name.endswith("folder"):
        assert run(*args).code == 0
        (target / "mark").write_text("old")
    else:
        target.write_text("old")
    ran = run(*args)
    assert (ran.code, ran.out) == (2, b"")
    shown = target if name.endswith("folder") else args[-1]
    assert ran.err.splitlines()[0].endswith(f"{target.name} exists already"), shown
    assert ran.err.splitlines()[1] == "hint: --force replaces it (force=True from Python)"
    kept = target / "mark" if target.is_dir() else target
    assert kept.read_text() == "old"
    assert run(*args, "--force").code == 0
    assert not kept.exists() or kept.read_bytes() != b"old"


def test_every_command_that_writes_a_file_is_tried_twice() -> None:
    """`shell` and `gallery` are tried where their files are made."""
    writing = {n for n, one in COMMANDS.items() if {"--output", "--force"} <= options_of(one)}
    assert writing - {"shell", "gallery"} <= set(WRITE)


def test_python_keeps_files_by_the_same_rule(tables: Path, tmp_path: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        report = corpus.select().report(sections=["overview"])
        writers: dict[str, Callable[..., object]] = {
            "a.csv": lambda path, **more: corpus.select(sample=2).export(path, **more),
            "b.csv": lambda path, **more: corpus.export(path, sql="select 1 as a", **more),
            "c.json": report.save,
        }
        for name, write in writers.items():
            target = tmp_path / name
            target.write_text("old")
            with pytest.raises(ExistsError):
                write(target)
            assert target.read_text() == "old"
            write(target, force=True)
            assert target.read_text("utf-8") != "old"


@pytest.mark.parametrize(
    "script",
    [".output f.csv\n", ".once f.csv\nselect 1 as a;\n", ".export f.csv sample=1\n",
     "select 1 as a;\n.export f.csv\n"],
)  # fmt: skip
def test_the_shell_keeps_files_by_the_same_rule(script: str, ddb: Run, tmp_path: Path) -> None:
    target = tmp_path / "f.csv"
    target.write_text("old")
    ran = ddb(stdin=script.encode())
    assert (ran.code, target.read_text()) == (2, "old")
    assert ran.err.endswith(
        "f.csv exists already\nhint: --force replaces it (force=True from Python)\n"
    )
    ran = ddb(stdin=script.replace("f.csv", "f.csv --force").encode())
    assert (ran.code, target.read_text() != "old") == (0, True)


@pytest.mark.parametrize(
    "args",
    [["sql", "select 1 as a", "--format", "csv"], ["report", "--section", "overview"],
     ["search", "castle"], ["queries"], ["data", "status", "--format", "json"],
     ["run", "sampler-stats", "--format", "jsonl"],
     ["export", "--sample", "3", "--format", "csv"]],
    ids=" ".join,
)  # fmt: skip
def test_a_dash_is_standard_output_everywhere(args: list[str], run: Run, tmp_path: Path) -> None:
    ran = run(*args, "-o", "-")
    assert ran.code == 0
    assert ran.out
    assert not (tmp_path / "-").exists()
    if args[0] != "export":
        assert run(*args).out == ran.out


def test_a_folder_is_not_for_standard_output(run: Run) -> None:
    for args in (["fetch", "--sample", "2"], ["export", "--partition-by", "day"]):
        assert (run(*args, "-o", "-").code, run(*args, "-o", "-").out) == (2, b"")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["serach", "castle"], "did you mean search? `ddb --help` lists all"),
        (["data", "statsu"], "did you mean status? `ddb data --help` lists all"),
        (["run", "user-stat"], "did you mean user-stats"),
        (["xyzzy"], "`ddb --help` lists all"),
    ],
    ids=str,
)
def test_a_name_that_is_none_gets_the_close_ones(args: list[str], hint: str, run: Run) -> None:
    ran = run(*args)
    assert (ran.code, ran.out) == (2, b"")
    assert f"hint: {hint}" in ran.err


@pytest.mark.parametrize("word", ["-night", "-oak", "-quiet", "-horse", "-by:wlop", "-5"])
def test_a_word_left_out_of_a_search_is_no_option(word: str, run: Run) -> None:
    ran = run("search", "castle", word, "--limit", "3")
    assert (ran.code, ran.out) == (2, b"")
    assert f"search takes {word} for an option, which it is not\n" in ran.err
    assert f"quote the text, ddb search 'castle {word}'" in ran.err
    assert f"ddb search -- castle {word}\n" in ran.err
    both = [run("search", *words, "--count", "--format", "csv").text
            for words in ([f"castle {word}"],)]  # fmt: skip
    both.append(run("search", "--count", "--format", "csv", "--", "castle", word).text)
    assert both[0] == both[1] != ""


def test_sql_that_begins_with_a_remark_is_told_how_to_be_given(run: Run) -> None:
    ran = run("sql", "-- how many\nselect 1 as a")
    assert (ran.code, "put -- before text that begins with a dash" in ran.err) == (2, True)
    assert run("sql", "--format", "csv", "--", "-- how many\nselect 1 as a").text == "a\n1\n"


@pytest.mark.parametrize("group", [[], ["data"]])
def test_summaries_of_commands_are_whole_sentences_that_fit(group: list[str], run: Run) -> None:
    shown = run(*group, "--help").text
    lines = shown.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) >= 6
    for line in lines:
        assert re.fullmatch(r"  [a-z]+ +[A-Z`].*\.", line), line
        assert len(line) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_the_options_of_a_command_in_groups(name: str, run: Run) -> None:
    shown = run(*name.split(), "--help").text
    groups = dict(
        re.findall(r"^([A-Z][a-z ]+):\n(.*?)(?:\n\n|\Z)", shown, re.DOTALL | re.MULTILINE)
    )
    order = ["Arguments", "Options", "Which images", "Sampling", "Output", "Common options"]
    assert [group for group in groups if group in order] == [one for one in order if one in groups]
    assert "  -h, --help " in groups["Common options"]
    own = {("search", "--order-by"), ("data demo", "--seed")}
    for option, group in {
        "--where": "Which images", "--one-per": "Sampling", "--seed": "Sampling",
        "--order-by": "Output", "--threads": "Common options", "--dataset": "Common options",
    }.items():  # fmt: skip
        if option in options_of(COMMANDS[name]) and (name, option) not in own:
            assert f"  {option} " in groups[group], option


def test_a_command_that_does_without_pandas_leaves_imports_as_they_were() -> None:
    before = list(sys.meta_path)
    with without_pandas():
        assert sys.meta_path[1:] == before
    assert sys.meta_path == before


def test_the_summaries_of_queries_are_not_cut(run: Run) -> None:
    shown = run("run", "--help").text
    assert "..." not in shown.partition("Commands:")[2]
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("given", "condition"),
    [("p=1984", "prompt = $p"), ("p=2.5", "prompt > $p"), ("p=true", "prompt = $p")],
)
def test_a_number_that_meets_text_says_how_to_give_text(
    given: str, condition: str, run: Run
) -> None:
    sql = f"select count(*) as n from prompts where {condition}"
    ran = run("sql", sql, "-p", given, "--format", "csv")
    name, _, value = given.partition("=")
    assert (ran.code, ran.out.replace(b"n\n", b"")) == (1, b"")
    assert f"-p {name}:text={value}" in ran.err
    assert "string '" not in ran.err.replace("string '…' to", "")
    assert run("sql", sql, "-p", f"p:text={value}", "--format", "csv").code == 0


@pytest.mark.parametrize("mark", [":w", "@w"])
def test_a_parameter_of_another_database_is_told_how_it_is_written_here(
    mark: str, run: Run
) -> None:
    ran = run("sql", f"select count(*) from images where width > {mark} and seed > 1", "-p", "w=5")
    assert ran.code in (1, 2)
    assert "hint: " in ran.err
    assert "$w" in ran.err


@pytest.mark.parametrize("option", [["--count"], ["--facet", "user"], ["--exact-syntax"]])
def test_similar_prompts_take_no_options_of_words(option: list[str], run: Run) -> None:
    ran = run("search", "--like", "a castle", *option)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("ddb: --count, --facet and --exact-syntax are for words")


def test_similar_prompts_of_a_file_that_is_no_image_are_an_error(run: Run) -> None:
    ran = run("search", "--like", "nope.png")
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("ddb: nope.png is not the name of an image\nhint: ")


def test_a_list_of_a_report_that_goes_on_says_so(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        made = corpus.select().report(sections=["prompts"])
        (most,) = [one for one in made.sections[0].tables if one.name == "most-used"]
        assert most.help.endswith(f" The list goes on after these {len(most.rows)}.")
        few = corpus.select(sample=3).report(sections=["prompts"]).sections[0]
        assert "goes on" not in " ".join(one.help for one in few.tables)
