"""The images that criteria stand for, as SQL: filters, then samples worked out over names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from ddb_query.engines.base import Relation
from ddb_query.selection.columns import HIDDEN
from ddb_query.selection.filters import BLURRED, Conditions, conditions
from ddb_query.selection.repeating import unrepeatable_criteria
from ddb_query.selection.sampling import Step, steps, strata_rows
from ddb_query.selection.strata import Stratum, allocate
from ddb_query.selection.strata import notes as strata_notes
from ddb_query.util.escape import counted

if TYPE_CHECKING:
    from ddb_query.selection.criteria import Criteria
    from ddb_query.selection.inputs import Inputs
    from ddb_query.workspace.search_function import SearchTable
    from ddb_query.workspace.workspace import Workspace

_ORDER = "part_id, image_name"


@dataclass
class _Thinned:
    """The names that are left, in a temporary table, and what there is to tell of them."""

    table: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    strata: list[Stratum] = field(default_factory=list)


class SelectionQuery:
    """A set of images of one dataset. Nothing is asked before it is read.

    Attributes:
        criteria: What it says.
        workspace: Where it is asked.
    """

    def __init__(self, workspace: Workspace, criteria: Criteria, inputs: Inputs) -> None:
        self.workspace = workspace
        self.criteria = criteria
        self._inputs = inputs

    def count(self) -> int:
        """How many images there are."""
        if self._thinned is not None and self.criteria.limit is None:
            return self._taken
        counted = self.relation(ordered=False).over("select count(*)")
        return self.workspace.first(counted)[0]

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

    def subset_names(self) -> list[str] | None:
        """The images of the subset file that the dataset has, by name."""
        subset = self._inputs.subset
        if subset is None:
            return None
        keys = f"select image_key from {subset.table}"
        sql = f"select distinct image_name from source.images where published_image_key in ({keys})"
        answer = self.workspace.answer(Relation(f"{sql} order by image_name"))
        return [str(row[0]) for row in answer.cells()]

    def unsampled(self) -> Self:
        """The images that a sample is taken from."""
        whole = {"sample": None, "stratify": None, "shares": None, "limit": None}
        seed = self.criteria.seed if self.criteria.one_per or self.criteria.max_per else 0
        return self.but(**whole, seed=seed)

    def but(self, **changes: object) -> Self:
        """The same selection with some of its fields changed.

        Args:
            changes: Fields of `Criteria` by name; not `subset` and `match`, which were read.
        """
        return type(self)(self.workspace, self.criteria.but(**changes), self._inputs)

    def to_fetch(self) -> Self:
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
            found.parts += self._inputs.on_disk
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
