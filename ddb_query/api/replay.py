"""Replaying: a subset made again from its source, as its manifest says, on a locked connection."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.api.selection import Selection
from ddb_query.datasets import manifest
from ddb_query.datasets.names import is_free_name
from ddb_query.diffusiondb import DATASETS, view_of
from ddb_query.engines.duckdb.content_hash import Tally, content_hash
from ddb_query.errors import (
    BadManifestError,
    DifferentSubsetError,
    SqlError,
    UntrustedError,
    UsageError,
)
from ddb_query.export import manifest_fields
from ddb_query.export.manifest_fields import criteria_of
from ddb_query.export.selected_rows import manifest as manifest_of
from ddb_query.export.selected_rows import picked, tallied, tallied_statement, write
from ddb_query.export.subset import Layout, form_of, refuse_existing
from ddb_query.export.verify import verify
from ddb_query.export.writers import ENDINGS
from ddb_query.selection.repeating import unrepeatable
from ddb_query.store.paths import MATCH_RULES
from ddb_query.util.escape import counted
from ddb_query.util.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.api.corpus import Corpus
    from ddb_query.datasets.manifest import Manifest
    from ddb_query.engines.base import Rows
    from ddb_query.export.subset import Target
    from ddb_query.util.progress import Progress


def replay(
    corpus: Corpus,
    path: Path,
    *,
    output: Target | None = None,
    form: str | None = None,
    subset: Path | None = None,
    trust: bool = False,
    force: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Make a subset again, and prove both its rows and those made again to be what it says.

    Args:
        corpus: The dataset that it was made from. It is locked: nothing but its files can be read
            through it afterwards.
        path: The subset; a stranger's file.
        output: Where to write it again: a file, an open stream of bytes, or for a folder a folder
            unless its name ends as a file's does; None to compare only.
        form: The format to write; None to tell from the name.
        subset: The subset file that it was made from, if it was.
        trust: Whether its SQL may read and call anything.
        force: Whether `output` is replaced.
        note: Told what will run, before it runs, and what is different now.

    Returns:
        The manifest.

    Raises:
        BadManifestError: The manifest cannot be trusted, or is of another dataset.
        UntrustedError: It wants more than a locked connection gives, or cannot be repeated.
        DifferentSubsetError: The file has other rows than its manifest says, or others come out; a
            file that was asked for is there all the same.
    """
    said = manifest.read(path)
    _compare_sources(corpus, path, said, note)
    layout = _layout(said, output, form)
    if output is not None:
        refuse_existing(output, force=force, folder=layout.partition is not None)
    if not said.replayable and not trust:
        raise UntrustedError(f"{path} cannot be made again: {said.reason}", hint="--trust tries")
    tally = Tally()
    progress = corpus.workspace.source.progress
    differences = _differences(path, progress)
    try:
        made = _again(corpus, path, said, layout, tally, subset, trust=trust, note=note)
        with step(progress, f"making {path.name} again"):
            _read(made, layout, output)
    except SqlError as error:
        if trust or "Permission Error" not in error.message:
            raise
        why = f"a locked connection refuses it: {error.message.splitlines()[0]}"
        raise _untrusted(path, why) from error
    differences += _compared(said, made, tally, same_form=layout.form == said.form)
    if differences:
        raise DifferentSubsetError(path, differences)
    return said


def _differences(path: Path, progress: Progress | None) -> list[str]:
    """How the file as it is differs from what its manifest says."""
    try:
        verify(path, progress=progress)
    except DifferentSubsetError as error:
        return list(error.differences)
    return []


def _compare_sources(
    corpus: Corpus, path: Path, said: Manifest, note: Callable[[str], None]
) -> None:
    source = corpus.workspace.source
    same_table = said.source_footer == source.store.footer_sha256
    if said.dataset != source.dataset.name and not same_table:
        raise BadManifestError(
            path, f"is of dataset {said.dataset}, not of {source.dataset}",
            hint=f"--dataset {said.dataset}",
        )  # fmt: skip
    if said.match_rules != MATCH_RULES:
        note(f"it was made by match rules {said.match_rules}; this ddb has {MATCH_RULES}")
    if said.dataset != source.dataset.name:
        _name_as_there(corpus, said.dataset)
    if not same_table:
        note("it was made from another metadata table than this one; rows may differ")


@dataclass(frozen=True)
class _Again:
    """The rows of a subset, made again.

    Attributes:
        rows: Read once.
        describe: Once they were read: how they were made this time.
        strata: Of a stratified sample.
    """

    rows: Rows
    describe: Callable[[], Manifest]
    strata: list[dict[str, object]] = field(default_factory=list)


def _name_as_there(corpus: Corpus, name: str) -> None:
    """Show the table under the name, too, that SQL knows where the subset was made."""
    dataset = corpus.workspace.source.dataset
    if name in DATASETS:
        corpus.workspace.engine.name_table(DATASETS[name].view, dataset.view)
    elif is_free_name(name):
        corpus.workspace.engine.name_table(view_of(name), dataset.view)


def _again(
    corpus: Corpus,
    path: Path,
    said: Manifest,
    layout: Layout,
    tally: Tally,
    subset: Path | None,
    *,
    trust: bool,
    note: Callable[[str], None],
) -> _Again:
    """What the manifest says, on a connection that is locked by now."""
    workspace = corpus.workspace
    if said.kind != "selection":
        note(f"runs: {said.sql or f'canned query {said.query}'} {_short(said.parameters)}")
        statement = corpus.statement(said.sql, said.query, said.parameters, said.limit)
        relation = statement.relation
        if (why := unrepeatable(workspace.engine, relation.sql)) and not trust:
            raise _untrusted(path, why)
        # Held until the statement holds them: the index cannot be read once all is locked.
        tables = workspace.prepare_calls(relation)
        _lock(corpus, trust=trust)
        answer = tallied_statement(workspace, statement, tally, form=layout.form)
        del tables
        return _Again(
            answer,
            lambda: manifest_fields.of_statement(
                workspace, answer.columns, tally, layout.form, hashed=True,
                said=statement.said, unrepeatable=why,
            ),
        )  # fmt: skip
    note(f"runs: a selection of {_short(said.selection) if said.selection else 'all images'}")
    selection = _selection(corpus, path, said, subset)
    if selection.unrepeatable and not trust:
        raise _untrusted(path, selection.unrepeatable)
    selection.prepare()
    _lock(corpus, trust=trust)
    columns = picked(selection, [name for name, _ in said.columns], said.published)
    layout = replace(layout, columns=columns, published=said.published)
    rows = tallied(selection, layout, tally)
    describe = partial(manifest_of, selection, layout, rows, tally)
    return _Again(rows, describe, [stratum.to_json() for stratum in selection.strata])


def _selection(corpus: Corpus, path: Path, said: Manifest, subset: Path | None) -> Selection:
    criteria = criteria_of(path, said)
    if said.subset is None:
        return Selection(corpus.workspace, criteria)
    if subset is None:
        raise UsageError(f"{path} was made from a subset file", hint="--from FILE gives that file")
    selection = Selection(corpus.workspace, criteria.but(subset=subset))
    if selection.names_hash != said.subset:
        raise DifferentSubsetError(path, [f"was made from another subset file than {subset}"])
    return selection


def _untrusted(path: Path, why: str) -> UntrustedError:
    return UntrustedError(f"{path}: {why}", hint="--trust runs it all the same")


def _lock(corpus: Corpus, *, trust: bool) -> None:
    if not trust:
        corpus.workspace.lock()


def _layout(said: Manifest, output: Target | None, form: str | None) -> Layout:
    """How the rows are read or written: a folder of partitions again, unless a file is named."""
    if output is None:
        return Layout({}, said.form)
    named = isinstance(output, Path) and output.suffix.lower() not in ENDINGS
    folder = said.partition_by is not None and named and not form
    partition = said.partition_by if folder else None
    return Layout({}, form_of(output, form, folder=folder), partition=partition)


def _read(made: _Again, layout: Layout, output: Target | None) -> None:
    rows, form = made.rows, layout.form
    if output is not None:
        write(rows, layout, output, made.describe)
    elif form in ("parquet", "arrow"):
        for _ in rows.reader():
            pass
    else:
        for _ in rows.lines("jsonl" if form in ("json", "jsonl") else "csv"):
            pass


def _compared(said: Manifest, made: _Again, tally: Tally, *, same_form: bool) -> list[str]:
    """How the rows that were made again differ from what the manifest says."""
    differences = []
    if [[one.name, one.type] for one in made.rows.columns[: len(said.columns)]] != said.columns:
        differences.append("gives other columns now")
    if tally.rows != said.rows:
        differences.append(f"gives {counted(tally.rows, 'row')} now, not {said.rows:,}")
    if made.strata != said.strata:
        differences.append("gives other strata now")
    sums = tally.sums[:2] or (0, 0)
    found = content_hash(tally.rows, sums[0], sums[1])
    if same_form and said.content_hash is not None and found != said.content_hash:
        differences.append("gives another content now")
    return differences


def _short(said: object) -> str:
    return json.dumps(said, ensure_ascii=False, default=str)
