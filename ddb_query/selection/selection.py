"""Selection: a set of a corpus's images, described by criteria, worked out when it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Unpack

from ddb_query.dataset import REVISION
from ddb_query.engines.base import Relation
from ddb_query.errors import NotPicklableError, UsageError
from ddb_query.hub.endpoint import PATIENCE_SECONDS, Hub
from ddb_query.printable import counted
from ddb_query.selection.columns import HIDDEN
from ddb_query.selection.filters import BLURRED, Conditions, conditions
from ddb_query.selection.inputs import Inputs
from ddb_query.selection.repeating import unrepeatable_criteria
from ddb_query.selection.strata import Stratum, allocate
from ddb_query.selection.strata import notes as strata_notes
from ddb_query.selection.thinning import Step, steps, strata_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ddb_query.engines.base import Result
    from ddb_query.images.order import Fetched, OrderFields
    from ddb_query.images.plan import Plan
    from ddb_query.report.model import Report
    from ddb_query.search_tables import SearchTable
    from ddb_query.selection.criteria import Criteria, Shares
    from ddb_query.selection.criteria import Stratum as StratumName
    from ddb_query.selection.exporting import Exported
    from ddb_query.subset_writing import Target
    from ddb_query.workspace import Workspace

_ORDER = "part_id, image_name"
_FIRST_ROWS = 10


@dataclass
class _Thinned:
    """The names that are left, in a temporary table, and what there is to tell of them."""

    table: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    strata: list[Stratum] = field(default_factory=list)


class Selection:
    """A set of images. Nothing is asked before it is read; made by `Corpus.select`.

    Attributes:
        criteria: What it says.
        workspace: Where it is asked.
    """

    def __init__(
        self, workspace: Workspace, criteria: Criteria, inputs: Inputs | None = None
    ) -> None:
        self.workspace = workspace
        self.criteria = criteria
        self._inputs = inputs or Inputs(workspace, criteria)

    def count(self) -> int:
        """How many images there are."""
        if self._thinned is not None and self.criteria.limit is None:
            return self._taken
        counted = self.relation(ordered=False).over("select count(*)")
        return self.workspace.first(counted)[0]

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        stratify: StratumName | None = None,
        shares: Shares | None = None,
    ) -> Selection:
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
    def strata(self) -> list[Stratum]:
        """Of a stratified sample: size, taken and weight of each stratum, the largest first."""
        return self._thinned.strata if self._thinned else []

    @property
    def names_hash(self) -> str | None:
        """The content hash of the subset file's names: which subset it is."""
        subset = self._inputs.subset
        return subset.names_hash if subset else None

    @cached_property
    def unrepeatable(self) -> str | None:
        """Why the same images cannot be selected again; None when they can."""
        return unrepeatable_criteria(self.workspace.engine, self.criteria)

    @property
    def missing(self) -> int:
        """How many of the images that the subset file names are not in the dataset."""
        subset = self._inputs.subset
        return subset.missing if subset else 0

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
        from ddb_query.selection.exporting import picked
        from ddb_query.selection.plain_sql import plain_sql

        if self.criteria.on_disk:
            raise UsageError("which images are on disk cannot be said in SQL for elsewhere")
        words, workspace = self.criteria.match, self.workspace
        tree = workspace.source.finder.parse(words) if words is not None else None
        self._check()
        strata = self.strata if self.criteria.stratify else []
        wanted = picked(self, workspace, columns, not columns, drop)
        source = workspace.source
        return plain_sql(
            self.criteria, source.dataset, source.table, tree, strata, self.order, wanted,
            self._names(), repeated=source.definition[-1] > 0,
        )  # fmt: skip

    def _names(self) -> list[str] | None:
        """The images of the subset file that the dataset has, by name."""
        subset = self._inputs.subset
        if subset is None:
            return None
        keys = f"select image_key from {subset.table}"
        sql = f"select distinct image_name from source.images where published_image_key in ({keys})"
        answer = self.workspace.answer(Relation(f"{sql} order by image_name"))
        return [str(row[0]) for row in answer.cells()]

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
        from ddb_query.selection.exporting import export

        return export(
            self, self.workspace, path, columns=columns, drop=drop, form=form,
            partition_by=partition_by, hashed=hashed, force=force,
        )  # fmt: skip

    def from_fewest_parts(self) -> Selection:
        """The same sample, but from as few parts as have so many images to choose from.

        Fewer requests; but a part holds the images of few users and hours, and so does the sample.

        Raises:
            UsageError: It is no sample.
        """
        from ddb_query.selection.fetching import from_fewest_parts

        return self.but(part=from_fewest_parts(self.to_fetch(), self.workspace))

    def unsampled(self) -> Selection:
        """The images that a sample is taken from."""
        whole = {"sample": None, "stratify": None, "shares": None, "limit": None}
        seed = self.criteria.seed if self.criteria.one_per or self.criteria.max_per else 0
        return self.but(**whole, seed=seed)

    def but(self, **changes: object) -> Selection:
        """The same selection with some of its fields changed.

        Args:
            changes: Fields of `Criteria` by name; not `subset` and `match`, which were read.
        """
        return Selection(self.workspace, self.criteria.but(**changes), self._inputs)

    def to_fetch(self) -> Selection:
        """The images that a fetch takes: without blurred ones, unless these are asked for."""
        if self.criteria.thresholds.include_blurred:
            return self
        return self.but(exclude_blurred=True)

    def blurred_left_out(self) -> int:
        """How many images pass all filters but for being blurred."""
        if not self.criteria.exclude_blurred:
            return 0
        found = self.but(exclude_blurred=False)._passing
        blurred = Conditions([*found.parts, BLURRED]).where
        counted = Relation(f"select count(*) from source.images{blurred}", found.values)
        return self.workspace.first(counted)[0]

    def plan(
        self,
        folder: Path | str | None = None,
        *,
        revision: str = REVISION,
        **order: Unpack[OrderFields],
    ) -> Plan:
        """What fetching the images would cost; asks nobody and writes nothing but to the cache.

        Args:
            folder: Where they would go; what is there already is not counted.
            revision: Branch, tag or commit of the repository.
            order: As for `fetch`.
        """
        from ddb_query.images.order import Order
        from ddb_query.selection.fetching import plan

        place = Path(folder) if folder is not None else None
        return plan(self.to_fetch(), self.workspace, place, Order.of(order), revision)

    def fetch(
        self,
        folder: Path | str,
        *,
        revision: str = REVISION,
        patience: float = PATIENCE_SECONDS,
        note: Callable[[str], None] = lambda _: None,
        **order: Unpack[OrderFields],
    ) -> Fetched:
        """Fetch the images, and only those that the folder does not hold yet; docs/fetch.md.

        Images that Stable Diffusion blurred are left out, before a sample is taken, without
        `include_blurred`.

        Args:
            folder: Where they go.
            revision: Branch, tag or commit of the repository.
            patience: How many seconds are waited for a network that is not there.
            note: Told of waits.
            order: `layout`, `class_by`, `jobs`, `local`, `retry_failed`, `check_json`: the fields
                of `OrderFields`.

        Returns:
            What was done; `complete` says whether all is there, `stopped` what ended it before.

        Raises:
            OutputError: The folder cannot be written, or the disk is full.
            UsageError: It holds images of another dataset, or in another layout.
        """
        from ddb_query.images.order import Order
        from ddb_query.selection.fetching import fetch

        hub = Hub.from_environment(revision=revision, patience_seconds=patience)
        options = Order.of(order)
        return fetch(self.to_fetch(), self.workspace, Path(folder), options, hub, note)

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
        from ddb_query.selection.reporting import report

        return report(self, versus=versus, title=title, sections=sections, users=users)

    def relation(self, *, ordered: bool = True) -> Relation:
        """What it stands for: a SELECT of all columns of `images`, with `weight` and `score`.

        Args:
            ordered: Whether the order of the rows matters.

        Raises:
            SqlError: The engine refuses a condition.
        """
        return self.rows(f"* exclude ({', '.join(HIDDEN)})", ordered=ordered)

    def rows(
        self,
        columns: str,
        *,
        ordered: bool = True,
        first: str | None = None,
        also: str = "",
    ) -> Relation:
        """The rows with columns of ddb's own choice.

        Args:
            columns: SQL over `images`, those that its view leaves out among them.
            ordered: Whether the order of the rows matters.
            first: What the rows are ordered by before anything else.
            also: One more condition over `images`.
        """
        source, extra, found = "from source.images", "", self._passing
        if self._thinned is not None:
            found = Conditions()
            source += f"\ninner join {self._thinned.table} as chosen"
            source += "\n    on chosen.image_key = published_image_key"
            extra = ", chosen.weight" if self.criteria.stratify else ""
        if self._inputs.hits:
            source += f"\ninner join {self._inputs.hits} as hits using (prompt_id)"
            extra += ", round(hits.score, 6) as score"
        parts = [*found.parts, *([also] if also else [])]
        where = Conditions(parts).where
        inner = f"select images.*{extra}\n{source}{where}{self._end(ordered=ordered)}"
        order = f"\norder by {first}, {_ORDER}" if first else ""
        return Relation(f"select {columns}\nfrom (\n{inner}\n) as images{order}", found.values)

    def prepare(self) -> None:
        """Have at hand what a search in it needs, before the engine is locked."""
        _ = self._search_tables
        if self.criteria.match is not None:
            # Normalising its words opens a connection, which a locked engine refuses.
            self.workspace.parse(self.criteria.match)

    def notes(self) -> list[str]:
        """What a person should know of how it came out."""
        found = []
        for group, count in self._thinned.left_out.items() if self._thinned else ():
            what = "a known user" if group == "user" else "a prompt"
            found.append(f"left out {counted(count, 'image')} without {what}")
        found += strata_notes(self.strata, self.criteria.shares or "proportional")
        sample = self.criteria.sample
        if sample is not None and (there := self._taken) < sample:
            found.append(f"the sample has all that there are: {counted(there, 'image')}")
        return found

    @property
    def order(self) -> str:
        """SQL over `images` by which the rows are ordered, totally."""
        given = self.criteria.order_by
        return f"{given}\n, {_ORDER}" if given else _ORDER

    def _end(self, *, ordered: bool) -> str:
        limit = self.criteria.limit
        end = f"\norder by {self.order}" if ordered or limit else ""
        return end + (f"\nlimit {limit}" if limit else "")

    @cached_property
    def _passing(self) -> Conditions:
        """What every image passes by itself."""
        self._check()
        found = conditions(self.criteria)
        if self._inputs.hits:
            found.parts.append(f"prompt_id in (select prompt_id from {self._inputs.hits})")
        if subset := self._inputs.subset:
            keys = f"select image_key from {subset.table}"
            found.parts.append(f"published_image_key in ({keys})")
        if self.criteria.on_disk:
            from ddb_query.selection.fetching import on_disk

            found.parts += on_disk(self.workspace)
        return found

    def _check(self) -> None:
        """See whether the user's own SQL is a condition and an order, and only reads."""
        criteria, engine = self.criteria, self.workspace.engine
        if criteria.where is not None:
            _ = self._search_tables
            engine.check_condition("images", criteria.where)
        if criteria.order_by is not None:
            engine.check_order(Relation("from images"), "images", criteria.order_by)
        _ = self.unrepeatable

    @cached_property
    def _search_tables(self) -> list[SearchTable]:
        """What its condition searches for, held as long as the selection."""
        return self.workspace.prepare_calls(Relation(self.criteria.where or ""))

    @cached_property
    def _thinned(self) -> _Thinned | None:
        found = None
        for step in steps(self.criteria):
            found = self._take(step, found or _Thinned())
        return found

    @property
    def _taken(self) -> int:
        """How many images thinning left."""
        table = self._thinned.table if self._thinned else ""
        return self.workspace.first(Relation(f"select count(*) from {table}"))[0]

    def _take(self, step: Step, before: _Thinned) -> _Thinned:
        """Work out one step; the images it takes are kept in a table."""
        workspace = self.workspace
        passing = Relation(f"from source.images{self._passing.where}", self._passing.values)
        left_out, strata, table = dict(before.left_out), [], None
        if step.stratified:
            strata = self._allocated(step.sizes(passing, before.table))
            table = workspace.keep(strata_rows(strata), "strata")
        elif step.by:
            count = workspace.first(step.left_out(passing, before.table))[0]
            left_out |= {step.by: count} if count else {}
        chosen = step.relation(passing, before.table, self.criteria.seed, table)
        return _Thinned(workspace.keep(chosen, step.kind), left_out, strata)

    def _allocated(self, sizes: Relation) -> list[Stratum]:
        answer = self.workspace.ask(sizes).answer
        found = [(row[0], int(row[1] or 0)) for row in answer.cells()] if answer else []
        taken = allocate(
            [size for _, size in found],
            self.criteria.sample or 0,
            self.criteria.shares or "proportional",
        )
        return [Stratum(*one, count) for one, count in zip(found, taken, strict=True)]

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError("Selection", "send the names of its images, or a file of `export`")

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.criteria.to_json().items())
        return f"<Selection: {said or 'all images'}>"

    def _repr_html_(self) -> str:
        return self.result()._repr_html_()
