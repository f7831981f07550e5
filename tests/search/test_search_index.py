"""The index, the SQL condition and a plain scan find the same prompts, in one order."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_truth import connection, lists, matches, normalise

from ddb_query.errors import DamagedIndexError, OutputError
from ddb_query.search.ast import Node, Phrase, Prefix, Word
from ddb_query.search.index import Index, build
from ddb_query.search.parser import parse
from ddb_query.search.to_sql import predicate

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

Row = tuple[int, int, str, str]

VOCABULARY = """
    cat cats cast castle castles castel coast a i by greg rutkowski rutkowsky wlop by greg by
    and in the style of matte painting paint 8 k 8k 3 d 2 0 7 7 2077 1.2 35mm sci-fi
    Café cafés naïve 東京 東京タワー 東 яблоко яблоки блоки ёлка Ωmega 🎨 , . ! & | (art)
"""
WORDS = VOCABULARY.split()
PROMPTS = 400


@functools.cache
def rows() -> list[Row]:
    """Made prompts, as the store gives them to the index."""
    chance = random.Random(3)
    prompts = sorted(
        {" ".join(chance.choices(WORDS, k=chance.randint(0, 9))) for _ in range(PROMPTS)}
    )
    texts, artists = normalise(prompts), lists(prompts)
    made = [
        (number * 7919 % 100_003, chance.randint(1, 4), text, names)
        for number, (text, names) in enumerate(zip(texts, artists, strict=True))
    ]
    return sorted(made, key=lambda row: (-row[1], row[0]))


@functools.cache
def index() -> Index:
    return build(None, rows())


@functools.cache
def table() -> duckdb.DuckDBPyConnection:
    connection().execute("create table prompts (prompt_id bigint, text varchar, artists varchar)")
    connection().executemany(
        "insert into prompts values ($1, $2, $3)", [(row[0], row[2], row[3]) for row in rows()]
    )
    return connection()


def by_scan(tree: Node) -> set[int]:
    return {row[0] for row in rows() if matches(tree, row[2], row[3])}


def by_sql(tree: Node) -> set[int]:
    condition, values = predicate(tree)
    found = table().cursor().execute(f"select prompt_id from prompts where {condition}", values)
    return {prompt_id for (prompt_id,) in found.fetchall()}


plain = st.sampled_from([word for word in WORDS if word[0].isalnum()])
phrases = st.lists(plain, min_size=1, max_size=3).map(" ".join)
names = st.one_of(
    plain,
    plain.map(lambda word: f"{word[:3]}*"),
    plain.map(lambda word: f"{word}~"),
    phrases.map(lambda words: f'"{words}"'),
    phrases.map(lambda words: f'"{words[: max(len(words) - 1, 1)]}*"'),
)
leaves = st.one_of(names, names, names.map(lambda name: f"by:{name}"), st.just("by:*"))
searches = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(" OR ".join),
        inner.map(lambda part: f"-({part})"),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=250)
@given(searches)
def test_index_sql_and_scan_find_the_same_prompts(search: str) -> None:
    tree = parse(search, normalise)
    expected = by_scan(tree)
    assert by_sql(tree) == expected
    hits = index().all(tree)
    assert set(hits.prompt_ids) == expected
    assert len(hits.prompt_ids) == len(hits.scores) == index().count(tree) == len(expected)


@pytest.mark.parametrize(
    ("search", "at_least"),
    [
        ("castle", 10),
        ("cast*", 20),
        ("castel~", 20),
        ("ёлки~", 10),
        ('"by greg"', 1),
        ('"8 k"', 10),
        ('"8k 3 d"', 0),
        ("東京", 20),
        ('"東 京 タ*"', 10),
        ("by:greg", 5),
        ("by:*", 30),
        ("castle -wlop", 5),
        ("castle OR wlop", 20),
        ("-castle", 100),
    ],
)
def test_the_made_prompts_have_something_to_find(search: str, at_least: int) -> None:
    assert index().count(parse(search, normalise)) >= at_least


def expected_order(tree: Node) -> list[int]:
    """By the score that the index gives, then images, then prompt_id."""
    images = {row[0]: row[1] for row in rows()}
    hits = index().all(tree)
    scored = zip(hits.prompt_ids, hits.scores, strict=True)
    return [
        found for found, _ in sorted(scored, key=lambda hit: (-hit[1], -images[hit[0]], hit[0]))
    ]


@pytest.mark.parametrize(
    "search", ["cat", "cas*", "cat OR wlop OR greg", "cat wlop", "by:*", "-cat"]
)
@pytest.mark.parametrize("limit", [1, 5, 20, 1_000])
def test_equal_scores_come_by_images_then_prompt_id(search: str, limit: int) -> None:
    tree = parse(search, normalise)
    assert list(index().search(tree, limit).prompt_ids) == expected_order(tree)[:limit]


def test_a_rarer_word_a_second_one_and_a_shorter_prompt_rank_higher() -> None:
    texts = ["cat on a hill", "cat", "cat cat on a", "dog on a hill", "cat dog on a", "on a hill"]
    made = build(None, [(number, 1, text, "") for number, text in enumerate(texts)])
    assert list(made.search(Word("cat"), 3).prompt_ids) == [1, 2, 0]
    assert list(made.search(parse("cat OR dog", normalise), 1).prompt_ids) == [4]


def many_rows(count: int) -> list[Row]:
    """Prompts of which thousands have the same score, too many for a small heap."""
    chance = random.Random(5)
    words = [f"w{number}" for number in range(2_000)]
    return [
        (number, count - number // 10, f"tie {' '.join(chance.choices(words, k=12))}", "")
        for number in range(count)
    ]


def test_an_index_of_several_segments_gives_the_same_order() -> None:
    made = many_rows(60_000)
    large, small = build(None, made), build(None, made, heap_bytes=1)
    assert large._searcher.num_segments == 1
    assert small._searcher.num_segments > 1
    for tree in (Word("tie"), Prefix("w1"), Word("w7"), Phrase(("tie", "w1"), prefix=True)):
        assert small.count(tree) == large.count(tree)
        for limit in (20, 500):
            found, expected = small.search(tree, limit), large.search(tree, limit)
            assert list(found.prompt_ids) == list(expected.prompt_ids)
            assert list(found.scores) == pytest.approx(list(expected.scores))


def test_the_last_word_of_a_phrase_may_stand_for_more_words_than_tantivy_takes() -> None:
    made = [(number, 1, f"a w{number}", "") for number in range(17_000)]
    assert build(None, made).count(Phrase(("a", "w"), prefix=True)) == len(made)


def test_like_finds_prompts_with_the_same_words_the_same_one_first() -> None:
    texts = ["castle on a hill", "castle in the sea", "a hill", "dog"]
    made = build(None, [(number, 1, text, "") for number, text in enumerate(texts)])
    assert list(made.like("castle on a hill", 10).prompt_ids) == [0, 2, 1]
    assert list(made.like("dog", 10).prompt_ids) == [3]
    assert not made.like("", 10).prompt_ids
    assert not made.like("missing", 10).prompt_ids


def test_an_index_without_prompts_answers() -> None:
    empty = build(None, [])
    assert len(empty) == 0
    for search in ("cat", "-cat", "by:*", '"a b*"'):
        tree = parse(search, normalise)
        assert empty.count(tree) == 0
        assert not empty.search(tree, 5).prompt_ids
        assert not empty.all(tree).prompt_ids


def test_a_limit_of_none_or_fewer_gives_nothing() -> None:
    assert not index().search(Word("cat"), 0).prompt_ids
    assert not index().search(Word("cat"), -1).prompt_ids


def test_an_index_in_a_folder_is_found_again_and_tells_its_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    build(
        tmp_path,
        rows(),
        total=len(rows()),
        progress=lambda done, total, unit, _: told.append((done, total, unit)),
    )
    opened = Index.open(tmp_path)
    tree = parse("cat OR by:greg", normalise)
    assert opened.all(tree) == index().all(tree)
    assert len(opened) == len(rows())
    assert told[0] == (0, len(rows()), "prompts")
    assert told[-1] == (len(rows()), len(rows()), "prompts")


def test_rows_out_of_order_are_refused() -> None:
    for wrong in ([(1, 1, "a", ""), (2, 2, "b", "")], [(2, 1, "a", ""), (1, 1, "b", "")]):
        with pytest.raises(ValueError, match="images descending"):
            build(None, wrong)


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        build(tmp_path / "missing", rows())


def test_a_damaged_index_is_named_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    folder.mkdir()
    build(folder, rows())
    for path in sorted(folder.glob("[!.]*")):
        whole = path.read_bytes()
        for damaged in (None, b"", whole[: len(whole) // 2]):
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            if damaged != whole:
                with pytest.raises(DamagedIndexError) as caught:
                    Index.open(folder)
                assert caught.value.hint
                assert str(folder) in caught.value.message
            path.write_bytes(whole)
    assert Index.open(folder).count(Word("cat"))


def test_an_index_of_another_form_or_none_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedIndexError):
        Index.open(tmp_path)
    with pytest.raises(DamagedIndexError):
        Index.open(tmp_path / "missing")
    (tmp_path / "files.json").write_text('{"form": 0, "files": {}}')
    with pytest.raises(DamagedIndexError, match="form 0"):
        Index.open(tmp_path)
    (tmp_path / "files.json").write_text('{"form": 1, "files": {}}')
    with pytest.raises(DamagedIndexError):
        Index.open(tmp_path)


@pytest.mark.parametrize(
    ("prompt", "artists"),
    [
        ("a castle", ""),
        ("art by Greg Rutkowski", "| greg rutkowski |"),
        ("by wlop, james jean and artgerm & moebius", "| wlop | james jean | artgerm | moebius |"),
        ("by h. r. giger. a cat", "| h r giger |"),
        ("by H.R. Giger, j. c. leyendecker", "| h r giger | j c leyendecker |"),
        ("by wlop! by giger? no", "| wlop | giger |"),
        ("by wlop\na cat, a dog", "| wlop |"),
        ("in the style of café (artgerm)", "| cafe | artgerm |"),
        ("BY wlop / ross", "| wlop | ross |"),
        ("by studio 4 ° c, 8 k", "| studio 4 c | 8k |"),
        ("by 村上", "| 村 上 |"),
        ("\uff42\uff59 \uff57\uff4c\uff4f\uff50\uff0cross", "| wlop | ross |"),
        ("by wlop, art by ross and drawn by loish", "| wlop | ross | loish |"),
        ("by wlop by ross", "| wlop | ross |"),
        ('by "wlop" and (ross)', "| wlop | ross |"),
        ("by wlop, black and white, oil", "| wlop | black and white | oil |"),
        ("baby bystander", ""),
        ("stand by", ""),
        ("by, and by.", ""),
        ("", ""),
    ],
)
def test_the_members_of_lists(prompt: str, artists: str) -> None:
    assert lists([prompt]) == [artists]


def test_a_name_is_looked_for_in_one_member_of_the_list() -> None:
    prompts = ["by greg and rutkowski", "by greg rutkowski, wlop", "greg rutkowski by wlop"]
    artists = lists(prompts)
    made = build(None, [(n, 1, "x", names) for n, names in enumerate(artists)])
    assert list(made.all(parse('by:"greg rutkowski"', normalise)).prompt_ids) == [1]
    assert set(made.all(parse("by:wlop", normalise)).prompt_ids) == {1, 2}
