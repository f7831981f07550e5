"""User names, whole or by their first digits, wherever one is taken; and a user's profile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from query_truth import published, write
from test_streams import on_a_terminal

import ddb_query
from ddb_query.datasets.manifest import KEY
from ddb_query.errors import AmbiguousUserError, UnknownUserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

ONE = "d7e8b6dc" + "0" * 56
OTHER = "d7e8b6dc" + "1" * 56
THIRD = "abcdef01" + "2" * 56
IMAGES = {ONE: 3, OTHER: 2, THIRD: 4, "deleted-account": 1, "deleted_account": 1, "alice": 1}
SIZES = 30


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows: list[dict[str, object]] = [
        {"user_name": user, "prompt": f"castle, term {n}", "width": 512}
        for user, count in IMAGES.items()
        for n in range(count)
    ]
    # A user of many sizes and many terms.
    rows += [
        {"user_name": "b" * 64, "width": 512 + n, "prompt": f"term {n}, x"} for n in range(SIZES)
    ]
    return write(published(*rows), tmp_path_factory.mktemp("users"))


@pytest.fixture
def corpus(data: Path) -> Iterator[Corpus]:
    with ddb_query.open("2m", data_dir=data) as opened:
        yield opened


def images_of(rows: list[Any]) -> int:
    return int(rows[0][2])


@pytest.mark.parametrize(
    ("given", "user", "images"),
    [
        (THIRD, THIRD, 4), ("abcdef01", THIRD, 4), ("ABCDEF01", THIRD, 4), (THIRD[:40], THIRD, 4),
        (ONE[:9], ONE, 3), (OTHER[:9], OTHER, 2), ("alice", "alice", 1),
        ("deleted-account", "deleted_account", 2), ("deleted_account", "deleted_account", 2),
    ],
)  # fmt: skip
def test_the_first_digits_of_a_name_stand_for_it_everywhere(
    given: str, user: str, images: int, corpus: Corpus
) -> None:
    assert images_of(corpus.run("user-profile", user=given).rows()) == images
    chosen = corpus.select(user=given)
    assert chosen.criteria.user == (user,)
    assert chosen.count() == images
    assert chosen.report(sections=["overview"]).manifest["selection"] == {"user": [user]}
    assert user in chosen.sql
    assert corpus.select(user=[given, "b" * 8]).count() == images + SIZES


@pytest.mark.parametrize("given", ["d7e8b6dc", "D7E8B6DC0"[:8]])
def test_digits_with_which_several_names_begin_are_an_error_that_lists_them(
    given: str, corpus: Corpus
) -> None:
    for ask in (lambda: corpus.run("user-profile", user=given), lambda: corpus.select(user=given)):
        with pytest.raises(AmbiguousUserError) as raised:
            ask()
        assert raised.value.names == (ONE, OTHER)
        assert ONE in raised.value.message
        assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("given", "close"),
    [
        ("abcdef02", (THIRD,)), (THIRD[:-1] + "3", (THIRD,)), ("alise", ("alice",)),
        # Fewer digits than eight stand for nobody; nor do words and SQL.
        ("abcdef0", (THIRD,)), ("99999999", ()), ("x' or '1'='1", ()), ("", ()), ("%", ()),
        ("_bcdef01", (THIRD,)),
    ],
)  # fmt: skip
def test_a_name_that_nobody_has_is_an_error_that_names_close_ones(
    given: str, close: tuple[str, ...], corpus: Corpus
) -> None:
    for ask in (lambda: corpus.run("user-profile", user=given), lambda: corpus.select(user=given)):
        with pytest.raises(UnknownUserError) as raised:
            ask()
        assert raised.value.close == close
        assert "`ddb run user-stats`" in (raised.value.hint or "")


def test_every_command_that_takes_a_user_takes_digits_and_refuses_nobody(
    ddb: Callable[..., Ran], data: Path, tmp_path: Path
) -> None:
    commands = (
        ["run", "user-profile", "--format", "csv"], ["export", "--print", "count"],
        ["search", "castle", "--count"], ["report", "--section", "cost"], ["fetch", "--plan"],
        ["report", "--section", "cost", "--vs", "--user abcdef01"],
    )  # fmt: skip
    for command in commands:
        good = ddb("--data-dir", data, *command, "--user", "abcdef01")
        assert good.code == 0, good.err
        bad = ddb("--data-dir", data, *command, "--user", "99999999")
        assert (bad.code, bad.out) == (2, b""), (command, bad)
        assert "no user named 99999999" in bad.err
        assert "hint:" in bad.err
    bad = ddb("--data-dir", data, "search", "castle", "--count", "--user", "d7e8b6dc")
    assert (bad.code, bad.out, "several users" in bad.err) == (2, b"", True)
    assert b"4" in ddb("--data-dir", data, "export", "--print", "count", "--user", "abcdef01").out
    bad = ddb("--data-dir", data, "report", "--vs", "--user 99999999")
    assert (bad.code, "no user named 99999999" in bad.err) == (2, True)


def test_the_shell_takes_digits_too(ddb: Callable[..., Ran], data: Path) -> None:
    script = b".mode csv\n.run user-profile user=abcdef01\n"
    ran = ddb("--data-dir", data, stdin=script)
    assert (ran.code, ran.text.splitlines()[1].split(",")[2]) == (0, "4")
    bad = ddb("--data-dir", data, stdin=b".run user-profile user=99999999\n")
    assert (bad.code, "no user named 99999999" in bad.err) == (2, True)


def test_manifests_have_the_whole_name(corpus: Corpus, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    made = corpus.select(user="abcdef01").export(tmp_path / "s.parquet")
    assert made.manifest.selection == {"user": [THIRD]}
    made = corpus.export(
        tmp_path / "q.parquet", query="user-profile", params={"user": "abcdef01"}, limit=2
    )
    assert made.manifest.parameters == {"user": THIRD}
    footer = pq.read_metadata(tmp_path / "q.parquet").metadata
    assert json.loads(footer[KEY.encode()])["parameters"] == {"user": THIRD}


def test_a_query_of_ones_own_has_users_too(
    ddb: Callable[..., Ran], data: Path, tmp_path: Path
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/seen.sql").write_text(
        "-- name: seen\n-- description: Days of one.\n-- param: who user\n-- help: Who.\n"
        "select count(*) as images from images where user_name = $who\n"
    )
    ask = ("--data-dir", data, "--sql-dir", "sql", "run", "seen", "--format", "csv", "--who")
    assert ddb(*ask, "abcdef01").text == "images\n4\n"
    assert ddb(*ask, "nobody").code == 2


# --- the profile ---


def sections(rows: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for section, *_ in rows:
        found[section] = found.get(section, 0) + 1
    return found


WHOLE = {"summary": 2, "sampler": 1, "size": SIZES, "term": SIZES + 1}


def test_each_section_of_a_profile_is_limited_by_itself(corpus: Corpus) -> None:
    assert sections(corpus.run("user-profile", user="b" * 64).rows()) == WHOLE
    assert sections(corpus.run("user-profile", user="b" * 64, limit=0).rows()) == WHOLE
    few = corpus.run("user-profile", user="b" * 64, limit=3).rows()
    assert sections(few) == {"summary": 2, "sampler": 1, "size": 3, "term": 3}
    terms = [row for row in few if row[0] == "term"]
    assert terms[0] == ("term", "x", SIZES, 1.0)


def test_programs_get_all_rows_and_a_table_says_that_it_is_limited(
    ddb: Callable[..., Ran], data: Path, tmp_path: Path
) -> None:
    ask = ("--data-dir", data, "run", "user-profile", "--user", "b" * 64)
    table = on_a_terminal(*map(str, ask))
    assert table.text.count("│ size ") == 20
    assert "note: at most 20 rows of each section; --limit 0 shows all" in table.text
    for options in (["--format", "csv"], ["-o", "x.csv"], ["--limit", "0"]):
        ran = ddb(*ask, *options)
        text = (tmp_path / "x.csv").read_text() if "-o" in options else ran.text
        assert sum("size" in line for line in text.splitlines()) == SIZES, options
        assert "at most" not in ran.err


def test_a_limited_profile_is_made_again(
    ddb: Callable[..., Ran], data: Path, tmp_path: Path
) -> None:
    ask = ("--data-dir", data, "export", "-o", "p.parquet", "--query", "user-profile")
    made = ddb(*ask, "-p", "user=" + "b" * 8, "--limit", "3")
    assert made.code == 0, made.err
    assert "9 rows" in made.err
    again = ddb("--data-dir", data, "replay", "p.parquet")
    assert again.code == 0, again.err
