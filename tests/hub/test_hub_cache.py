"""A table in the Hugging Face Hub's own cache: used where it lies, and taken by `ddb data pull`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub import LoopbackHub

import ddb_query
from ddb_query.hub import cache
from ddb_query.hub.cache import cached_file, commit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

TABLE = "metadata.parquet"
COMMIT = "0123456789abcdef" * 2 + "01234567"
OFFLINE = {"HF_HUB_OFFLINE": "1"}


@pytest.fixture
def content(tables: Path) -> bytes:
    return (tables / TABLE).read_bytes()


@pytest.fixture
def hub(content: bytes) -> Iterator[LoopbackHub]:
    with LoopbackHub({TABLE: content}) as hub:
        yield hub


def keep(home: Path, content: bytes, *, revision: str = "main", linked: bool = True) -> Path:
    """Have a table in the Hub's cache as huggingface_hub puts it there; gives the file of bytes."""
    repository = home / "hf" / "hub" / "datasets--poloclub--diffusiondb"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / revision).write_text(COMMIT)
    if not linked:
        (snapshot / TABLE).write_bytes(content)
        return snapshot / TABLE
    blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
    blob.parent.mkdir()
    blob.write_bytes(content)
    (snapshot / TABLE).symlink_to(Path("../../blobs") / blob.name)
    return blob


@pytest.mark.parametrize("linked", [True, False], ids=["links", "no links"])
def test_is_asked_where_it_lies_and_nobody_else_is(
    ddb: Callable[..., Ran], home: Path, content: bytes, linked: bool
) -> None:
    keep(home, content, linked=linked)
    ran = ddb("sql", "select count(*) as n from images", "--format", "csv", **OFFLINE)
    assert (ran.code, ran.text, ran.err) == (0, "n\n3000\n", "")
    ran = ddb("data", "status", "--format", "json", **OFFLINE)
    (found, *_) = json.loads(ran.out)
    assert (found["dataset"], found["rows"]) == ("2m", 3000)
    assert found["where"].endswith(f"snapshots/{COMMIT}/{TABLE}")


def test_tells_the_commit_that_a_manifest_names(home: Path, content: bytes, tmp_path: Path) -> None:
    keep(home, content)
    with ddb_query.open("2m") as corpus:
        assert corpus.workspace.source.revision == COMMIT


@pytest.mark.parametrize("linked", [True, False], ids=["links", "no links"])
def test_is_pulled_offline_without_a_copy(
    ddb: Callable[..., Ran], home: Path, content: bytes, linked: bool
) -> None:
    blob = keep(home, content, linked=linked)
    ran = ddb("data", "pull", "2m", **OFFLINE)
    assert (ran.code, ran.out) == (0, b"")
    target = home / "data" / TABLE
    assert target.samefile(blob)
    assert not target.is_symlink()
    assert f"taken from the Hub's own cache: {target} (" in ran.err
    assert f"at commit {COMMIT}" in ran.err
    source = json.loads(target.with_name(f"{TABLE}.source.json").read_text())
    assert source["sha256"] == hashlib.sha256(content).hexdigest()
    assert (source["commit"], source["revision"]) == (COMMIT, "main")


def test_is_pulled_online_by_one_question(
    ddb: Callable[..., Ran], hub: LoopbackHub, home: Path, content: bytes
) -> None:
    blob = keep(home, content)
    assert ddb("data", "pull", "2m", HF_ENDPOINT=hub.endpoint).code == 0
    assert (home / "data" / TABLE).samefile(blob)
    assert [request.method for request in hub.requests] == ["HEAD"]
    ran = ddb("data", "pull", "2m", HF_ENDPOINT=hub.endpoint)
    assert "already there" in ran.err


def test_is_pulled_from_a_mirror_whose_etag_is_the_hubs(
    ddb: Callable[..., Ran], home: Path, content: bytes
) -> None:
    keep(home, content)
    with LoopbackHub({TABLE: content}, mirror=True) as mirror:
        mirror.etag = f'"{hashlib.sha256(content).hexdigest()}"'
        assert ddb("data", "pull", "2m", HF_ENDPOINT=mirror.endpoint).code == 0
        assert mirror.ranges() == []


def test_is_taken_where_there_is_no_network(
    ddb: Callable[..., Ran], home: Path, content: bytes
) -> None:
    keep(home, content)
    ran = ddb("data", "pull", "2m", "--patience", "0", HF_ENDPOINT="http://127.0.0.1:1")
    assert ran.code == 0
    assert "cannot reach 127.0.0.1: Connection refused; the Hub's own cache has" in ran.err


def test_is_not_taken_where_the_hub_has_another(
    ddb: Callable[..., Ran], hub: LoopbackHub, home: Path, content: bytes, tables: Path
) -> None:
    keep(home, content)
    hub.files[TABLE] = (tables / "metadata-large.parquet").read_bytes()
    assert ddb("data", "pull", "2m", HF_ENDPOINT=hub.endpoint).code == 0
    assert (home / "data" / TABLE).read_bytes() == hub.files[TABLE]


def test_is_found_only_at_the_revision_that_is_asked_for(
    ddb: Callable[..., Ran], home: Path, content: bytes
) -> None:
    keep(home, content, revision="v1")
    assert "HF_HUB_OFFLINE is set" in ddb("data", "pull", "2m", **OFFLINE).err
    assert ddb("sql", "select 1", **OFFLINE).code == 3
    assert ddb("data", "pull", "2m", "--revision", "v1", **OFFLINE).code == 0
    assert ddb("sql", "select 1", **OFFLINE).code == 0


def test_that_is_damaged_is_an_error_offline_and_downloaded_online(
    ddb: Callable[..., Ran], hub: LoopbackHub, home: Path, content: bytes
) -> None:
    keep(home, content).write_bytes(content[:-1] + b"x")
    ran = ddb("data", "pull", "2m", **OFFLINE)
    assert (ran.code, "its sha256 should be" in ran.err) == (3, True)
    assert not (home / "data" / TABLE).exists()
    assert ddb("data", "pull", "2m", HF_ENDPOINT=hub.endpoint).code == 0
    assert (home / "data" / TABLE).read_bytes() == content


def test_in_the_data_folder_is_used_before_the_caches(
    ddb: Callable[..., Ran], home: Path, content: bytes, tables: Path
) -> None:
    keep(home, content)
    (home / "data").mkdir()
    (home / "data" / TABLE).write_bytes((tables / TABLE).read_bytes())
    ran = ddb("data", "status", "--format", "json")
    assert json.loads(ran.out)[0]["where"] == str(home / "data" / TABLE)


@pytest.mark.parametrize("revision", ["../../..", "refs", "", "main/../main", "x" * 300, "a\0b"])
def test_of_a_revision_that_is_none_there_is_nothing(
    home: Path, content: bytes, revision: str
) -> None:
    keep(home, content)
    assert cached_file(TABLE, revision) in (None, cached_file(TABLE))
    assert commit_of(home / TABLE) is None


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"HF_HOME": "/x/home"}, {"XDG_CACHE_HOME": "/x/cache"},
        {"HF_HUB_CACHE": "/x/hub", "HF_HOME": "/x/home"}, {"HUGGINGFACE_HUB_CACHE": "~/old"},
        {"HF_HUB_CACHE": "$HOME/hub"},
    ],
    ids=str,
)  # fmt: skip
def test_lies_where_huggingface_hub_has_it(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HOME")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert str(cache._cache()) == str(Path(told.stdout.strip()).expanduser())
