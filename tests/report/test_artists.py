"""Who is an artist: the rules, how often they are right, and that all of ddb has them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import installed
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from query_truth import artists_of, lists_of, published, write
from search_truth import called

import ddb_query

if TYPE_CHECKING:
    from ddb_query.api.corpus import Corpus

LABELS = installed.SUPPORT / "artist_labels.tsv"


def opened(folder: Path, prompts: list[str]) -> Corpus:
    rows = [{"prompt": prompt} for prompt in prompts]
    return ddb_query.open("2m", data_dir=write(published(*rows), folder))


def named(corpus: Corpus) -> dict[str, set[str]]:
    """The artists of each prompt, as the view says."""
    found = corpus.sql("select prompt, artists from prompts join prompt_artists using (prompt_id)")
    return {
        prompt: {artist for artist in artists.strip("| ").split(" | ") if artist}
        for prompt, artists in found.rows()
    }


def labelled() -> dict[str, set[str]]:
    """300 prompts and whom each names after `by`, by hand."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["prompt"]: set(filter(None, row["artists"].split(";"))) for row in rows}


def precision_and_recall(
    found: dict[str, set[str]], expected: dict[str, set[str]]
) -> tuple[float, float]:
    """Of the artists that were found, the share that is right; of the right ones, that found."""
    right = sum(len(found[prompt] & names) for prompt, names in expected.items())
    said = sum(len(found[prompt]) for prompt in expected)
    return right / said, right / sum(map(len, expected.values()))


def test_artists_are_told_from_modifiers_in_prompts_labelled_by_hand(
    home: Path, tmp_path: Path
) -> None:
    expected = labelled()
    assert len(expected) == 300
    assert sum(map(bool, expected.values())) > 150
    with opened(tmp_path / "labelled", list(expected)) as corpus:
        found = named(corpus)
    assert {prompt: set(names) for prompt, names in artists_of(expected).items()} == found
    precision, recall = precision_and_recall(found, expected)
    assert precision > 0.78, precision
    assert recall > 0.98, recall


def test_a_modifier_is_what_stands_between_commas_elsewhere(home: Path, tmp_path: Path) -> None:
    prompts = [
        "a cat by wlop, 8k, ross tran", "a hut, 8k", "by ross tran", "a dog by artgerm, unheard of",
        "a cup by ink, new words", "ink, paper",
    ]  # fmt: skip
    with opened(tmp_path / "some", prompts) as corpus:
        assert named(corpus) == {
            prompts[0]: {"wlop", "ross tran"},
            prompts[1]: set(),
            prompts[2]: {"ross tran"},
            prompts[3]: {"artgerm", "unheard of"},
            prompts[4]: {"ink", "new words"},
            prompts[5]: set(),
        }


PIECES = [
    "by", "BY", "in the style of", "and", "&", ",", ";", "/", "|", "(", ")", '"', ".", "!", "wlop",
    "h.", "r.", "giger", "dr.", "black", "white", "8", "k", " \u00e9", "\uff42\uff59", "\uff0c",
    "\u6771\u4eac", "\n", "a", "the", "\u2122", "x-y", "_", "by:", " ", " ",
]  # fmt: skip


PROMPTS_OF_PIECES = st.lists(
    st.sampled_from([*PIECES, *(f"{piece} " for piece in PIECES)]), max_size=16
).map("".join)


@settings(
    deadline=None,
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(PROMPTS_OF_PIECES, min_size=20, max_size=60))
def test_lists_are_cut_by_the_rules_whatever_stands_in_them(prompts: list[str]) -> None:
    for prompt, found in zip(prompts, called("prompt_lists", prompts), strict=True):
        lists = [[one for one in text.split("|") if one] for text in found.split("|>")[1:]]
        assert [one for one in lists if one] == [[*one] for one in lists_of(prompt) if one], prompt


@pytest.mark.parametrize(
    ("prompt", "artists"),
    [
        ("a hut by the sea, by turner", {"turner"}),
        ("a hut by a lake", set()),
        ("a hut by a. j. casson", {"a j casson"}),
        ("a girl by her stove", set()),
        ("by f, by 35, by 草間彌生", {"草 間 彌 生"}),
        ("a cat by wlop, art by ross tran", {"wlop", "ross tran"}),
        ("by wlop, 8k, words that follow it", {"wlop"}),
    ],
)
def test_what_is_no_name_is_no_artist(
    prompt: str, artists: set[str], home: Path, tmp_path: Path
) -> None:
    with opened(tmp_path / "one", [prompt, "8k, a hut, 8k", "a hut, 8k"]) as corpus:
        assert named(corpus)[prompt] == artists


def test_a_member_of_many_lists_that_never_follows_by_is_no_artist(
    home: Path, tmp_path: Path
) -> None:
    for times, artists in ((9, {"wlop", "octopath"}), (10, {"wlop"})):
        prompts = [f"{number} by wlop, octopath" for number in range(times)]
        with opened(tmp_path / str(times), prompts) as corpus:
            assert named(corpus)[prompts[0]] == artists


SEARCHES = ("by:wlop", "by:8k", "by:*", "-by:* a*", 'by:"ross tr*"', "by:wlap~", "by:k*")
PROMPTS = [
    "a cat by wlop, 8k, ross tran", "a hut, 8k", "a by ross tran", "a dog by wlop",
    "a cup by the sea", "a hat", "a knife, kitchen",
]  # fmt: skip
FOUND = {
    "by:wlop": {0, 3},
    "by:8k": set(),
    "by:*": {0, 2, 3},
    "-by:* a*": {1, 4, 5, 6},
    'by:"ross tr*"': {0, 2},
    "by:wlap~": {0, 3},
    "by:k*": set(),
}


@pytest.mark.parametrize("search", FOUND)
@pytest.mark.parametrize("way", ["index", "scan", "filter", "plain SQL"])
def test_searches_have_the_same_artists(
    way: str, search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    if way == "scan":
        monkeypatch.setenv("DDB_NO_BUILD", "1")
    with opened(tmp_path / "some", PROMPTS) as corpus:
        if way in ("index", "scan"):
            found = {row[-1] for row in corpus.search(search, limit=None).rows()}
        elif way == "filter":
            found = {row[1] for row in corpus.select(match=search).result().rows()}
        else:
            monkeypatch.chdir(tmp_path / "some")
            sql = corpus.select(match=search).sql
            with duckdb.connect() as plain:
                found = {row[1] for row in plain.sql(sql).fetchall()}
    assert found == {PROMPTS[place] for place in FOUND[search]}


def test_the_canned_query_counts_prompts_images_and_users(home: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "by wlop", "user_name": "a" * 64},
        {"prompt": "by wlop", "user_name": "b" * 64},
        {"prompt": "cat by wlop and artgerm", "user_name": None},
    ]
    with ddb_query.open("2m", data_dir=write(published(*rows), tmp_path / "few")) as corpus:
        assert corpus.run("artists").rows() == [("wlop", 2, 3, 2, 1.0), ("artgerm", 1, 1, 0, 0.5)]
        assert corpus.run("artists", min_prompts=2).rows() == [("wlop", 2, 3, 2, 1.0)]


def test_modifiers_name_no_artist(home: Path, tmp_path: Path) -> None:
    prompts = ["a cat, oil, by wlop, ross tran", "a hut, by wlop, 8k", "8k, oil", "by ross tran"]
    with opened(tmp_path / "some", prompts) as corpus:
        found = Counter({row[0]: row[1] for row in corpus.run("modifiers").rows()})
    assert found == {"oil": 2, "8k": 1}


def main() -> int:
    """Print precision and recall over the labelled prompts beside those of real tables."""
    import argparse
    import sys
    import tempfile

    import polars as pl

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="metadata tables")
    options = parser.parse_args()
    expected = labelled()
    beside: set[str] = set()
    for table in options.beside:
        beside.update(pl.read_parquet(table, columns=["prompt"])["prompt"].drop_nulls())
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), [*expected, *sorted(beside)]) as corpus,
    ):
        found = named(corpus)
    precision, recall = precision_and_recall(found, expected)
    sys.stdout.write(f"beside {len(beside):,} prompts: precision {precision:.3f}, ")
    sys.stdout.write(f"recall {recall:.3f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
