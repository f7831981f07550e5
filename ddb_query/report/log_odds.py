"""Which terms and artists set two selections apart: log-odds with an informative Dirichlet prior.

Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16 (2008), section 3.5.1: the prior
of a term is its share in both selections together, as if it had been seen in so many counts more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ddb_query.report.model import Chart, Table

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

PRIOR_COUNTS = 500
SHOWN = 25
_COLUMNS = (
    "rank", "name", "z_score", "log_odds", "a_prompts", "b_prompts", "a_share", "b_share",
    "difference_share",
)  # fmt: skip
_HELP = (
    "Ranked by how surely each is more usual on this side: the log-odds in A against B, with a"
    " prior from both together (Monroe et al. 2008), divided by its standard error; beyond 1.96 it"
    " is hardly chance. What is merely rare does not come up."
)
_MEANINGS = {"share": "of the distinct prompts"}


@dataclass(frozen=True)
class Counted:
    """How many distinct prompts of a selection hold each term, or name each artist.

    Attributes:
        name: What is counted: `term` or `artist`.
        sql: How.
        counts: A column of that name, every one once, and `prompts`.
        prompts: How many distinct prompts the selection has.
    """

    name: str
    sql: str
    counts: pa.Table
    prompts: int


def telling(first: Counted, second: Counted) -> tuple[Table, Table]:
    """What tells A from B, and B from A."""
    import polars as pl

    one, other = (side.counts.rename_columns(["name", "prompts"]) for side in (first, second))
    a, b = (
        pl.col(column) / max(side.prompts, 1)
        for column, side in (("a_prompts", first), ("b_prompts", second))
    )
    scored = log_odds(one, other).with_columns(
        a_share=a.round(6), b_share=b.round(6), difference_share=(a - b).round(6)
    )
    return _table(first, "A", "B", scored, sign=1), _table(first, "B", "A", scored, sign=-1)


def log_odds(first: pa.Table, second: pa.Table) -> pl.DataFrame:
    """Every name of either side: `name`, `a_prompts`, `b_prompts`, `log_odds`, `z_score`.

    Both are positive for those of A, and rounded to six decimals. A name that stands against no
    other has no odds: both are null.

    Args:
        first: `name` and `prompts`, the distinct prompts that hold it, in A; every name once.
        second: The same of B.
    """
    import polars as pl

    one, other = (
        pl.DataFrame(pl.from_arrow(table)).rename({"prompts": name})
        for table, name in ((first, "a_prompts"), (second, "b_prompts"))
    )
    joined = one.join(other, on="name", how="full", coalesce=True).fill_null(0)
    a, b = pl.col("a_prompts"), pl.col("b_prompts")
    prior = (a + b) * PRIOR_COUNTS / (a.sum() + b.sum())
    return (
        joined.with_columns(
            delta=_log_odds_of(a, prior) - _log_odds_of(b, prior),
            deviation=(1 / (a + prior) + 1 / (b + prior)).sqrt(),
        )
        .select(
            "name",
            "a_prompts",
            "b_prompts",
            log_odds=_finite(pl.col("delta")).round(6),
            z_score=_finite(pl.col("delta") / pl.col("deviation")).round(6),
        )
        .sort("name")
    )


def _finite(value: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(value.is_finite()).then(value)


def _log_odds_of(count: pl.Expr, prior: pl.Expr) -> pl.Expr:
    """Logarithm of the odds of a term against all others, with its prior."""
    others = count.sum() + PRIOR_COUNTS - count - prior
    return ((count + prior) / others).log()


def _table(of: Counted, side: str, other: str, scored: pl.DataFrame, *, sign: int) -> Table:
    import polars as pl

    best = (
        scored.filter(pl.col("z_score") * sign > 0)
        .sort([pl.col("z_score") * -sign, pl.col("name")])
        .head(SHOWN)
        .with_row_index("rank", offset=1)
    )
    columns = tuple(of.name if column == "name" else column for column in _COLUMNS)
    rows = tuple(best.select(_COLUMNS).rows())
    name = f"telling-{of.name}s-{side.lower()}"
    title = f"{of.name.capitalize()}s that tell {side} from {other}"
    found = Table(name, title, _HELP, of.sql, columns, rows, _MEANINGS, key=("rank",))
    drawn = tuple({**record, "distance": abs(record["z_score"])} for record in found.records())
    meanings = {"distance": "in standard errors"}
    chart = Chart("ranking", {"x": "distance", "y": of.name}, drawn, meanings)
    return replace(found, chart=chart) if drawn else found
