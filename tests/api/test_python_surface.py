"""What a person at a Python prompt meets: names, keywords, words of errors, help, workers."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ddb_query
from ddb_query import errors
from ddb_query.api.report import Report
from ddb_query.api.selection import Selection
from ddb_query.engines.base import Result
from ddb_query.errors import DdbError, MissingPackageError, UnknownNameError
from ddb_query.fetch.options import FetchFields, FetchOptions
from ddb_query.selection.criteria import Criteria, Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PUBLIC = (ddb_query.Corpus, Selection, Result, Report)


@pytest.fixture
def corpus(tables: Path) -> Iterator[ddb_query.Corpus]:
    with ddb_query.open("2m", data_dir=tables) as opened:
        yield opened


def methods() -> list[tuple[str, Any]]:
    found = [("ddb_query.open", ddb_query.open)]
    for kind in PUBLIC:
        found += [
            (f"{kind.__name__}.{name}", function)
            for name, function in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        ]
    assert len(found) > 40
    return found


# --- names ---


def test_dir_lists_all_that_is_public_and_loads_none_of_it() -> None:
    code = "import ddb_query, sys; print(dir(ddb_query)); print('duckdb' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, loaded = ran.stdout.splitlines()
    for name in ("Corpus", "DdbError", "Report", "Result", "Selection", "open", "__version__"):
        assert f"'{name}'" in names
    assert loaded == "False"


def test_what_is_printed_says_what_it_is(corpus: ddb_query.Corpus) -> None:
    assert re.fullmatch(r"<Corpus: dataset 2m, .*metadata\.parquet>", repr(corpus))
    assert repr(corpus.select(match="castle")) == "<Selection: match='castle'>"
    assert repr(corpus.sql("select 1 as a")) == "<Result: a INTEGER>"


# --- keywords ---


def hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, localns={"Path": Path})


def test_what_type_checkers_know_of_a_selection_are_the_fields_that_it_has() -> None:
    assert hints(Fields) == hints(Criteria)
    assert not Fields.__required_keys__
    unpacked = inspect.signature(ddb_query.Corpus.select).parameters["criteria"]
    assert unpacked.annotation == "Unpack[Fields]"
    told = inspect.getdoc(ddb_query.Corpus.select) or ""
    assert all(f"`{name}`" in told for name in Criteria.__dataclass_fields__)


def test_what_type_checkers_know_of_a_fetch_is_what_it_takes() -> None:
    known = {"layout": "folder", "class_by": None, "jobs": 2, "retry_failed": True,
             "check_json": True, "local": "x"}  # fmt: skip
    assert set(known) == set(FetchFields.__annotations__)
    order = FetchOptions.of(typing.cast("FetchFields", known))
    assert (order.jobs, order.retry_failed, order.check_json) == (2, True, True)
    assert order.local == (Path("x"),)


@pytest.mark.slow
def test_mypy_sees_a_field_that_is_misspelt_or_of_another_type(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import ddb_query\nwith ddb_query.open() as corpus:\n"
        "    corpus.select(match='x', sample=3, part=['1-2', 3])\n"
        "    corpus.select(matc='x')\n    corpus.select(sample='3')\n"
        "    corpus.select().fetch('x', jobs='2')\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--strict", "program.py"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    found = re.findall(r"program\.py:(\d+): error: (.*?)  ", ran.stdout)
    assert [line for line, _ in found] == ["4", "5", "6"], ran.stdout


@pytest.mark.parametrize(
    ("call", "close"),
    [
        (lambda c: c.select(matc="x"), "match"), (lambda c: c.select(max_nsfw=1), ""),
        (lambda c: c.select(sampler="k_lsm").count(), "k_lms"),
        (lambda c: c.select().report(sections=["term"]), "terms"),
        (lambda c: c.select().plan(layot="folder"), "layout"),
        (lambda c: c.select().plan(include_blurred=True), ""),
        (lambda c: c.run("user-stat"), "user-stats"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_an_error_with_the_names_that_are_close(
    call: Callable[[Any], object], close: str, corpus: ddb_query.Corpus
) -> None:
    with pytest.raises(DdbError) as raised:
        call(corpus)
    assert raised.value.exit_code == 2
    assert not close or f"did you mean {close}" in str(raised.value)
    if isinstance(raised.value, UnknownNameError):
        assert "there are" in (raised.value.hint or "")


# --- errors ---


def test_the_words_of_an_error_are_its_message_and_its_hint(corpus: ddb_query.Corpus) -> None:
    with pytest.raises(DdbError) as raised:
        corpus.run("user-stat")
    error = raised.value
    assert str(error) == f"{error.message}\nhint: {error.hint}"
    assert "`ddb queries` lists all" in str(error)
    assert str(DdbError("as it is")) == "as it is"


def test_an_error_inside_another_ones_message_brings_no_second_hint(
    corpus: ddb_query.Corpus,
) -> None:
    with pytest.raises(DdbError) as raised:
        corpus.select().sample(3).sample(4)
    assert str(raised.value).count("hint:") == 1


def some_errors() -> list[DdbError]:
    """One error of every class, made from values that fit its constructor."""
    values: dict[str, object] = {
        "line": 3, "place": 1, "start": 7, "rows": 2, "error": ValueError("x"),
        "status": 503, "seconds": 2.0, "needed_bytes": 10,
        "free_bytes": 5, "path": Path("x"), "folder": Path("x"), "close": ["a"],
        "names": ["a", "b"], "known": ["a", "b"], "differences": ["a"], "least_digits": 8,
        "more": True, "hint": "do it",
        "retry_after_seconds": 4.0, "command": "ddb",
    }  # fmt: skip
    found = []
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, DdbError):
            parameters = inspect.signature(kind).parameters
            make: Callable[..., DdbError] = kind
            found.append(make(**{name: values.get(name, "text") for name in parameters}))
    assert len(found) > 30
    return found


@pytest.mark.parametrize("error", some_errors(), ids=lambda error: type(error).__name__)
def test_an_error_goes_from_a_worker_process_to_its_parent(error: DdbError) -> None:
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert (str(found), vars(found)) == (str(error), vars(error))


def test_a_data_frame_of_pandas_without_pandas_is_an_error_that_says_what_to_install(
    corpus: ddb_query.Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for ask in (corpus.sql("select 1").df, corpus.select(part=1).df):
        with pytest.raises(MissingPackageError) as raised:
            ask()
        assert str(raised.value) == "a pandas.DataFrame needs pandas\nhint: pip install pandas"
        assert raised.value.exit_code == 2


# --- help ---


@pytest.mark.parametrize(("name", "method"), [pytest.param(*one, id=one[0]) for one in methods()])
def test_every_parameter_of_a_public_method_is_described(name: str, method: Any) -> None:
    told = inspect.getdoc(method) or ""
    assert told, name
    parameters = [p for p in inspect.signature(method).parameters if p != "self"]
    if len(parameters) > 1 or (parameters and parameters[0] not in told):
        described = told.partition("Args:\n")[2]
        for parameter in parameters:
            assert re.search(rf"^\s+{parameter}: \S", described, re.MULTILINE), (name, parameter)


def test_no_public_signature_says_any() -> None:
    for name, method in methods():
        for parameter in inspect.signature(method).parameters.values():
            assert "Any" not in str(parameter.annotation), (name, parameter)
