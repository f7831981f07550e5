"""What the tests call `ddb` is what a user gets: the wheel and what it declares, no more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import installed
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

pytestmark = pytest.mark.installed

_LOOK = """
import importlib.metadata, importlib.util, json, sys
import ddb_query
print(json.dumps({
    "packages": [dist.metadata["Name"] for dist in importlib.metadata.distributions()],
    "path": sys.path,
    "package": ddb_query.__file__,
    "importable": [n for n in ("numpy", "pandas", "pytest") if importlib.util.find_spec(n)],
}))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    done = subprocess.run([installed.python(), "-P", "-c", _LOOK], capture_output=True, check=True)
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


def names(requirements: list[str], extra: str = "") -> set[str]:
    """The names of those requirements that count on this machine."""
    found = map(Requirement, requirements)
    wanted = [one for one in found if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {canonicalize_name(one.name) for one in wanted}


def closure(roots: set[str]) -> set[str]:
    """Packages and all that they need, as the tests' own environment knows it."""
    reached: set[str] = set()
    waiting = set(roots)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        try:
            waiting |= names(requires(name) or []) - reached
        except PackageNotFoundError:
            continue
    return reached


def test_it_holds_the_declared_dependencies_and_nothing_else(found: dict[str, list[str]]) -> None:
    there = {canonicalize_name(name) for name in found["packages"]}
    declared = closure(names(requires("ddb-query") or []))
    assert there - declared == {"ddb-query"}


def test_no_package_that_only_the_developers_get_is_there(found: dict[str, list[str]]) -> None:
    there = {canonicalize_name(name) for name in found["packages"]}
    developers = names(requires("ddb-query") or [], "dev")
    only_theirs = closure(developers) - closure(names(requires("ddb-query") or []))
    assert {"numpy", "pandas", "pytest", "hypothesis", "datasets"} <= only_theirs
    assert not there & only_theirs
    assert found["importable"] == []


def test_it_reads_nothing_of_the_checkout(found: dict[str, list[str]]) -> None:
    package = Path(str(found["package"]))
    assert package.is_relative_to(installed.environment())
    assert "site-packages" in package.parts
    outside = {path for path in found["path"] if path and Path(path) == installed.ROOT}
    assert not outside
    assert not list(package.parent.parent.glob("*.pth")) or not any(
        str(installed.ROOT) in path.read_text() for path in package.parent.parent.glob("*.pth")
    )


def test_the_lock_names_each_declared_dependency_with_one_version() -> None:
    locked = {
        canonicalize_name(match[1])
        for match in re.finditer(r"^([A-Za-z0-9._-]+)==\S+", installed.LOCKED.read_text(), re.M)
    }
    declared = names(requires("ddb-query") or [], "dev")
    assert declared <= locked | {"ddb-query"}


def test_it_holds_the_versions_that_were_asked_for() -> None:
    listed = "from importlib.metadata import version; print(version({!r}))"
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", installed.LOCKED.read_text(), re.M))
    versions = installed.environment().name.partition("-")[0]
    for line in requires("ddb-query") or []:
        needed = Requirement(line)
        if needed.marker and not needed.marker.evaluate():
            continue
        code = listed.format(needed.name)
        ran = subprocess.run([installed.python(), "-c", code], capture_output=True, check=True)
        there = Version(ran.stdout.decode())
        (lowest,) = (Version(one.version) for one in needed.specifier if one.operator == ">=")
        if versions == "lowest":
            assert there.release[: len(lowest.release)] == lowest.release, needed.name
        elif versions == "locked":
            assert there == Version(locked[needed.name]), needed.name
        assert there >= lowest


_EVERY_TYPE = """
import datetime, decimal, sys, uuid
import ddb_query
from ddb_query import DdbError

TYPES = [
    "1::tinyint", "1::hugeint", "1.5::decimal(18, 3)", "1::float", "'x'", "'x'::blob", "true",
    "date '2022-01-01'", "time '10:00'", "timestamp '2022-01-01 10:00:00'",
    "timestamptz '2022-01-01 10:00:00+02'", "timestamp_ns '2022-01-01 10:00:00.123456789'",
    "timestamp_ns '2022-01-01 10:00:00.123456'", "'2022-01-01'::timestamp_s", "interval 3 day",
    "'0e3d2f4c-0000-4000-8000-000000000000'::uuid", "[1, 2]", "[1, 2]::integer[2]", "{'a': 1}",
    "map {'a': 1}", "union_value(a := 1)", "'a'::enum('a', 'b')", "'101'::bit", "null",
    "'{}'::json", "10::bignum", "'10:00:00+02'::timetz",
]
VALUES = [
    1, 2**70, 1.5, "x", b"x", True, None, datetime.date(2022, 1, 1), datetime.time(1),
    datetime.datetime(2022, 1, 1), datetime.datetime(2022, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.timedelta(1), decimal.Decimal("1.5"), uuid.UUID(int=1), [1], {"a": 1},
]

def told(ask):
    try:
        return repr(ask())
    except DdbError as error:
        return f"{type(error).__name__}: {error}"

with ddb_query.open("2m") as corpus:
    for kind in TYPES:
        for how in ("rows", "pl", "arrow", "_repr_html_"):
            print(kind, how, told(lambda: getattr(corpus.sql(f"select {kind} as v"), how)()))
        for form in ("csv", "json", "parquet", "arrow"):
            target = f"{sys.argv[1]}/x.{form}"
            sql = f"select {kind} as v"
            print(kind, form, told(lambda: corpus.export(target, sql=sql, force=True).rows))
    for value in VALUES:
        print(value, told(lambda: corpus.sql("select $v as v", {"v": value}).rows()))
"""


def test_every_type_reads_the_same_as_with_all_that_developers_have(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    told = [
        subprocess.run(
            [python, "-c", _EVERY_TYPE, str(tmp_path)],
            capture_output=True, check=True, text=True,
        ).stdout
        for python in (installed.python(), sys.executable)
    ]  # fmt: skip
    assert told[0] == told[1]
    assert told[0].count("\n") > 200
    assert "parquet cannot hold the column v (month_day_nano_interval)" in told[0]
    assert "a polars frame cannot hold the column v" in told[0]
    assert "a Python datetime cannot hold the column v (timestamp[ns])" in told[0]
    assert "datetime.datetime(2022, 1, 1, 10, 0, 0, 123456)" in told[0]
