"""Reports: their numbers, their faces, two side by side, and the command."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import write_table
from query_truth import published, write
from report_truth import assert_true, tables

import ddb_query
from ddb_query.errors import OutputError, UsageError
from ddb_query.report.formatting import difference, spelled
from ddb_query.report.log_odds import log_odds
from ddb_query.report.render.terminal import sparkline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

SECTIONS = (
    "overview", "quality", "prompts", "terms", "settings", "users", "time", "nsfw", "cost"
)  # fmt: skip


def reported(folder: Path, *rows: Mapping[str, object], **asked: Any) -> dict[str, Any]:
    with ddb_query.open("2m", data_dir=write(published(*rows), folder)) as corpus:
        return tables(corpus.select().report(**asked))


def facts(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return dict(rows)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_table(folder / "metadata.parquet", rows=1500, seed=3)
    return folder


@pytest.fixture
def corpus(small: Path) -> Any:
    with ddb_query.open("2m", data_dir=small) as opened:
        yield opened


# --- numbers ---


@pytest.mark.parametrize("way", ["not stored", "stored", "as a selection"])
def test_all_numbers_are_those_that_pandas_gives(
    way: str, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    with ddb_query.open("2m", data_dir=small) as opened:
        if way == "stored":
            opened.build()
    with ddb_query.open("2m", data_dir=small) as opened:
        chosen = opened.select(where="true") if way == "as a selection" else opened.select()
        assert_true(chosen.report(), small / "metadata.parquet")


def test_a_report_on_large_counts_the_bytes_of_large(tmp_path: Path) -> None:
    table = write_table(tmp_path / "metadata-large.parquet", rows=300, dataset="large")
    with ddb_query.open("large", data_dir=tmp_path) as opened:
        assert_true(opened.select().report(), table, "large")


def test_numbers_do_not_depend_on_threads(small: Path) -> None:
    found = []
    for threads in (1, 4):
        with ddb_query.open("2m", data_dir=small, threads=threads) as opened:
            found.append(tables(opened.select(where="width > 0").report()))
    assert found[0] == found[1]


def test_a_clause_is_what_stands_between_commas_and_holds_a_word(tmp_path: Path) -> None:
    rows = [{"prompt": prompt} for prompt in ("a castle, 8 k,, ...,8K", "Castle", "", ",")]
    found = reported(tmp_path, *rows, sections=["prompts", "terms"])
    measures = {row[0]: row for row in found["prompts/lengths"]}
    assert measures["clauses"][1:] == (1.0, 0, 0.0, 0.0, 0.5, 1.5, 2.7, 3)
    assert [row[1:3] for row in found["terms/top-terms"]] == [
        ("8k", 1), ("a castle", 1), ("castle", 1)
    ]  # fmt: skip


def test_a_word_is_a_run_of_letters_and_digits_and_split_digits_are_one(tmp_path: Path) -> None:
    found = reported(tmp_path, {"prompt": "cyberpunk 2 0 7 7, 8 k -- art!"}, sections=["prompts"])
    measures = {row[0]: row for row in found["prompts/lengths"]}
    assert measures["words"][1] == 4.0
    assert measures["characters"][1] == 30.0


def test_quantiles_lie_between_neighbours_in_proportion(tmp_path: Path) -> None:
    rows = [{"prompt": "x" * length} for length in (1, 2, 3, 10)]
    found = reported(tmp_path, *rows, sections=["prompts"])
    characters = found["prompts/lengths"][0]
    assert characters == ("characters", 4.0, 1, 1.15, 1.75, 2.5, 4.75, 8.95, 10)


def test_a_modifier_follows_another_clause(tmp_path: Path) -> None:
    rows = [{"prompt": prompt} for prompt in ("castle, 8k", "8k, castle, 8k", "8k")]
    found = reported(tmp_path, *rows, sections=["terms"])
    assert [row[1:] for row in found["terms/modifiers"]] == [
        ("8k", 2, 0.666667, 0.666667), ("castle", 1, 0.333333, 0.5)
    ]  # fmt: skip
    assert found["terms/pairs"] == [(1, "8k", "castle", 2, 0.666667, 1.0)]


def test_artists_are_the_members_of_lists_after_by(tmp_path: Path) -> None:
    prompts = (
        "a castle by Greg Rutkowski and h. r. giger. oil, sharp",
        "a sea, in the style of greg  rutkowski & wlop!",
        "standby, baby",
    )
    found = reported(tmp_path, *({"prompt": one} for one in prompts), sections=["terms"])
    assert [row[1:3] for row in found["terms/artists"]] == [
        ("greg rutkowski", 2), ("h r giger", 1), ("wlop", 1)
    ]  # fmt: skip


def test_artists_are_those_of_the_canned_query(corpus: Corpus) -> None:
    found = tables(corpus.select().report(sections=["terms"]))["terms/artists"]
    assert [row[1:3] for row in found] == [
        row[:2] for row in corpus.run("artists", limit=25).rows()
    ]


@pytest.mark.parametrize("stored", [False, True])
def test_who_is_an_artist_is_decided_by_all_prompts_whatever_is_selected(
    stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = ["a cat by wlop, 8k", "a dog by artgerm, 8k, ross tran", "a hut, 8k", "by ross tran"]
    rows = [{"prompt": prompt} for prompt in prompts]
    if stored:
        monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    with ddb_query.open("2m", data_dir=write(published(*rows), tmp_path)) as corpus:
        if stored:
            assert corpus.build()
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        some = corpus.select(where="prompt like '%cat%' or prompt like '%dog%'")
        found = tables(some.report(sections=["terms"]))
    assert [row[1:3] for row in found["terms/artists"]] == [
        ("artgerm", 1), ("ross tran", 1), ("wlop", 1)
    ]  # fmt: skip
    assert [row[1] for row in found["terms/modifiers"]] == ["8k"]


@pytest.mark.parametrize(
    ("images", "gini", "half"), [([5, 5, 5, 5], 0.0, 2), ([1, 1, 1, 97], 0.72, 1), ([3], 0.0, 1)]
)
def test_gini_is_0_for_equal_users_and_rises_with_one_who_makes_all(
    images: list[int], gini: float, half: int, tmp_path: Path
) -> None:
    rows: list[dict[str, object]] = [
        {"user_name": f"{name}" * 64} for name, n in enumerate(images) for _ in range(n)
    ]
    rows += [{"user_name": "deleted-account"}, {"user_name": None}]
    found = reported(tmp_path, *rows, sections=["users"])
    concentration = facts(found["users/concentration"])
    assert concentration["gini"] == gini
    assert concentration["half_by_users"] == half
    assert concentration["users"] == len(images)
    assert found["users/lorenz"][0] == (0.0, 0.0)
    assert found["users/lorenz"][-1] == (1.0, 1.0)


def test_a_blurred_image_is_in_no_mean_and_passes_no_threshold(tmp_path: Path) -> None:
    rows = [{"image_nsfw": score, "prompt_nsfw": 0.1} for score in (2.0, 0.2, 0.4)]
    found = reported(tmp_path, *rows, sections=["nsfw"])
    summary = facts(found["nsfw/summary"])
    assert (summary["blurred"], summary["mean_image_score"]) == (1, 0.3)
    kept = {row[0]: row[1:] for row in found["nsfw/retention"]}
    assert kept[0.15] == (0.0, 1.0, 0.0)
    assert kept[0.2] == (0.333333, 1.0, 0.333333)
    assert kept[1.0] == (0.666667, 1.0, 0.666667)


def test_means_leave_out_what_is_no_number(tmp_path: Path) -> None:
    values = (7.0, 9.0, math.nan, math.inf, -1e12)
    found = reported(tmp_path, *({"cfg": cfg} for cfg in values), sections=["settings", "quality"])
    assert found["settings/samplers"][0][3] == 8.0
    checks = {row[0]: row[1] for row in found["quality/values"]}
    assert checks["cfg not a number"] == checks["cfg infinite"] == checks["cfg negative"] == 1


@pytest.mark.parametrize("stored", [False, True])
def test_a_report_on_a_selection_is_that_of_a_table_of_its_rows(
    stored: bool, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    if stored:
        with ddb_query.open("2m", data_dir=small) as opened:
            opened.build()
    with ddb_query.open("2m", data_dir=small) as opened:
        chosen = opened.select(where="width > 512", sampler="k_lms", one_per="prompt")
        names = chosen.arrow().column("image_name")
        whole = pq.read_table(small / "metadata.parquet")
        only = whole.filter(pc.is_in(whole.column("image_name"), value_set=names))
        pq.write_table(only, tmp_path / "metadata.parquet")
        assert_true(chosen.report(), tmp_path / "metadata.parquet")


# --- odd selections ---


def test_an_empty_selection_gives_a_report_that_says_so(corpus: Corpus, tmp_path: Path) -> None:
    report = corpus.select(where="false").report()
    assert report.images == 0
    for name in ("x.html", "x.md", "x.json", "x.txt"):
        report.save(tmp_path / name)
    assert "0 images" in (tmp_path / "x.txt").read_text()
    assert "Nothing to show" in (tmp_path / "x.html").read_text()
    assert "nan" not in (tmp_path / "x.txt").read_text().lower()


def test_one_row_gives_a_report(tmp_path: Path) -> None:
    folder = write(published({}), tmp_path)
    with ddb_query.open("2m", data_dir=folder) as opened:
        report = opened.select().report()
        assert_true(report, folder / "metadata.parquet")
        report.save(tmp_path / "x.html")


def test_rows_of_nothing_but_null_give_a_report(tmp_path: Path) -> None:
    nothing = dict.fromkeys(
        ("prompt", "part_id", "seed", "step", "cfg", "sampler", "width", "height", "user_name",
         "timestamp", "image_nsfw", "prompt_nsfw")
    )  # fmt: skip
    folder = write(published(nothing, nothing), tmp_path)
    with ddb_query.open("2m", data_dir=folder) as opened:
        report = opened.select().report()
        for name in ("x.html", "x.md", "x.json", "x.txt"):
            report.save(tmp_path / name)
    found = tables(report)
    assert facts(found["overview/totals"])["prompts"] == 0
    assert facts(found["users/concentration"])["gini"] is None
    assert found["settings/samplers"] == [("unknown (none)", 2, 1.0, None, None)]


# --- two selections ---


def test_two_selections_stand_side_by_side_with_their_difference(corpus: Corpus) -> None:
    wide, narrow = corpus.select(where="width > 512"), corpus.select(where="width <= 512")
    report = wide.report(versus=narrow, sections=["overview", "settings"])
    totals = {row[0]: row[1:] for row in tables(report)["overview/totals"]}
    counts = wide.count(), narrow.count()
    assert totals["images"] == (*counts, counts[0] - counts[1])
    assert totals["first_seen"][2] is None
    one = {row[0]: row for row in tables(wide.report(sections=["settings"]))["settings/samplers"]}
    for name, first, second, less, *_ in tables(report)["settings/samplers"]:
        assert first == (one[name][2] if name in one else 0)
        assert less == round(first - second, 6)


def test_the_rest_is_all_that_is_not_selected(corpus: Corpus) -> None:
    wide = corpus.select(where="width > 512")
    report = wide.report(versus="rest", sections=["overview"])
    rest = corpus.select(where="not width > 512").count()
    assert facts([row[::2] for row in tables(report)["overview/totals"]])["images"] == rest


def test_two_datasets_are_compared(small: Path, corpus: Corpus, tmp_path: Path) -> None:
    write_table(tmp_path / "metadata-large.parquet", rows=300, seed=5, dataset="large")
    with ddb_query.open("large", data_dir=tmp_path) as other:
        report = corpus.select().report(versus=other.select(), sections=["overview", "terms"])
    totals = {row[0]: row[1:] for row in tables(report)["overview/totals"]}
    assert totals["images"] == (1500, 300, 1200)
    telling = {f"terms/telling-{of}-{side}" for of in ("terms", "artists") for side in "ab"}
    assert telling <= tables(report).keys()


def test_log_odds_are_those_of_monroe_et_al() -> None:
    first = pa.table({"name": ["both", "one", "shared"], "prompts": [50, 30, 20]})
    second = pa.table({"name": ["both", "other", "shared"], "prompts": [100, 40, 60]})
    found = {row["name"]: row for row in log_odds(first, second).to_dicts()}
    assert set(found) == {"both", "one", "other", "shared"}
    counts = {"both": (50, 100), "one": (30, 0), "other": (0, 40), "shared": (20, 60)}
    for term, (a, b) in counts.items():
        prior = 500 * (a + b) / 300
        delta = math.log((a + prior) / (100 + 500 - a - prior))
        delta -= math.log((b + prior) / (200 + 500 - b - prior))
        z_score = delta / math.sqrt(1 / (a + prior) + 1 / (b + prior))
        assert found[term]["log_odds"] == pytest.approx(delta, abs=1e-6)
        assert found[term]["z_score"] == pytest.approx(z_score, abs=1e-6)


def test_terms_that_tell_one_selection_from_the_other_come_first(tmp_path: Path) -> None:
    rows = [{"prompt": f"castle {n}, oil", "width": 512} for n in range(40)]
    rows += [{"prompt": f"castle {n}, photo", "width": 640} for n in range(40)]
    with ddb_query.open("2m", data_dir=write(published(*rows), tmp_path)) as opened:
        report = opened.select(where="width = 512").report(versus="rest", sections=["terms"])
    found = tables(report)
    assert found["terms/telling-terms-a"][0][1] == "oil"
    assert found["terms/telling-terms-b"][0][1] == "photo"
    assert found["terms/telling-terms-a"][0][4:] == (40, 0, 1.0, 0.0, 1.0)


def test_a_selection_beside_itself_differs_in_nothing(corpus: Corpus) -> None:
    chosen = corpus.select(where="width > 512")
    found = chosen.report(versus=chosen)
    for section in found.sections:
        for table in section.tables:
            for row in table.records():
                for name, value in row.items():
                    assert not name.startswith("difference") or not value, (table.name, row)


# --- faces ---


def test_users_names_are_shown_on_demand_alone(corpus: Corpus, tmp_path: Path) -> None:
    names = {row[0] for row in corpus.sql("select user_name from users").rows()}
    names -= {"deleted_account", None}
    for users in (False, True):
        for form in ("html", "md", "json", "txt"):
            path = tmp_path / f"x.{form}"
            corpus.select().report(sections=["users"], users=users).save(path, force=True)
            shown = set(re.findall("[0-9a-f]{64}", path.read_text())) & names
            assert bool(shown) == (users and form != "txt") or users, form


def test_all_faces_show_the_same_numbers(corpus: Corpus, tmp_path: Path) -> None:
    report = corpus.select().report()
    for form in ("html", "md", "txt", "json"):
        report.save(tmp_path / f"x.{form}")
    said = json.loads((tmp_path / "x.json").read_text())
    assert tuple(said["sections"]) == SECTIONS
    people = {form: (tmp_path / f"x.{form}").read_text() for form in ("html", "md", "txt")}
    for name, section in said["sections"].items():
        for table in section["tables"].values():
            for row in table["rows"]:
                for column, value in row.items():
                    if isinstance(value, int | float) and name not in ("time", "users", "nsfw"):
                        words = spelled(row.get("measure", column), value)
                        for form, text in people.items():
                            assert words in text, (form, name, row)


def test_headings_are_the_columns_in_words_and_a_and_b_where_two_are_compared(
    corpus: Corpus, tmp_path: Path
) -> None:
    corpus.select().report(sections=["users"]).save(tmp_path / "one.md")
    assert "| rank | images | share | prompts | first seen | last seen |" in (
        (tmp_path / "one.md").read_text()
    )
    castles = corpus.select(match="castle")
    castles.report(versus="rest", sections=["settings"]).save(tmp_path / "two.md")
    heading = "| sampler | share A | share B | share A \N{MINUS SIGN} B |"
    assert heading in (tmp_path / "two.md").read_text()


def test_json_has_stable_keys_and_numbers_as_they_are(corpus: Corpus, tmp_path: Path) -> None:
    corpus.select(sampler="k_lms").report(sections=["overview"]).save(tmp_path / "x.json")
    said = json.loads((tmp_path / "x.json").read_text())
    assert list(said) == ["title", "dataset", "images", "selections", "manifest", "sections"]
    table = said["sections"]["overview"]["tables"]["totals"]
    assert list(table) == ["title", "help", "sentence", "columns", "meanings", "rows", "sql"]
    first_seen = next(row["value"] for row in table["rows"] if row["measure"] == "first_seen")
    assert datetime.fromisoformat(first_seen).tzinfo is not None
    assert said["images"] == corpus.select(sampler="k_lms").count()


def test_every_face_says_how_the_report_is_made_again(corpus: Corpus, tmp_path: Path) -> None:
    chosen = corpus.select(where="width > 512", sampler=["k_lms", "ddim"])
    report = chosen.report(sections=["cost"], versus="rest")
    command = (
        "ddb --dataset 2m report --where 'width > 512' --sampler k_lms --sampler ddim"
        " --section cost --vs rest"
    )
    assert report.manifest["command"] == command
    for form in ("html", "md", "json", "txt"):
        report.save(tmp_path / f"x.{form}")
        text = (tmp_path / f"x.{form}").read_text().replace("\\", "")
        assert "--sampler k_lms" in text
        assert str(report.manifest["source_footer"]) in text


def test_markdown_takes_nothing_of_a_prompt_for_its_own(tmp_path: Path) -> None:
    prompt = "| a | **b** <script> [x](y) `c` #"
    with ddb_query.open("2m", data_dir=write(published({"prompt": prompt}), tmp_path)) as opened:
        opened.select().report(sections=["prompts"]).save(tmp_path / "x.md")
    text = (tmp_path / "x.md").read_text()
    assert r"\| a \| \*\*b\*\* \<script\> \[x\](y) \`c\` \#" in text
    assert "<script>" not in text


def test_figures_are_svg_and_pdf(corpus: Corpus, tmp_path: Path) -> None:
    names = corpus.select().report(sections=["settings"]).save_figures(tmp_path / "figures")
    assert "settings-cfg" in names
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {f"{name}.{form}" for name in names for form in ("svg", "pdf")}
    assert (tmp_path / "figures/settings-cfg.svg").read_text().startswith("<svg")
    assert (tmp_path / "figures/settings-cfg.pdf").read_bytes().startswith(b"%PDF")


def test_an_unwritable_target_is_an_error_and_the_old_file_stays(
    corpus: Corpus, tmp_path: Path
) -> None:
    report = corpus.select().report(sections=["cost"])
    with pytest.raises(OutputError):
        report.save(tmp_path / "nowhere/x.html")
    with pytest.raises(UsageError, match="no form"):
        report.save(tmp_path / "x.docx")
    (tmp_path / "x.json").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace(report, title="\ud800").save(tmp_path / "x.json", force=True)
    assert {path.name: path.read_text() for path in tmp_path.glob("*x.*")} == {"x.json": "old"}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("share", 0.12345, "12.35 %"), ("share", 0.000004, "0.0004 %"), ("share", 0, "0 %"),
        ("images", 1234567, "1,234,567"), ("mean", 7.0, "7"), ("mean", 0.001234, "0.0012"),
        ("whole_parts_bytes", 1_600_000_000_000, "1.6 TB"), ("images", None, "\N{EN DASH}"),
        ("prompt", "a\x1bb", "a\\x1bb"), ("rank", 1000, "1000"),
    ],
)  # fmt: skip
def test_values_are_spelled_for_people(column: str, value: Any, words: str) -> None:
    assert spelled(column, value) == words


def test_differences_have_a_sign_and_shares_differ_by_points() -> None:
    assert difference("share", 0.0123) == "+1.23 pp"
    assert difference("images", -1200) == "\N{MINUS SIGN}1,200"
    assert difference("images", 0) == "0"


def test_a_sparkline_goes_from_nothing_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 4]) == "▁▂▄█".replace("▂", "▃").replace("▄", "▅")
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


# --- sections, corpus, command ---


def test_only_the_sections_asked_for_are_worked_out(corpus: Corpus) -> None:
    report = corpus.select().report(sections=["cost", "overview"])
    assert [section.name for section in report.sections] == ["overview", "cost"]
    with pytest.raises(UsageError, match="no section named nope"):
        corpus.select().report(sections=["nope"])


def test_a_report_leaves_the_corpus_as_it_was(corpus: Corpus) -> None:
    before = corpus.sql("select count(*) from images").rows()
    corpus.select(where="width > 512").report(sections=["overview", "terms"])
    assert corpus.sql("select count(*) from images").rows() == before
    assert corpus.sql("select count(*) from prompts").rows() != [(0,)]


def test_a_failed_report_leaves_the_corpus_as_it_was(corpus: Corpus) -> None:
    before = corpus.sql("select count(*) from images").rows()
    with pytest.raises(UsageError):
        corpus.select(where="width > 512").report(sections=["nope"])
    assert corpus.sql("select count(*) from images").rows() == before


def test_the_command_prints_the_report(ddb: Callable[..., Ran], small: Path) -> None:
    ran = ddb("--data-dir", small, "report", "--section", "overview", "--where", "width > 512")
    assert ran.code == 0
    assert "What there is" in ran.text
    assert "\x1b" not in ran.text
    assert "ddb --dataset 2m report --where 'width > 512' --section overview" in ran.text


def test_the_command_writes_files_and_figures(
    ddb: Callable[..., Ran], small: Path, tmp_path: Path
) -> None:
    ran = ddb(
        "--data-dir", small, "report", "--section", "settings", "-o", tmp_path / "x.html",
        "--figures", tmp_path / "figures", "--title", "My <title>",
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, b"")
    assert "<title>My &lt;title&gt;</title>" in (tmp_path / "x.html").read_text()
    assert (tmp_path / "figures/settings-sizes.pdf").is_file()


@pytest.mark.parametrize("versus", ["--sampler k_lms --sample 5", "rest", "subset.csv"])
def test_the_command_compares(
    versus: str, ddb: Callable[..., Ran], small: Path, corpus: Corpus, tmp_path: Path
) -> None:
    names = [row[0] for row in corpus.sql("select image_name from images limit 5").rows()]
    (tmp_path / "subset.csv").write_text("\n".join(["image_name", *names]) + "\n")
    ran = ddb(
        "--data-dir",
        small,
        "report",
        "--section",
        "overview",
        "--vs",
        versus,
        "--from",
        "subset.csv",
    )
    assert ran.code == 0, ran.err
    assert ("all other images" in ran.text) == (versus == "rest")
    count = 1500 - 5 if versus == "rest" else 5
    assert f"{count:,} images" in next(line for line in ran.text.splitlines() if line[:2] == "B:")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--section", "nope"], 2, "there are overview"),
        (["--vs", "--bogus"], 2, "--bogus"),
        (["--vs", "'"], 2, "--vs"),
        (["--vs", "rest"], 2, "there is no rest beside all images"),
        (["--where", "nope = 1"], 1, "nope"),
        (["-o", "x.csv"], 2, "ending"),
        (["-o", "nowhere/x.html"], 3, "nowhere"),
        (["--format", "csv"], 2, "'csv' is not one of"),
    ],
)
def test_what_the_command_refuses(
    options: list[str], code: int, words: str, ddb: Callable[..., Ran], small: Path
) -> None:
    ran = ddb("--data-dir", small, "report", *options)
    assert (ran.code, ran.out) == (code, b""), ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_report_about_no_image_says_so(ddb: Callable[..., Ran], small: Path) -> None:
    ran = ddb("--data-dir", small, "report", "--section", "overview", "--where", "false")
    assert (ran.code, ran.err) == (0, "note: nothing matches: the report is about no image\n")


def test_names_of_a_subset_that_are_not_there_end_in_4(
    ddb: Callable[..., Ran], small: Path, tmp_path: Path
) -> None:
    with ddb_query.open("2m", data_dir=small) as corpus:
        name = corpus.sql("select min(image_name) from images").rows()[0][0]
    (tmp_path / "s.csv").write_text(f"{name}\n00000000-0000-4000-8000-000000000000.png\n")
    ran = ddb("--data-dir", small, "report", "--section", "cost", "--from", "s.csv")
    assert ran.code == 4
    assert "What the images cost" in ran.text


def test_all_queries_of_a_report_say_what_they_are() -> None:
    from ddb_query.report.run_queries import section_names

    assert tuple(section_names()) == SECTIONS
