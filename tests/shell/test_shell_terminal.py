"""The shell at a terminal: what a person sees who types at the real `ddb`."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import installed
import pytest
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


pytestmark = pytest.mark.installed

ENDLESS = "select count(*) from range(100_000_000_000) t(i) where i % 7 = 1;"
HISTORY = ".local/state/ddb-query/history"


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """A shell at its first prompt."""
    with Terminal(folder=tmp_path) as terminal:
        yield terminal.wait_for_prompt()


def test_a_statement_of_many_lines_ends_at_its_semicolon(shell: Terminal) -> None:
    shell.run("select count(*) as n").wait_for("...>")
    shell.run("from images;").wait_for("3000 │", "1 row, 1 column").wait_for_prompt()
    assert re.search(r"1 row, 1 column, \d+\.\d\d s", shell.text)


def test_several_statements_are_pasted_and_run_at_once(shell: Terminal) -> None:
    pasted = "create temp table t as select 41 as a;\nselect a + 1 as b from t;\nselect 7 as c;"
    shell.type(f"\x1b[200~{pasted}\x1b[201~").wait_for("as c;")
    assert "42" not in shell.text
    shell.press("enter").wait_for("│ 42 │", "│ 7 │").wait_for_prompt()


def test_several_hundred_pasted_statements_run_in_seconds(shell: Terminal) -> None:
    shell.run("select 1 as one;").wait_for("1 row").wait_for_prompt()
    inserts = "".join(f"insert into t values ({i}, 'a');\n" for i in range(400))
    pasted = f"create temp table t(i int, a text);\n{inserts}select sum(i) as n from t;"
    shell.type(f"\x1b[200~{pasted}\x1b[201~").wait_for("as n from t;")
    began = time.monotonic()
    shell.press("enter").wait_for("│ 79800 │").wait_for_prompt()
    # Half a second on a machine with nothing else to do.
    assert time.monotonic() - began < 10


def test_what_nobody_foresaw_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    # A library that fails when it is loaded, in the place of the one that draws charts.
    (tmp_path / "vl_convert.py").write_text("raise RuntimeError('the font is\\x1b[2Jgone')")
    with Terminal(folder=tmp_path, env={"PYTHONPATH": str(tmp_path)}) as shell:
        shell.wait_for_prompt().run(".report page.html sample=5")
        shell.wait_for("ddb: unexpected error in `.report page.html sample=5`: RuntimeError")
        shell.wait_for("DDB_DEBUG=1 to see the traceback").wait_for_prompt()
        assert "Traceback" not in shell.text
        shell.run("select 42 as a;").wait_for("│ 42 │").wait_for_prompt()
    assert not (tmp_path / "page.html").exists()


# In the place of a library that takes long, and does not let itself be stopped.
DEAF = """
import time
open("begun", "w").close()
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""


def test_a_second_ctrl_c_ends_the_shell_and_gives_the_terminal_back(tmp_path: Path) -> None:
    (tmp_path / "vl_convert.py").write_text(DEAF)
    ended = 'trap : INT; stty sane; "$@"; echo "ended with $?"; stty -a'
    command = ["sh", "-c", ended, "sh", installed.python(), "-m", "ddb_query"]
    env = {"PYTHONPATH": str(tmp_path)}
    with Terminal(folder=tmp_path, command=command, env=env) as shell:
        shell.wait_for_prompt().run("select 1 as one;").wait_for("1 row").wait_for_prompt()
        shell.run(".report page.html section=settings sample=5")
        shell.wait_until((tmp_path / "begun").exists, what="a beginning")
        shell.press("ctrl-c").wait_for("stopping…").press("ctrl-c")
        shell.wait_for("ddb: interrupted", "ended with 130", " echo ", " icanon ")
    assert not (tmp_path / "page.html").exists()


def test_a_result_whose_rows_are_gone_ends_no_session(shell: Terminal) -> None:
    shell.run("select 1 as one;").wait_for("1 row").wait_for_prompt()
    shell.run("drop schema kept cascade;").wait_for("done").wait_for_prompt()
    shell.run(".last").wait_for("ddb: Catalog Error").wait_for_prompt()
    shell.run("select 42 as a;").wait_for("│ 42 │")


OPENED = """
import signal, threading
from ddb_query.console.stderr import Diagnostics
from ddb_query.api.open import open_corpus
from ddb_query.shell.corpus_loader import CorpusLoader

may_open = threading.Event()

def opener(dataset, *, progress, note):
    may_open.wait()
    return open_corpus(dataset, progress=progress, note=note)

loader = CorpusLoader(opener, "2m", Diagnostics())
loader.start(lambda: None)
press = (threading.main_thread().ident, signal.SIGINT)
threading.Timer(0.2, signal.pthread_kill, press).start()
try:
    loader.corpus()
except KeyboardInterrupt:
    print("interrupted")
may_open.set()
print(loader.corpus().dataset)
loader.close()
"""


def test_ctrl_c_while_the_dataset_is_opened_is_no_obstacle_to_what_comes_then() -> None:
    # In a process of its own: who runs the tests may hear the signal too.
    done = subprocess.run(
        [installed.python(), "-c", OPENED], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "interrupted\n2m\n"


def test_the_last_result_is_a_table_of_its_own(shell: Terminal) -> None:
    shell.run("select sampler, count(*) as n from images group by all;").wait_for("2 columns")
    shell.run("describe _;").wait_for("BIGINT", "2 rows, 6 columns").wait_for_prompt()
    shell.run("select sum(n) as total from _;").wait_for("3000 │").wait_for_prompt()
    shell.run("select total / 2 as half from _;").wait_for("1500.0 │")


def test_temporary_tables_and_macros_last(shell: Terminal) -> None:
    shell.run("create temp table t as select 20 as a;").wait_for("done").wait_for_prompt()
    shell.run("create macro twice(x) as x * 2;").wait_for_prompt()
    shell.run("select twice(a) + 2 as b from t;").wait_for("│ 42 │")


def test_names_complete_with_what_the_statement_is_about(shell: Terminal) -> None:
    shell.run("select 1 as one;").wait_for("│   1 │").wait_for_prompt()
    shell.type("select sampler_n").wait_for("sampler_name  ")
    shell.press("tab").wait_for("select sampler_name").type(" from ima")
    shell.wait_for("images  ").press("tab").wait_for("from images")
    shell.type(" where active").wait_until(lambda: "active_days" not in shell.text)
    shell.press("ctrl-c").wait_for_prompt()
    shell.type("select u. from users u").press(*["left"] * 13).press("tab")
    shell.wait_for("active_days", "first_seen")


def test_values_of_a_small_column_complete(shell: Terminal) -> None:
    shell.run("select 1 as one;").wait_for("│   1 │").wait_for_prompt()
    shell.type("select * from images where sampler_name = '").wait_for("k_lms", "k_euler")
    shell.type("k_l").press("tab").wait_for("'k_lms'")


def test_values_that_are_fetched_do_not_disturb_what_runs(shell: Terminal) -> None:
    slow = "create view slow as select count(sleep_ms(1))::varchar as v from range(9000);"
    shell.run(slow).wait_for("done").wait_for_prompt()
    shell.type("select * from slow where v = '").wait_for("v = '").press("ctrl-c").wait_for_prompt()
    shell.run(ENDLESS).wait_for("query ━").press("ctrl-c").wait_for("interrupted")
    shell.wait_for_prompt().run("select 42 as a;").wait_for("│ 42 │")


def test_queries_their_parameters_and_choices_complete(shell: Terminal) -> None:
    shell.run("select 1 as one;").wait_for("│   1 │").wait_for_prompt()
    shell.type(".ru").press("tab").wait_for(".run").type(" timel").press("tab")
    shell.wait_for(".run timeline").type(" ").wait_for("grain=").press("tab")
    shell.wait_for("grain=").type("h").press("tab").wait_for("grain=hour")
    shell.press("enter").wait_for("rows, 4 columns").wait_for_prompt()


def test_files_complete(shell: Terminal, tmp_path: Path) -> None:
    (tmp_path / "castles-of-stone.sql").write_text("select 42 as answer;")
    shell.type(".read cast").press("tab").wait_for("castles-of-stone.sql")
    shell.press("enter").wait_for("│     42 │")


def test_enter_on_a_choice_of_the_menu_takes_it_and_runs_nothing(shell: Terminal) -> None:
    shell.type(".tab").wait_for(".tables").press("down").wait_for("> .tables")
    shell.press("enter")
    shell.type(" ").press("enter").wait_for("sampler_name").wait_for_prompt()


def test_history_is_kept_for_its_owner_searched_and_suggested(
    shell: Terminal, home: Path, tmp_path: Path
) -> None:
    shell.run("select 'once upon' as told;").wait_for("told", "1 row").wait_for_prompt()
    shell.run(" select 'a secret';").wait_for("a secret").wait_for_prompt().press("ctrl-d")
    assert shell.wait_for_end() == 0
    kept = home / HISTORY
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "secret" not in kept.read_text()
    with Terminal(folder=tmp_path) as again:
        again.wait_for_prompt().run(".timer off").wait_for_prompt()
        again.press("up", "up").wait_for("'once upon'").press("ctrl-c")
        again.wait_for_prompt().type("select 'on").wait_for("e upon' as told;")
        again.press("ctrl-c").wait_for_prompt().press("ctrl-l").wait_without("help")
        again.press("ctrl-r").wait_for("-search").type("upon").wait_for("as told;")
        again.press("enter").press("enter").wait_for("│ once upon │")


def test_keys_typed_while_a_statement_runs_wait_for_the_prompt_all_of_them(shell: Terminal) -> None:
    shell.run(ENDLESS).wait_for("query ━")
    # The terminal's driver would erase the word for good; the editor can put it back.
    shell.type("kept words").press("ctrl-w", "ctrl-y")
    time.sleep(0.2)
    assert "kept" not in shell.text
    os.kill(shell.process_id, signal.SIGINT)
    shell.wait_for("interrupted", "kept words")


def test_history_that_others_could_read_is_closed_to_them(home: Path, tmp_path: Path) -> None:
    (home / HISTORY).parent.mkdir(parents=True)
    (home / HISTORY).touch(0o644)
    with Terminal(folder=tmp_path) as shell:
        shell.wait_for_prompt()
    assert stat.S_IMODE((home / HISTORY).stat().st_mode) == 0o600


def test_without_a_place_for_it_there_is_no_history_and_a_note(home: Path, tmp_path: Path) -> None:
    (home / ".local").write_text("not a folder")
    with Terminal(folder=tmp_path) as shell:
        shell.wait_for("note: no history is kept: ").wait_for_prompt()
        shell.run("select 42 as a;").wait_for("│ 42 │").wait_for_prompt()


def test_a_full_disk_ends_history_with_a_note_and_nothing_else(tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", installed.ddb()]
    with Terminal(folder=tmp_path, command=limited) as shell:
        shell.wait_for_prompt()
        shell.run("select 42 as a;").wait_for("note: no history is kept", "│ 42 │")
        shell.wait_for_prompt().run("select 43 as a;").wait_for("│ 43 │")
        assert shell.text.count("no history") == 1


def test_ctrl_c_is_heard_where_who_started_the_shell_ignores_it(tmp_path: Path) -> None:
    deaf = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", installed.ddb()]
    with Terminal(folder=tmp_path, command=deaf) as shell:
        shell.wait_for_prompt().run(ENDLESS).wait_for("query ━").press("ctrl-c")
        shell.wait_for("interrupted").wait_for_prompt()


def test_ctrl_c_stops_the_query_and_keeps_the_shell(shell: Terminal) -> None:
    shell.run(".set w 5").wait_for_prompt().run("create temp table t as select $w as a;")
    shell.wait_for("done").wait_for_prompt().run(ENDLESS)
    shell.wait_for("query ━").press("ctrl-c")
    began = time.monotonic()
    shell.wait_for("stopping…", "ddb: interrupted").wait_for_prompt()
    # 0.2 s on a machine with nothing else to do; benchmarks/shell.py measures it.
    assert time.monotonic() - began < 10
    assert "━" not in shell.text
    shell.run("select a + $w as b from t;").wait_for("│ 10 │")


def test_ctrl_c_right_behind_enter_stops_the_statement_and_keeps_what_follows(
    shell: Terminal,
) -> None:
    # As one piece of input, it is read before the terminal makes signals of Ctrl-C again.
    shell.type(f"{ENDLESS}\rselect 6;\x03select 7 * 6 as a;\r")
    shell.wait_for("ddb: interrupted", "│ 42 │").wait_for_prompt()
    assert "│ 6 │" not in shell.text


def test_ctrl_c_at_the_prompt_throws_away_what_was_typed(shell: Terminal) -> None:
    shell.type("selec nothing").press("ctrl-c").wait_for_prompt()
    shell.run("select 42 as a;").wait_for("│ 42 │")


def test_a_result_longer_than_the_screen_goes_through_the_pager(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\ncat > paged.txt\necho PAGED\n")
    pager.chmod(0o755)
    with Terminal(folder=tmp_path, env={"PAGER": str(pager)}) as shell:
        shell.wait_for_prompt().run("select 1 as a;").wait_for("1 row").wait_for_prompt()
        assert "PAGED" not in shell.text
        shell.run("select i from range(60) t(i);").wait_for("PAGED", "60 rows, 1 column")
        paged = (tmp_path / "paged.txt").read_text().splitlines()
        assert len(paged) == 64
        shell.wait_for_prompt().run(".mode csv").wait_for_prompt()
        shell.run("select i from range(80) t(i);").wait_for("80 rows, 1 column")
        assert len((tmp_path / "paged.txt").read_text().splitlines()) == 81


def test_a_pager_that_is_left_early_is_no_error(tmp_path: Path) -> None:
    with Terminal(folder=tmp_path, env={"PAGER": "true"}) as shell:
        shell.wait_for_prompt().run("select i, repeat('x', 900) as x from range(900) t(i);")
        shell.wait_for("900 rows").wait_for_prompt()
        assert "Traceback" not in shell.text


def test_a_pager_that_does_not_exist_is_done_without(tmp_path: Path) -> None:
    with Terminal(folder=tmp_path, env={"PAGER": "no-such-pager"}) as shell:
        shell.wait_for_prompt().run("select i from range(60) t(i);").wait_for("│ 59 │", "60 rows")


def test_a_result_of_everything_shows_its_first_screen_at_once(shell: Terminal) -> None:
    shell.run("select i, md5(i::varchar) as h from range(3_000_000_000) t(i);")
    shell.wait_for("│ 999 │", "first 1,000 ").wait_for_prompt()
    shell.run("select count(*) as n from (from _ limit 20_000);").wait_for("│ 20000 │")
    shell.wait_for_prompt().run(".rows 0").wait_for_prompt()
    shell.run("select i from range(10_500) t(i);").wait_for("│ 10499 │", "10,500 rows")


def test_a_file_for_one_result_takes_none_after_that_has_failed(
    shell: Terminal, tmp_path: Path
) -> None:
    shell.run(".once one.json").wait_for_prompt()
    shell.run("select nonsense;").wait_for("nothing goes to one.json: ").wait_for_prompt()
    shell.run("select 42 as a;").wait_for("│ 42 │").wait_for_prompt()
    assert not (tmp_path / "one.json").exists()


def test_a_wide_table_leaves_out_columns_and_says_so(shell: Terminal) -> None:
    shell.run("select * from images limit 2;").wait_for(
        "2 rows", " of 18 columns"
    ).wait_for_prompt()
    boxes = [line for line in shell.lines if line.startswith(("┌", "│", "├", "└"))]
    assert len(boxes) == 6
    assert all(len(line) <= 80 for line in boxes)
    assert " … " in boxes[1]


def test_a_row_is_shown_whole_behind_a_backslash_g(shell: Terminal) -> None:
    shell.run("select repeat('ab', 50) as long, 7 as b\\G").wait_for("─[ row 1 ]─", "b    │ 7")
    shown = [line for line in shell.lines if line.startswith(("long │", "     │"))]
    assert "".join(line[7:] for line in shown) == "ab" * 50


def test_forty_columns_are_enough(tmp_path: Path) -> None:
    with Terminal(folder=tmp_path, columns=40) as shell:
        shell.wait_for_prompt().run("select image_name, prompt, width from images limit 1;")
        shell.wait_for("1 row,").wait_for_prompt()
        boxes = [line for line in shell.lines if line.startswith("│")]
        assert boxes
        assert all(len(line) <= 40 for line in boxes)
        shell.run(".schema images").wait_for("sampler_name").wait_for_prompt()


def test_wide_characters_keep_the_table_straight(shell: Terminal) -> None:
    shell.run("select '文字' as w, 1 as n union all select 'ab', 2;").wait_for("│ 2 │", "2 rows")
    rows = [line for line in shell.lines if line.startswith("│")]
    assert rows == ["│ w    │ n │", "│ 文字 │ 1 │", "│ ab   │ 2 │"]


def test_controls_in_data_cannot_change_the_terminal(shell: Terminal) -> None:
    evil = "select chr(27) || ']0;owned' || chr(7) || chr(27) || '[2J' || chr(8238) as evil;"
    for mode in ("table", "line", "csv", "jsonl", "markdown"):
        shell.run(f".mode {mode}").wait_for_prompt().run(evil).wait_for("1 row").wait_for_prompt()
        shell.press("ctrl-l").wait_without("1 row")
    assert b"\x1b]0;owned" not in shell.raw
    assert b"owned\x07" not in shell.raw
    assert "\u202e".encode() not in shell.raw


def test_a_dumb_terminal_has_a_plain_prompt(tmp_path: Path) -> None:
    with Terminal(folder=tmp_path, env={"TERM": "dumb"}) as shell:
        shell.wait_for_prompt().run("select 42").wait_for("...>")
        shell.run("as a;").wait_for("│ 42 │", "1 row").wait_for_prompt()
        shell.run(".run user-profile").wait_for("user:").run("deleted_account").wait_for(
            "rows of each section"
        )
        shell.wait_for_prompt().run("exit")
        assert shell.wait_for_end() == 0
        assert b"\x1b" not in shell.raw


def test_no_color_means_no_colour(tmp_path: Path) -> None:
    for coloured in (True, False):
        env = {} if coloured else {"NO_COLOR": "1"}
        with Terminal(folder=tmp_path, env=env) as shell:
            shell.wait_for_prompt().type("select 'text', 42").wait_for("42")
            shell.press("end").wait_until(lambda: True)
            assert (shell.colours() > {"default"}) is coloured


def test_a_mistake_is_told_with_what_was_meant(shell: Terminal) -> None:
    shell.run("select promt from images;").wait_for("hint: did you mean prompt").wait_for_prompt()
    shell.run("select i.widht from images i;").wait_for("hint: did you mean width?")
    shell.wait_for_prompt().run("select * from imges;").wait_for("hint: did you mean images?")
    shell.wait_for_prompt().run("selct 1;").wait_for("hint: did you mean select")
    shell.wait_for_prompt().run(".tabels").wait_for("hint: did you mean .tables?")
    shell.wait_for_prompt().run("select * from _;").wait_for("hint: _ is the last result")
    shell.wait_for_prompt().run("select 42 as a;").wait_for("│ 42 │")


def test_a_canned_query_asks_for_what_it_needs(shell: Terminal) -> None:
    shell.run(".run user-profile").wait_for("user:").run("nobody").wait_for("no user named nobody")
    shell.wait_for_prompt().run(".run user-profile").wait_for("user:").run("deleted_account")
    shell.wait_for("rows of each section")
    shell.wait_for_prompt().press("ctrl-l").wait_without("rows of each section").wait_for_prompt()
    shell.run(".run user-profile").wait_for("user:").press("ctrl-c")
    shell.wait_for("interrupted").wait_for_prompt()


def test_a_saved_query_is_one_like_the_shipped_ones(
    shell: Terminal, home: Path, ddb: Callable[..., object]
) -> None:
    shell.run(".set w 600").wait_for_prompt()
    shell.run(
        "select width, count(*) as n from images where width > $w group by all order by n limit 3;"
    )
    shell.wait_for("2 columns").wait_for_prompt().run(".save Wide").wait_for("Wide is not a name")
    shell.wait_for_prompt().run(".save user-stats").wait_for("name of a shipped query")
    shell.wait_for_prompt().run(".save wide-ones Widths that are large.").wait_for("saved as")
    saved = home / ".config/ddb-query/queries/wide-ones.sql"
    assert saved.read_text().splitlines()[:4] == [
        "-- name: wide-ones", "-- description: Widths that are large.",
        "-- param: w integer = 600", "-- limit: 3",
    ]  # fmt: skip
    shell.wait_for_prompt().run(".save wide-ones").wait_for("overwrite it?").run("no")
    shell.wait_for("is there already").wait_for_prompt()
    shell.run(".run wide-ones w=700").wait_for("2 columns").wait_for_prompt()


def test_another_dataset_takes_its_place(shell: Terminal) -> None:
    shell.run(".mode line").wait_for_prompt().run(".dataset large").wait_for_prompt("large>")
    shell.run("select count(*) as n from images;").wait_for("n │ 5000")


def test_vi_keys(shell: Terminal) -> None:
    shell.run(".keys vi").wait_for_prompt().type("select 12 as a;").wait_for("12 as a;")
    shell.press("escape").type("0fs").wait_until(lambda: True).type("A").press("enter")
    shell.wait_for("│ 12 │")


def test_rc_runs_first_and_can_be_left_out(home: Path, tmp_path: Path) -> None:
    rc = home / ".config/ddb-query/rc.sql"
    rc.parent.mkdir(parents=True)
    rc.write_text("-- mine\ncreate macro answer() as 42;\n.mode line\n")
    with Terminal(folder=tmp_path) as shell:
        shell.wait_for_prompt().run("select answer() as a;").wait_for("a │ 42")
    with Terminal("shell", "--no-rc", folder=tmp_path) as shell:
        shell.wait_for_prompt().run("select answer() as a;").wait_for("answer does not exist")
    rc.write_text("select nonsense;\n")
    with Terminal(folder=tmp_path) as shell:
        shell.wait_for("rc.sql:1: ", "nonsense").wait_for_prompt()


def test_without_data_it_says_so_and_ends(tmp_path: Path) -> None:
    with Terminal("--data-dir", tmp_path, "--dataset", "large") as shell:
        assert shell.wait_for_end() == 3
        assert "hint: `ddb data pull large` gets it" in shell.text


def test_a_damaged_table_ends_it_with_words(tmp_path: Path) -> None:
    (tmp_path / "metadata.parquet").write_bytes(b"PAR1 nothing PAR1")
    with Terminal("--data-dir", tmp_path) as shell:
        assert shell.wait_for_end() == 3
        assert "metadata.parquet" in shell.text
        assert "Traceback" not in shell.text


def test_of_many_strata_a_terminal_is_shown_the_first(tmp_path: Path) -> None:
    sample = ("export", "--dataset", "demo", "--sample", "200", "--stratify", "user")
    with Terminal(*sample, "-o", "s.csv", folder=tmp_path) as terminal:
        terminal.wait_for("the first 100 of ", " strata; the manifest has them all")


def test_a_list_has_no_empty_line_where_the_last_cell_is_empty(tmp_path: Path) -> None:
    with Terminal("data", "status", columns=60, rows=60, folder=tmp_path) as terminal:
        assert terminal.wait_for_end() == 0
        assert "" not in terminal.lines


def test_ctrl_z_stops_it_as_other_programs_and_fg_goes_on(tmp_path: Path) -> None:
    bash = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(folder=tmp_path, command=bash, env={"PS1": "outside> "}) as terminal:
        terminal.wait_for_prompt("outside>").run(installed.ddb()).wait_for_prompt()
        terminal.type("select 40 +").press("ctrl-z").wait_for("Stopped")
        terminal.wait_for_prompt("outside>").run("fg").wait_for("2m> select 40 +")
        terminal.type(" 2 as a;").press("enter").wait_for("│ 42 │").wait_for_prompt()
        # The terminal stops what runs, too.
        terminal.run(ENDLESS).wait_for("query")
        terminal.press("ctrl-z").wait_for_prompt("outside>").run("fg")
        terminal.wait_until(lambda: terminal.lines[-1] != "outside> fg", what="the bar again")
        terminal.press("ctrl-c").wait_for("ddb: interrupted").wait_for_prompt()


def test_leaving_at_once_is_no_trouble(tmp_path: Path) -> None:
    with Terminal(folder=tmp_path) as shell:
        shell.wait_for_prompt().press("ctrl-d")
        assert shell.wait_for_end() == 0
        assert "Traceback" not in shell.text
        assert "leak" not in shell.text
