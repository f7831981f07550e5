"""What all tests share: a home of their own, small made-up tables, and the real `ddb`."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import installed
import pytest
from long_runs import LongRuns

import ddb_query
from ddb_query.datasets.demo import demo_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ddb_query.api.corpus import Corpus

# Where a test lets no file grow, half a compiled module would be left behind, for all time.
sys.dont_write_bytecode = True

# Where a script started the tests in the background, Ctrl-C is ignored, and by what they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_CHILD_SECONDS = 380
# A forked process that outlived its test would keep open the pipe of the one that runs tests, and
# who hands them out would wait for ever. Programs that are started keep the alarm.
os.register_at_fork(after_in_child=lambda: signal.alarm(LONGEST_CHILD_SECONDS))

SMALL_ROWS = 3_000


def pytest_configure(config: pytest.Config) -> None:
    """Make the environment with the installed `ddb` once, before there are several processes."""
    if not hasattr(config, "workerinput"):
        os.environ[installed.INSTALLED] = str(installed.environment())
        if not sys.stderr.isatty():
            config.pluginmanager.register(LongRuns())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "ddb" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.installed)


@dataclass(frozen=True)
class Ran:
    """How a run of `ddb` ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


def write_table(path: Path, *, rows: int = SMALL_ROWS, seed: int = 1, dataset: str = "2m") -> Path:
    """Make a metadata table in the published schema, with every quirk of the published ones."""
    sql, values = demo_sql(rows, seed, dataset=dataset)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        relation = connection.sql(sql, params=values)
        assert relation is not None
        relation.write_parquet(str(path))
    return path


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small table of either dataset."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "metadata.parquet")
    write_table(folder / "metadata-large.parquet", rows=5_000, seed=2, dataset="large")
    return folder


@pytest.fixture(scope="module")
def corpus(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """The small table of 2m, opened, with a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        with ddb_query.open("2m", data_dir=tables) as opened:
            yield opened


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that keeps the generated demo dataset between tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The first certificate that this machine trusts: reading all of them takes 50 ms a client."""
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    path.write_text("".join(map(ssl.DER_cert_to_PEM_cert, certificates[:1])))
    return path if certificates else None


@pytest.fixture
def few_certificates(one_certificate: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients in this test are made quickly."""
    if one_certificate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, demo_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the person who runs the tests is read or written."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        foreign = name.startswith(("DDB_", "HF_", "HUGGING", "XDG_", "PYTHON"))
        if (foreign and name != installed.INSTALLED) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    # The folder in which pytest runs is the checkout: `python -c` must not import from it.
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("DDB_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("DDB_CACHE_DIR", str(demo_cache))
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    return folder


@pytest.fixture
def ddb(tmp_path: Path) -> Callable[..., Ran]:
    """Run the installed command line in a process of its own, without a terminal."""

    def run(*args: str | Path, stdin: bytes = b"", timeout: float = 120, **env: str) -> Ran:
        done = subprocess.run(
            [installed.ddb(), *map(str, args)],
            input=stdin, capture_output=True, timeout=timeout, check=False,
            cwd=tmp_path, env={**os.environ, **env},
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr.decode())

    return run
