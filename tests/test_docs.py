"""The documents are true: their code runs, their output is what the program prints today."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import installed
import pytest
import record_shell
from draw_map import picture

from ddb_query.cli.app import COMMANDS
from ddb_query.queries.library import QueryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SESSION = re.compile(r"(<!-- session: (.*?) -->\n```text\n)(.*?)(```\n<!-- end -->)", re.DOTALL)
PYTHON = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)

sessions = [
    pytest.param(document, match.group(2), id=f"{document.name}: {match.group(2)}")
    for document in DOCUMENTS
    for match in SESSION.finditer(document.read_text("utf-8"))
]


@pytest.mark.parametrize(("document", "command"), sessions)
def test_a_recorded_session_shows_what_the_command_prints_today(
    document: Path, command: str, ddb: Callable[..., Ran]
) -> None:
    """With UPDATE_DOCS=1 the document is brought up to date instead."""
    text = document.read_text("utf-8")
    found = next(match for match in SESSION.finditer(text) if match.group(2) == command)
    ran = ddb(*shlex.split(command)[1:])
    assert ran.code == 0, ran.err
    printed = f"$ {command}\n{ran.text}"
    if os.environ.get("UPDATE_DOCS"):
        renewed = found.group(1) + printed + found.group(4)
        document.write_text(text.replace(found.group(), renewed), "utf-8")
    else:
        assert found.group(3) == printed


def test_the_recorded_shell_session_is_what_the_shell_shows_today() -> None:
    """`python tests/support/record_shell.py` brings it up to date."""
    block = record_shell.BLOCK.search((ROOT / "README.md").read_text("utf-8"))
    assert block
    assert block[2] == record_shell.recorded()


def test_sessions_were_found() -> None:
    assert sessions


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_blocks_run(document: Path, tmp_path: Path) -> None:
    for block in PYTHON.findall(document.read_text("utf-8")):
        subprocess.run([installed.python(), "-c", block], check=True, timeout=120, cwd=tmp_path)


def test_the_readme_has_python_blocks() -> None:
    assert PYTHON.search((ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_that_documents_name_exist(document: Path) -> None:
    queries = QueryLibrary().names()
    for block in SHELL.findall(document.read_text("utf-8")):
        for command, name in re.findall(r"^ddb ([a-z]+)(?: +([a-z][a-z-]*))?", block, re.MULTILINE):
            assert command in COMMANDS
            if command in ("run", "queries") and name:
                assert name in queries


def test_the_architecture_names_every_folder_and_module() -> None:
    text = (
        (ROOT / "docs/architecture.md").read_text("utf-8").partition("## The way of a statement")[0]
    )
    told = dict(re.findall(r"\*\*`ddb_query/(\w+)/`\*\*(.*?)(?=\n\n|\Z)", text, re.DOTALL))
    for path in (ROOT / "ddb_query").rglob("*.py"):
        top, *inner = path.relative_to(ROOT / "ddb_query").with_suffix("").parts
        if not inner:
            assert f"{top}.py" in text or top.startswith("__"), path
            continue
        for name in inner:
            assert name == "__init__" or f"`{name}" in told[top], path


def test_the_architecture_has_the_map_that_is_drawn_from_the_code() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert picture() == text.split("<!-- map -->\n```\n")[1].split("```")[0]


def test_the_import_contract_lists_every_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    assert contract["exhaustive"]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "<!-- test-command -->" in (ROOT / ".ci/run").read_text("utf-8")
    assert "pytest" in (ROOT / "README.md").read_text("utf-8").split("<!-- test-command -->")[1]
