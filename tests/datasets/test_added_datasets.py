"""A table that a user adds: a dataset with a name of its own, that takes nobody's place unasked."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from hub import LoopbackHub

import ddb_query
from ddb_query.api.replay import replay
from ddb_query.cli._options import complete_dataset
from ddb_query.datasets import Catalog, manifest
from ddb_query.datasets.adding import AddedNow, add_table
from ddb_query.diffusiondb import DATASETS, added_dataset
from ddb_query.engines.open import open_engine
from ddb_query.errors import (
    BadManifestError,
    BadTableError,
    MissingDataError,
    NameTakenError,
    UnknownDatasetError,
    UsageError,
)
from ddb_query.settings import Settings
from ddb_query.store.paths import footer, store_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus


def add(path: Path, **said: Any) -> AddedNow:
    settings = Settings.from_environment()
    with closing(open_engine(settings)) as engine:
        return add_table(Catalog(settings), engine, path, **said)


def count(path: Path) -> int:
    return len(pl.read_parquet(path))


@pytest.fixture
def shared(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with both published tables, for this test alone."""
    folder = tmp_path / "shared"
    shutil.copytree(tables, folder)
    monkeypatch.setenv("DDB_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def castles(tables: Path, tmp_path: Path) -> Path:
    """A subset of the 2m table as polars saves it."""
    path = tmp_path / "castles.parquet"
    pl.read_parquet(tables / "metadata.parquet").head(500).write_parquet(path)
    return path


def images_in(dataset: str | None) -> int:
    with ddb_query.open(dataset) as corpus:
        return int(corpus.sql("select count(*) from images").rows()[0][0])


def test_a_table_that_is_added_replaces_nothing_and_answers_to_its_name(
    ddb: Callable[..., Ran], shared: Path, castles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(castles.parent / "cache"))
    refused = ddb("data", "add", castles.name, "--as", "my_castles")
    assert refused.code == 2
    assert f"`ddb data add {castles} --as my-castles` does; " in refused.err
    ran = ddb("data", "add", castles.name)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == (
        f"note: added dataset castles: 500 rows of {castles};"
        " next: `ddb --dataset castles run sampler-stats`\n"
    )
    asked = ("sql", "select count(*) as n from images", "--format", "csv", "--quiet")
    assert ddb(*asked).text == "n\n3000\n"
    assert ddb(*asked, "--dataset", "castles").text == "n\n500\n"
    assert ddb(*asked, DDB_DATASET="castles").text == "n\n500\n"
    lines = json.loads(ddb("data", "status", "--format", "json").text)
    assert [line["dataset"] for line in lines[:4]] == ["2m", "large", "demo", "castles"]
    assert lines[3] == {
        "dataset": "castles", "rows": 500, "megabytes": lines[3]["megabytes"], "row_groups": 1,
        "origin": "added", "images_from": "2m", "where": str(castles), "problem": None,
    }  # fmt: skip
    assert ddb("data", "build", "--dataset", "castles").code == 0
    (store,) = (
        line["where"]
        for line in json.loads(ddb("data", "status", "--format", "json").text)
        if line["dataset"] == "castles store"
    )
    gone = ddb("data", "remove", "castles")
    assert (gone.code, gone.err) == (
        0,
        (
            f"note: forgot dataset castles; its file stays: {castles}\n"
            f"note: deleted its store: {store}\n"
        ),
    )
    assert store not in ddb("data", "status").text
    assert castles.exists()
    assert ddb(*asked, "--dataset", "castles").code == 2


def test_two_users_of_one_data_folder_do_not_notice_each_other(
    ddb: Callable[..., Ran], shared: Path, castles: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in shared.iterdir()}
    first, second = ({"DDB_CONFIG_DIR": str(tmp_path / name)} for name in ("ann", "bob"))
    assert ddb("data", "add", castles, **first).code == 0
    assert ddb("data", "add", castles, "--as", "2m", "--replace", **first).code == 0
    asked = ("sql", "select count(*) as n from images", "--format", "csv", "--quiet")
    assert ddb(*asked, **first).text == "n\n500\n"
    assert ddb(*asked, **second).text == "n\n3000\n"
    assert ddb(*asked, "--dataset", "castles", **second).code == 2
    assert {path: path.read_bytes() for path in shared.iterdir()} == before


def test_2m_is_replaced_only_when_that_is_said_and_is_back_when_the_other_is_forgotten(
    shared: Path, castles: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        add(castles, name="2m")
    assert f"`ddb data add {castles} --as 2m --replace`" in (caught.value.hint or "")
    assert add(castles, name="2m", replace=True).instead_of == shared / "metadata.parquet"
    assert images_in("2m") == images_in(None) == 500
    # A folder named for one call is asked, and nothing else.
    with ddb_query.open("2m", data_dir=shared) as corpus:
        assert corpus.sql("select count(*) from images").rows() == [(3000,)]
    with pytest.raises(MissingDataError):
        ddb_query.open("2m", data_dir=tmp_path / "nothing")
    catalog = Catalog(Settings.from_environment())
    catalog.remove(catalog.removal("2m", tmp_path / "2m"))
    assert images_in("2m") == 3000
    assert (shared / "metadata.parquet").exists()


def test_only_images_of_2m_take_its_place(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="whose names all end in"):
        add(shared / "metadata-large.parquet", name="2m", replace=True)
    with pytest.raises(UsageError, match='called "demo"'):
        add(shared / "metadata.parquet", name="demo", replace=True)


def test_a_published_file_elsewhere_is_2m_or_large_while_these_are_not_there(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    ran = ddb("data", "add", tables / "metadata-large.parquet", tables / "metadata.parquet")
    assert ran.code == 0
    assert ran.err.splitlines()[::2] == [
        "note: as published, large has 14,000,000 rows; this table has 5,000",
        "note: as published, 2m has 2,000,000 rows; this table has 3,000",
    ]
    assert (images_in("2m"), images_in("large")) == (3000, 5000)
    other = tmp_path / "metadata.parquet"
    shutil.copy(tables / "metadata.parquet", other)
    with pytest.raises(NameTakenError) as caught:
        add(other)
    assert caught.value.message == (
        f"2m is the name of a dataset already: {tables / 'metadata.parquet'}"
    )
    assert add(other, name="mine").table.images == "2m"
    # The same file once more is no other table.
    assert add(tables / "metadata.parquet").table.name == "2m"


def test_a_subset_is_not_2m_whatever_its_file_is_called(tables: Path, tmp_path: Path) -> None:
    subset = tmp_path / "metadata.parquet"
    with ddb_query.open("2m", data_dir=tables) as corpus:
        corpus.select(sample=7).export(subset)
    with pytest.raises(UsageError, match="the SQL view metadata"):
        add(subset)
    odd = tmp_path / "odd" / "metadata.parquet"
    odd.parent.mkdir()
    pl.read_parquet(tables / "metadata.parquet").with_columns(image_name=pl.lit("x")).write_parquet(
        odd
    )
    with pytest.raises(UsageError, match="the SQL view metadata"):
        add(odd)


def test_two_tables_of_one_file_name_need_two_names(castles: Path, tmp_path: Path) -> None:
    add(castles)
    other = tmp_path / "elsewhere" / castles.name
    other.parent.mkdir()
    shutil.copy(castles, other)
    with pytest.raises(NameTakenError) as caught:
        add(other)
    assert caught.value.exit_code == 2
    assert "--as castles --replace" in (caught.value.hint or "")
    assert add(other, name="castles-2").table.name == "castles-2"
    assert add(other, replace=True).instead_of == castles
    assert Catalog(Settings.from_environment()).locate("castles") == other


def test_pull_leaves_an_added_2m_in_its_place_and_says_so(
    ddb: Callable[..., Ran], tables: Path, castles: Path
) -> None:
    add(castles, name="2m", replace=True)
    content = (tables / "metadata.parquet").read_bytes()
    with LoopbackHub({"metadata.parquet": content}) as hub:
        ran = ddb("data", "pull", "2m", HF_ENDPOINT=hub.endpoint)
    assert ran.code == 0
    assert (
        f"note: 2m is still the table that you added, {castles}; `ddb data remove 2m` makes it the"
        " one pulled\n"
    ) in ran.err
    assert images_in("2m") == 500


def test_an_added_table_that_is_gone_is_an_error_and_nobody_answers_in_its_place(
    ddb: Callable[..., Ran], shared: Path, castles: Path
) -> None:
    add(castles)
    add(castles, name="2m", replace=True)
    castles.unlink()
    for args, name in (([], "2m"), (["--dataset", "castles"], "castles")):
        ran = ddb(*args, "sql", "select 1", "--quiet")
        assert (ran.code, ran.out) == (3, b"")
        assert ran.err == (
            f"ddb: {castles}, the table of dataset {name}, was added and is not there any more\n"
            f"hint: `ddb data remove {name}` forgets it\n"
        )
    lines = json.loads(ddb("data", "status", "--format", "json").text)
    assert [(line["dataset"], line["problem"]) for line in lines if line["origin"] == "added"] == [
        (name, f"it is gone; `ddb data remove {name}` forgets it") for name in ("2m", "castles")
    ]


def test_where_only_tables_of_ones_own_are_there_the_error_names_them(castles: Path) -> None:
    add(castles)
    with pytest.raises(MissingDataError) as caught:
        ddb_query.open()
    assert (caught.value.hint or "").startswith("--dataset castles opens what you added; ")


def everything(corpus: Corpus, user: str) -> dict[str, object]:
    """What every canned query, every view, a search and a report give."""
    given: dict[str, dict[str, Any]] = {
        "user-profile": {"user": user}, "prompt-search": {"words": "castle"},
    }  # fmt: skip
    found: dict[str, object] = {
        query.name: corpus.run(query.name, **given.get(query.name, {})).rows()
        for query in corpus.queries()
    }
    for view in ("images", "prompts", "activity", "users", "clauses", "terms", "repeats"):
        ordered = f"select * from (select columns(*)::varchar from {view}) order by all"
        found[view] = corpus.sql(ordered).rows()
    found["search"] = corpus.search("castle", limit=50).rows()
    found["report"] = [
        (table.name, table.rows)
        for section in corpus.select().report().sections
        for table in section.tables
    ]
    found["strict"] = corpus.select(policy="strict").count()
    return found


@pytest.mark.slow
def test_everything_gives_the_same_on_a_table_of_ones_own_as_on_the_same_table_as_2m(
    castles: Path, tmp_path: Path
) -> None:
    as_2m = tmp_path / "as-2m"
    as_2m.mkdir()
    shutil.copy(castles, as_2m / "metadata.parquet")
    user = next(name for name in pl.read_parquet(castles)["user_name"] if len(name) == 64)
    with ddb_query.open("2m", data_dir=as_2m) as corpus:
        expected = everything(corpus, user)
    with ddb_query.open("2m", data_dir=as_2m) as corpus:
        exported = corpus.select(match="castle").export(tmp_path / "x.parquet").manifest
        again = tmp_path / "again.parquet"
        corpus.select(limit=10**6).export(again)
    for path, name in ((castles, "castles"), (again, "again")):
        add(path)
        with ddb_query.open(name) as corpus:
            found = everything(corpus, user)
            # As text, in which NaN is NaN.
            assert {key for key in found if repr(found[key]) != repr(expected[key])} == set()
            own = corpus.select(match="castle").export(tmp_path / f"{name}-y.parquet").manifest
        assert own.content_hash == exported.content_hash
        assert (own.dataset, own.images) == (name, "2m")
        assert own.source_footer == footer(path)[0]


def test_sql_sees_the_table_under_its_name_and_the_published_ones_under_theirs(
    shared: Path, castles: Path, tmp_path: Path
) -> None:
    mine = castles.with_name("my-castles.parquet")
    castles.rename(mine)
    add(mine)
    with ddb_query.open("my-castles") as corpus:
        counts = corpus.sql(
            "select (select count(*) from my_castles), (select count(*) from metadata),"
            " (select count(*) from metadata_large), (select count(*) from images)"
        )
        assert counts.rows() == [(500, 3000, 5000, 500)]
        sql = "select image_name from my_castles order by 1 limit 9"
        made = corpus.export(tmp_path / "x.parquet", sql=sql)
        assert made.manifest.reason is None
        replay(corpus, tmp_path / "x.parquet")


@pytest.mark.parametrize("name", ["order", "main", "select", "table", "my-table"])
def test_words_of_sql_can_be_names(name: str, castles: Path) -> None:
    add(castles, name=name)
    with ddb_query.open(name) as corpus:
        view = name.replace("-", "_")
        assert corpus.sql(f'select count(*) from "{view}"').rows() == [(500,)]


def test_a_subset_of_a_table_of_ones_own_is_replayed_under_any_name_of_that_table(
    ddb: Callable[..., Ran], shared: Path, castles: Path, tmp_path: Path
) -> None:
    add(castles)
    subset = tmp_path / "subset.parquet"
    with ddb_query.open("castles") as corpus:
        corpus.select(sample=5, seed=3).export(subset)
    assert ddb("verify", subset).code == 0
    assert ddb("replay", subset).code == 0
    catalog = Catalog(Settings.from_environment())
    catalog.remove(catalog.removal("castles", castles))
    missing = ddb("replay", subset)
    assert missing.code == 3
    assert missing.err.endswith("hint: `ddb data add TABLE --as castles` registers it\n")
    copy = tmp_path / "copy.parquet"
    shutil.copy(castles, copy)
    add(copy)
    again = ddb("replay", subset)
    assert (again.code, again.err.splitlines()[-1]) == (
        0, f"note: {subset}: 5 rows, the same again"
    )  # fmt: skip
    other = ddb("--dataset", "2m", "replay", subset)
    assert other.code == 4
    assert "is of dataset castles, not of 2m" in other.err


@pytest.mark.parametrize("sql", ["from castles", "from metadata"])
def test_sql_is_replayed_where_the_table_has_another_name(
    sql: str, castles: Path, tmp_path: Path
) -> None:
    sql = f"select image_name, seed {sql} order by 1 limit 3"
    folder = tmp_path / "as-2m"
    folder.mkdir()
    shutil.copy(castles, folder / "metadata.parquet")
    add(castles)
    made = tmp_path / "made.parquet"
    data_dir = folder if "metadata" in sql else None
    with ddb_query.open("castles" if data_dir is None else "2m", data_dir=data_dir) as corpus:
        corpus.export(made, sql=sql)
    add(castles, name="other")
    with ddb_query.open("other") as corpus:
        assert replay(corpus, made).rows == 3


@pytest.mark.parametrize("name", ["images", "prompts", "x-y", "ddb-kept"])
def test_a_name_in_a_manifest_takes_no_view_of_ddb(
    name: str, castles: Path, tmp_path: Path
) -> None:
    add(castles)
    made = tmp_path / "made.csv"
    with ddb_query.open("castles") as corpus:
        corpus.export(made, sql="select count(*) as n from prompts where text <> ''")
    beside = manifest.beside(made)
    beside.write_text(json.dumps(json.loads(beside.read_text()) | {"dataset": name}))
    with ddb_query.open("castles") as corpus:
        assert replay(corpus, made).rows == 1


def test_a_data_folder_is_not_one_table(shared: Path) -> None:
    with pytest.raises(BadTableError) as caught:
        add(shared)
    assert caught.value.problem == (
        "a data folder with metadata.parquet and metadata-large.parquet, not one table"
    )
    assert caught.value.hint == (
        f"--data-dir {shared} uses it; `ddb data add {shared}/metadata.parquet` adds one table"
    )


def test_a_subset_selects_from_any_table_with_the_same_images(
    shared: Path, castles: Path, tmp_path: Path
) -> None:
    add(castles)
    subset = tmp_path / "subset.parquet"
    with ddb_query.open("castles") as corpus:
        corpus.select(sample=5).export(subset)
    with ddb_query.open("2m") as corpus:
        assert corpus.select(subset=subset).count() == 5
    with ddb_query.open("large") as corpus, pytest.raises(BadManifestError, match="images of 2m"):
        corpus.select(subset=subset).count()


def test_whose_images_these_are_comes_from_what_is_said_the_manifest_or_the_names(
    ddb: Callable[..., Ran], shared: Path, castles: Path, tmp_path: Path
) -> None:
    assert add(castles).table.images == "2m"
    assert add(shared / "metadata-large.parquet", name="big").table.images == "large"
    assert add(castles, images="demo").table.images == "demo"
    mixed = tmp_path / "mixed.parquet"
    pl.concat(
        pl.read_parquet(shared / name).head(5)
        for name in ("metadata.parquet", "metadata-large.parquet")
    ).write_parquet(mixed)
    told = ddb("data", "add", mixed)
    assert told.err.startswith(
        "note: whose parts hold its images is not known; --images-from 2m (or large) says it\n"
        "note: added dataset mixed: 10 rows of "
    )
    with ddb_query.open("mixed") as corpus:
        assert corpus.sql("select distinct part_path from images").rows() == [(None,)]
        for act in (
            lambda: corpus.select().plan(),
            lambda: corpus.select(on_disk=True).count(),
            lambda: corpus.select().fetch(tmp_path / "images"),
        ):
            with pytest.raises(UsageError) as caught:
                act()
            assert caught.value.hint == (
                f"`ddb data add {mixed} --as mixed --images-from 2m` says so (or large)"
            )
    add(mixed, name="mixed", images="large")
    with ddb_query.open("mixed") as corpus:
        assert corpus.select().plan().images == 10


def test_part_paths_are_those_of_the_dataset_that_the_images_are_from(
    shared: Path, tmp_path: Path
) -> None:
    some = tmp_path / "some.parquet"
    pl.read_parquet(shared / "metadata-large.parquet").head(3).write_parquet(some)
    add(some)
    with ddb_query.open("some") as corpus:
        paths = corpus.sql("select distinct part_path from images").rows()
    assert paths == [("diffusiondb-large-part-1/part-000001.zip",)]


@pytest.mark.slow
def test_images_of_a_table_of_ones_own_are_fetched_and_shown(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    made = tmp_path / "made-up.parquet"
    with ddb_query.open("demo") as corpus:
        corpus.select(sample=40).export(made)
    assert manifest.read(made).images == "demo"
    assert ddb("data", "add", made).code == 0
    ran = ddb("--dataset", "made-up", "fetch", "--limit", "3", "--include-blurred", "-o", "some")
    assert (ran.code, ran.out) == (0, b"")
    assert len(list((tmp_path / "some").glob("*.png"))) == 3
    assert ddb("gallery", "some").code == 0
    assert "made up by the demo dataset" in (tmp_path / "some.html").read_text()
    # The same images under another name go on in the same folder.
    more = ddb("--dataset", "demo", "fetch", "--from", made, "--include-blurred", "-o", "some")
    assert (more.code, "; 3 were there" in more.err) == (0, True)


def test_one_table_has_one_store_under_all_its_names_and_one_for_each_kind_of_images(
    castles: Path, tmp_path: Path
) -> None:
    def folder(name: str, images: str | None) -> Path:
        return store_of(tmp_path, added_dataset(name, images, castles), castles).folder

    assert folder("a", "2m") == folder("b-c", "2m")
    assert folder("a", "2m") == store_of(tmp_path, DATASETS["2m"], castles).folder
    assert len({folder("a", images) for images in ("2m", "large", "demo", None)}) == 4


@pytest.mark.slow
def test_names_are_right_when_the_images_turn_out_to_be_of_another_dataset(
    castles: Path,
) -> None:
    names = pl.read_parquet(castles)["image_name"].sort().to_list()
    for images in ("large", "2m"):
        add(castles, images=images)
        with ddb_query.open("castles") as corpus:
            corpus.build()
        with ddb_query.open("castles") as corpus:
            found = corpus.sql("select image_name from images order by 1").rows()
        assert [name for (name,) in found] == names


def test_status_tells_which_dataset_a_store_was_built_for(
    ddb: Callable[..., Ran], castles: Path, tmp_path: Path
) -> None:
    add(castles, name="my-castles")
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache")}
    built = ddb("--dataset", "my-castles", "data", "build", **env)
    assert (built.code, built.err.splitlines()[-1]) == (
        0, "note: the store of dataset my-castles: built"
    )  # fmt: skip
    lines = json.loads(ddb("data", "status", "--format", "json", **env).text)
    assert [line["dataset"] for line in lines if line["origin"] == "built"] == ["my-castles store"]
    assert ddb("data", "remove", "--stores", "--yes", **env).err == "note: stores deleted: 0\n"


def test_sql_for_plain_duckdb_reads_the_table_by_its_file_name(
    castles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = castles.with_name("it's [a] castle*.parquet")
    castles.rename(odd)
    add(odd, name="castles")
    with ddb_query.open("castles") as corpus:
        selection = corpus.select(sampler="k_lms", sample=5)
        sql, names = selection.sql, sorted(selection.pl()["image_name"])
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as plain:
        *before, last = plain.extract_statements(sql)
        for statement in before:
            plain.execute(statement)
        found = plain.execute(last).fetchall()
    assert sorted(row[0] for row in found) == names
    assert len(names) == 5


def test_a_wrong_name_is_told_with_the_right_one(castles: Path) -> None:
    add(castles)
    with pytest.raises(UnknownDatasetError) as caught:
        ddb_query.open("castels")
    assert caught.value.hint == "did you mean castles? there are 2m, large, demo, castles"
    with pytest.raises(UnknownDatasetError) as caught:
        ddb_query.open("./castles.parquet")
    assert (caught.value.hint or "").endswith(
        "; `ddb data add ./castles.parquet` gives a table a name"
    )


def test_names_are_completed_and_a_damaged_list_completes_the_built_in_ones(castles: Path) -> None:
    add(castles)
    assert complete_dataset("") == ["2m", "large", "demo", "castles"]
    assert complete_dataset("ca") == ["castles"]
    Catalog(Settings.from_environment()).registry.path.write_text("{")
    assert complete_dataset("") == ["2m", "large", "demo"]


def test_the_shell_opens_it_by_either_word(
    ddb: Callable[..., Ran], shared: Path, castles: Path
) -> None:
    add(castles)
    script = ".mode csv\n.dataset castles\nselect count(*) as n from images;\n.open 2m\n.dataset\n"
    ran = ddb("--quiet", stdin=script.encode())
    assert (ran.code, ran.text) == (0, "n\n500\n2m\n")
