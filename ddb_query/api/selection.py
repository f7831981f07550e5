"""Selection: a set of a corpus's images, described by criteria, worked out when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Unpack

from ddb_query.diffusiondb import REVISION
from ddb_query.errors import NotPicklableError, UsageError
from ddb_query.hub.config import PATIENCE_SECONDS, Hub
from ddb_query.selection.inputs import Inputs
from ddb_query.selection.query import SelectionQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ddb_query.api.report import Report
    from ddb_query.engines.base import Result
    from ddb_query.export.selected_rows import Exported
    from ddb_query.export.subset import Target
    from ddb_query.fetch.options import FetchFields, FetchResult
    from ddb_query.fetch.plan import Plan
    from ddb_query.selection.criteria import Criteria, Shares
    from ddb_query.selection.criteria import Stratum as StratumName
    from ddb_query.workspace.workspace import Workspace

_FIRST_ROWS = 10


class Selection(SelectionQuery):
    """A set of images. Nothing is asked before it is read; made by `Corpus.select`.

    Attributes:
        criteria: What it says.
        workspace: Where it is asked.
    """

    def __init__(
        self, workspace: Workspace, criteria: Criteria, inputs: Inputs | None = None
    ) -> None:
        super().__init__(workspace, criteria, inputs or Inputs(workspace, criteria, _on_disk))

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        stratify: StratumName | None = None,
        shares: Shares | None = None,
    ) -> Self:
        """So many of the images, chosen by a hash of their names: the same ones everywhere.

        Args:
            count: How many; all of them when there are fewer.
            seed: Another seed gives another sample.
            stratify: Take from each sampler, user, day or nsfw-band.
            shares: As many from each as its size asks for (`proportional`), or as many (`equal`).

        Raises:
            UsageError: This is a sample already, or has a limit.
        """
        if self.criteria.sample is not None or self.criteria.limit is not None:
            raise UsageError("a sample or a limit cannot be sampled", hint="sample, then limit")
        return self.but(sample=count, seed=seed, stratify=stratify, shares=shares)

    def head(self, count: int = _FIRST_ROWS) -> Result:
        """The first images, with the columns of the view `images`.

        Args:
            count: How many.
        """
        return self.workspace.ask(self.relation(), count)

    def result(self) -> Result:
        """The images, with the columns of the view `images`."""
        return self.workspace.ask(self.relation())

    def arrow(self) -> pa.Table:
        """The images as a pyarrow.Table."""
        return self.result().arrow()

    def pl(self) -> pl.DataFrame:
        """The images as a polars.DataFrame."""
        return self.result().pl()

    def df(self) -> pd.DataFrame:
        """The images as a pandas.DataFrame.

        Raises:
            MissingPackageError: pandas is not there; ddb-query does not install it.
        """
        return self.result().df()

    @property
    def sql(self) -> str:
        """SQL that gives the published columns of the same rows; `plain_sql` has more to say."""
        return self.plain_sql()

    def plain_sql(
        self, *, columns: str | Sequence[str] = (), drop: str | Sequence[str] = ()
    ) -> str:
        """SQL that gives what `export` writes, in plain DuckDB, from the published metadata table.

        Args:
            columns: As for `export`.
            drop: As for `export`.

        Raises:
            UsageError: It is about what is on the disk here, or else plain DuckDB does not have.
        """
        from ddb_query.export.selected_rows import picked
        from ddb_query.selection.duckdb_script import plain_sql

        if self.criteria.on_disk:
            raise UsageError("which images are on disk cannot be said in SQL for elsewhere")
        words, workspace = self.criteria.match, self.workspace
        tree = workspace.source.searcher.parse(words) if words is not None else None
        self._check()
        strata = self.strata if self.criteria.stratify else []
        wanted = picked(self, columns, not columns, drop)
        source = workspace.source
        return plain_sql(
            self.criteria, source.dataset, source.table, tree, strata, self.order, wanted,
            self.subset_names(), repeated=source.definition[-1] > 0,
        )  # fmt: skip

    def export(
        self,
        path: Target | str,
        *,
        columns: str | Sequence[str] = (),
        drop: str | Sequence[str] = (),
        form: str | None = None,
        partition_by: str | None = None,
        hashed: bool = True,
        force: bool = False,
    ) -> Exported:
        """Write the images to a file that says how it was made.

        Args:
            path: The file, or an open stream of bytes, or with `partition_by` the folder.
            columns: Columns of `images`, and `score`; none for those published, as published.
            drop: Columns to leave out.
            form: parquet, csv, tsv, jsonl, json or arrow; None to tell from the ending.
            partition_by: Write a folder with a file for each sampler, day or part.
            hashed: Whether the manifest holds the content hash.
            force: Whether what is there already is replaced.

        Raises:
            ExistsError: It exists, and `force` is not given.
            OutputError: It cannot be written; what was there stays as it was.
            UsageError: A column, format or partition makes no sense.
        """
        from ddb_query.export.selected_rows import export

        return export(
            self, path, columns=columns, drop=drop, form=form,
            partition_by=partition_by, hashed=hashed, force=force,
        )  # fmt: skip

    def from_fewest_parts(self) -> Self:
        """The same sample, but from as few parts as have so many images to choose from.

        Fewer requests; but a part holds the images of few users and hours, and so does the sample.

        Raises:
            UsageError: It is no sample.
        """
        from ddb_query.fetch.selected import from_fewest_parts

        return self.but(part=from_fewest_parts(self.to_fetch()))

    def plan(
        self,
        folder: Path | str | None = None,
        *,
        revision: str = REVISION,
        **order: Unpack[FetchFields],
    ) -> Plan:
        """What fetching the images would cost; asks nobody and writes nothing but to the cache.

        Args:
            folder: Where they would go; what is there already is not counted.
            revision: Branch, tag or commit of the repository.
            order: As for `fetch`.
        """
        from ddb_query.fetch.options import FetchOptions
        from ddb_query.fetch.selected import plan

        place = Path(folder) if folder is not None else None
        return plan(self.to_fetch(), place, FetchOptions.of(order), revision)

    def fetch(
        self,
        folder: Path | str,
        *,
        revision: str = REVISION,
        patience: float = PATIENCE_SECONDS,
        note: Callable[[str], None] = lambda _: None,
        **order: Unpack[FetchFields],
    ) -> FetchResult:
        """Fetch the images, and only those that the folder does not hold yet; docs/fetch.md.

        Images that Stable Diffusion blurred are left out, before a sample is taken, without
        `include_blurred`.

        Args:
            folder: Where they go.
            revision: Branch, tag or commit of the repository.
            patience: How many seconds are waited for a network that is not there.
            note: Told of waits.
            order: `layout`, `class_by`, `jobs`, `local`, `retry_failed`, `check_json`: the fields
                of `FetchFields`.

        Returns:
            What was done; `complete` says whether all is there, `stopped` what ended it before.

        Raises:
            OutputError: The folder cannot be written, or the disk is full.
            UsageError: It holds images of another dataset, or in another layout.
        """
        from ddb_query.fetch.options import FetchOptions
        from ddb_query.fetch.selected import fetch

        hub = Hub.from_environment(revision=revision, patience_seconds=patience)
        options = FetchOptions.of(order)
        return fetch(self.to_fetch(), Path(folder), options, hub, note)

    def report(
        self,
        *,
        versus: Selection | Literal["rest"] | None = None,
        title: str = "",
        sections: Sequence[str] = (),
        users: bool = False,
    ) -> Report:
        """Statistics of the images; `save` it as .html, .md, .json or .txt.

        Args:
            versus: Another selection, of any corpus, to compare with; `rest` for all other images.
            title: The report's heading.
            sections: Names of sections; none for all. docs/report.md has them.
            users: Whether the hashes that stand for users' names are shown.

        Raises:
            UsageError: There is no section of that name.
            SqlError: The engine refuses a condition.
        """
        from ddb_query.api.report import Report
        from ddb_query.report.selected import report

        made = report(self, versus=versus, title=title, sections=sections, users=users)
        return Report.of(made)

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError("Selection", "send the names of its images, or a file of `export`")

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.criteria.to_json().items())
        return f"<Selection: {said or 'all images'}>"

    def _repr_html_(self) -> str:
        return self.result()._repr_html_()


def _on_disk(workspace: Workspace) -> list[str]:
    """Conditions for the images that need no network; loaded when one is asked for."""
    from ddb_query.fetch.selected import on_disk

    return on_disk(workspace)
