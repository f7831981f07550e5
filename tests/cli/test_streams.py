"""Standard output carries data alone; what happens when it ends, fills up, or Ctrl-C is pressed."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import signal
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import installed
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Ran

ENDLESS = "select count(*) as n from range(100_000_000_000) as t(i) where i % 7 = 1"
STREAM = "select i, md5(i::varchar) as h from range(100_000_000_000) as t(i)"

pytestmark = pytest.mark.installed
STOPPED = "stopping…\nddb: interrupted\n".encode()


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


def start(
    *args: str, folder: Path, stdout: int | BinaryIO = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [installed.ddb(), *args], cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def sizes_without_a_name(process: subprocess.Popen[bytes], folder: Path) -> Iterator[int]:
    """Sizes of the files that are not in place yet."""
    for path in [*folder.glob(".*.tmp"), *Path(f"/proc/{process.pid}/fd").glob("*")]:
        with contextlib.suppress(OSError):
            found = path.stat()
            if stat.S_ISREG(found.st_mode) and (found.st_nlink == 0 or path.suffix == ".tmp"):
                yield found.st_size


def wait_until_it_writes(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 60
    while not any(size for size in sizes_without_a_name(process, folder)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_notes_go_to_standard_error_and_quiet_leaves_them_out(
    ddb: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DDB_DATASET")
    ran = ddb("data", "status", "--format", "csv")
    assert (ran.code, ran.text.count("\n") > 2) == (0, True)
    assert ran.err == "note: using dataset 2m; --dataset large has the other\n"
    quiet = ddb("data", "status", "-q", "--format", "csv")
    assert (quiet.code, quiet.out, quiet.err) == (0, ran.out, "")
    wrong = ddb("--quiet", "run", "xyzzy")
    assert (wrong.code, wrong.out) == (2, b"")
    assert wrong.err.startswith("ddb: no canned query named xyzzy\n")


@pytest.mark.slow
def test_the_demo_makes_itself_at_its_first_use_and_says_that_it_is_made_up(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    for note in ("note: generated the demo dataset: its rows are made up\n", ""):
        ran = ddb("--dataset", "demo", "sql", "select count(*) as n from images", "--format", "csv",
                  DDB_CACHE_DIR=str(tmp_path / "cache"))  # fmt: skip
        assert (ran.code, ran.text, ran.err) == (0, "n\n100000\n", note)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_a_reader_that_goes_away_ends_the_work_without_a_word(form: str, tmp_path: Path) -> None:
    sql = STREAM if form != "table" else "select repeat('x', 200) as x from range(5000)"
    with start("sql", sql, "--format", form, "--limit", "3000000", folder=tmp_path) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize("args", [["--version"], ["queries"]])
def test_a_reader_that_never_came_is_no_error_either(args: list[str], tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as closed, start(*args, folder=tmp_path, stdout=closed) as process:
        assert process.stderr
        assert (process.stderr.read(), process.wait(60)) == (b"", 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")  # noqa: PTH110
@pytest.mark.parametrize(
    "args",
    [
        ["sql", "select 1 as a"],
        ["sql", "select i from range(200000) as t(i)", "--format", "csv"],
        ["sql", "select i from range(200000) as t(i)", "--format", "parquet"],
        ["queries"],
        ["--version"],
        ["--help"],
        ["run", "user-stats", "--help"],
    ],
    ids=["table", "csv", "parquet", "queries", "version", "help", "help of a query"],
)
def test_a_standard_output_that_is_full_is_an_error(args: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full, start(*args, folder=tmp_path, stdout=full) as process:  # noqa: PTH123
        assert process.stderr
        error = process.stderr.read().decode()
        assert (process.wait(60), error) == (
            3, "ddb: cannot write standard output: No space left on device\n",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("closed", "code", "error"),
    [
        (">&-", 3, "ddb: cannot write standard output: Bad file descriptor\n"),
        ("<&-", 0, ""),
        (">/dev/null 2>&- <&-", 0, ""),
    ],
)
def test_closed_streams_are_no_reason_for_a_traceback(
    closed: str, code: int, error: str, tmp_path: Path
) -> None:
    command = [installed.ddb(), "sql", "select 1 as a", "--format", "csv"]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (code, error)
    assert done.stdout == (b"a\n1\n" if code == 0 and closed[0] != ">" else b"")


def test_a_stream_that_breaks_on_the_way_ends_in_an_error_not_in_silence(
    ddb: Callable[..., Ran],
) -> None:
    sql = "select 5 // (i - 400_000) as x from range(500_000) as t(i)"
    for form in ("csv", "arrow"):
        ran = ddb("sql", sql, "--format", form)
        assert ran.code == 1
        assert ran.err.startswith("ddb: Invalid Input Error: Division by zero in expression")
        assert "Traceback" not in ran.err


@pytest.mark.slow
def test_ctrl_c_in_a_table_query_is_answered_at_once_and_ends_with_130(tmp_path: Path) -> None:
    with start("sql", f"select 1 as a; {ENDLESS}", folder=tmp_path) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(len("┌".encode()))
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.stderr.read() == STOPPED
        assert process.wait(60) == 130
        assert time.monotonic() - started < 10


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_ctrl_c_in_an_export_leaves_the_old_file_and_no_other(ending: str, tmp_path: Path) -> None:
    target = tmp_path / f"x.{ending}"
    target.write_text("old")
    with start("sql", STREAM, "-o", target.name, "--force", folder=tmp_path) as process:
        assert process.stderr
        wait_until_it_writes(process, tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == STOPPED
        assert process.wait(60) == 130
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"home", target.name}


@pytest.mark.slow
def test_a_kill_in_an_export_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    target.write_text("old")
    with start("sql", STREAM, "-o", target.name, "--force", folder=tmp_path) as process:
        wait_until_it_writes(process, tmp_path)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    assert target.read_text() == "old"


def test_ctrl_c_while_ddb_waits_for_sql_is_answered_at_once_and_ends_with_130(
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "ask.sql"
    os.mkfifo(pipe)
    with start("sql", "-f", pipe.name, folder=tmp_path) as process, pipe.open("wb"):
        assert process.stderr
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == STOPPED
        assert process.wait(60) == 130


# Writes a file, and does not let itself be stopped; stands for a library's call that takes long.
DEAF = """
import signal, time
from pathlib import Path
from ddb_query.shell.ctrl_c import watched
from ddb_query.console.stderr import Diagnostics
from ddb_query.util.atomic_files import writing

with watched(Diagnostics()), writing(Path("half.csv")) as sink:
    sink.write(b"half")
    signal.signal(signal.SIGINT, lambda *_: None)
    print("begun", flush=True)
    time.sleep(60)
"""


def test_a_second_ctrl_c_ends_the_program_at_once_with_nothing_half_written(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [installed.python(), "-c", DEAF],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "stopping…\n".encode()
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"ddb: interrupted\n"
        assert process.wait(30) == 130
    assert not (tmp_path / "half.csv").exists()


# Runs `ddb`, and presses Ctrl-C at its N-th call of a function; says how many there were.
AT_A_CALL = """
import os, signal, sys
from ddb_query.__main__ import main

at, calls = int(sys.argv.pop(1)), 0

def count(*_):
    global calls
    calls += 1
    if calls == at:
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGINT)

sys.argv[0] = "ddb"
sys.setprofile(count)
code = main()
sys.setprofile(None)
print(calls)
sys.exit(code)
"""


def pressed_at(call: int) -> subprocess.CompletedProcess[str]:
    """How `ddb` ends where Ctrl-C comes at a call; 0 for none."""
    query = ["--format", "csv", "sql", "select count(*) as n from images"]
    return subprocess.run(
        [installed.python(), "-c", AT_A_CALL, str(call), *query],
        capture_output=True, check=False, timeout=60, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_ctrl_c_at_any_step_ends_with_130_and_one_line() -> None:
    whole = pressed_at(0)
    assert (whole.returncode, whole.stderr, whole.stdout[:7]) == (0, "", "n\n3000\n")
    calls = int(whole.stdout.split()[-1])
    # The first calls are those that make Ctrl-C an error; not every run makes as many.
    for call in random.sample(range(100, calls * 9 // 10), 20):
        done = pressed_at(call)
        said = done.stderr.removeprefix("stopping…\n")
        assert (done.returncode, said) == (130, "ddb: interrupted\n"), call


# Presses Ctrl-C itself, as DuckDB and Python tell it at times.
WRAPPED = """
import os, signal, sys
from ddb_query.console.stderr import Diagnostics
from ddb_query.shell.ctrl_c import watched

try:
    with watched(Diagnostics()):
        signal.signal(signal.SIGINT, lambda *_: None)
        if sys.argv[1] == "pressed":
            os.kill(os.getpid(), signal.SIGINT)
            raise RuntimeError("Query interrupted")
        if sys.argv[1] == "wrapped":
            raise RuntimeError("a class could not be made") from KeyboardInterrupt()
        raise RuntimeError("a fault")
except BaseException as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("how", "raised"),
    [
        ("pressed", "KeyboardInterrupt"),
        ("wrapped", "KeyboardInterrupt"),
        ("not at all", "RuntimeError"),
    ],
)
def test_an_error_that_tells_of_ctrl_c_is_no_fault(how: str, raised: str) -> None:
    done = subprocess.run(
        [installed.python(), "-c", WRAPPED, how], capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode() == f"{raised}\n"


@dataclass(frozen=True)
class Seen:
    """What a terminal shows of a run of ddb, and how it ended."""

    text: str
    code: int


def on_a_terminal(*args: str, command: Sequence[str] = ()) -> Seen:
    """Run ddb with a terminal of 80 columns for all three streams."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    program = [*(command or [installed.ddb()]), *args]
    process = subprocess.Popen(
        program,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):
        # At the end Linux raises EIO, others give nothing.
        while piece := screen.read(65536):
            shown += piece
    return Seen(shown.decode().replace("\r\n", "\n"), process.wait(60))


def test_a_table_is_as_wide_as_the_terminal() -> None:
    seen = on_a_terminal("sql", "select repeat('x', 500) as a, 7 as b")
    assert seen.code == 0
    assert [len(line) for line in seen.text.splitlines()] == [80] * 5
    assert seen.text.splitlines()[3].endswith("x… │ 7 │")


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_binary_format_is_not_for_a_terminal(form: str) -> None:
    seen = on_a_terminal("sql", "select 1 as a", "--format", form)
    assert (seen.code, seen.text) == (
        2, f"ddb: {form} is not for a terminal\nhint: -o FILE.{form}, or redirect it\n",
    )  # fmt: skip


@pytest.mark.slow
def test_progress_shows_on_a_terminal_after_two_seconds_and_is_gone_before_the_table() -> None:
    seen = on_a_terminal("sql", "select 1 as a; select count(sleep_ms(1)) as n from range(2500)")
    bar, table = seen.text.split("┌", 2)[1:]
    assert seen.code == 0
    assert "query" in bar
    assert bar.endswith("\r\x1b[2K\x1b[?25h\r")
    assert table.endswith("│ 0 │\n└───┘\n")
    assert "query" not in table


# Two steps of 1.3 s, of which neither tells how far it is.
STEPS = """
import time
from ddb_query.console.stderr import Diagnostics
from ddb_query.util.progress import step

told = Diagnostics()
for name in ("first", "second"):
    with step(told, f"step {name}"):
        time.sleep(1.3)
print("done", flush=True)
"""


@pytest.mark.slow
def test_steps_that_take_long_together_are_shown_and_are_gone_afterwards() -> None:
    seen = on_a_terminal(command=[installed.python(), "-c", STEPS])
    assert "step second" in seen.text
    assert "step first" not in seen.text
    assert seen.text.endswith("\x1b[2K\x1b[?25h\rdone\n")


@pytest.mark.slow
def test_progress_does_not_draw_over_rows_that_scroll_by() -> None:
    sql = "select count(sleep_ms(1)) as n from range(2500)"
    seen = on_a_terminal("--dataset", "2m", "sql", sql, "--format", "csv")
    assert (seen.code, seen.text) == (0, "n\n0\n")
