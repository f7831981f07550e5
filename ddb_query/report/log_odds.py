"""Which terms set two selections apart: log-odds with an informative Dirichlet prior.

Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16 (2008), section 3.5.1: the prior
of a term is its share in both selections together, as if it had been seen in so many counts more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.report.model import Chart, Table
from ddb_query.report.sections import TERMS_SQL

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

PRIOR_COUNTS = 500
SHOWN_TERMS = 25
_COLUMNS = ("rank", "term", "z_score", "log_odds", "a_prompts", "b_prompts")
_HELP = (
    "Terms by how surely they are more usual on this side: the log-odds of a term in A against B,"
    " with a prior from both together (Monroe et al. 2008), divided by its standard error; beyond"
    " 1.96 it is hardly chance. Terms that are merely rare do not come up."
)


def telling_terms(first: pa.Table, second: pa.Table) -> tuple[Table, Table]:
    """The terms that tell A from B, and B from A.

    Args:
        first: `term` and `prompts`, the distinct prompts that hold it, in A; every term once.
        second: The same of B.
    """
    scored = log_odds(first, second)
    return (
        _table("telling-a", "Terms that tell A from B", scored, sign=1),
        _table("telling-b", "Terms that tell B from A", scored, sign=-1),
    )


def log_odds(first: pa.Table, second: pa.Table) -> pl.DataFrame:
    """Every term of either side: `term`, `a_prompts`, `b_prompts`, `log_odds`, `z_score`.

    Both are positive for terms of A, and rounded to six decimals.
    """
    import polars as pl

    one, other = (
        pl.DataFrame(pl.from_arrow(table)).rename({"prompts": name})
        for table, name in ((first, "a_prompts"), (second, "b_prompts"))
    )
    joined = one.join(other, on="term", how="full", coalesce=True).fill_null(0)
    a, b = pl.col("a_prompts"), pl.col("b_prompts")
    prior = (a + b) * PRIOR_COUNTS / (a.sum() + b.sum())
    return (
        joined.with_columns(
            delta=_log_odds_of(a, prior) - _log_odds_of(b, prior),
            deviation=(1 / (a + prior) + 1 / (b + prior)).sqrt(),
        )
        .select(
            "term",
            "a_prompts",
            "b_prompts",
            log_odds=pl.col("delta").round(6),
            z_score=(pl.col("delta") / pl.col("deviation")).round(6),
        )
        .sort("term")
    )


def _log_odds_of(count: pl.Expr, prior: pl.Expr) -> pl.Expr:
    """Logarithm of the odds of a term against all others, with its prior."""
    others = count.sum() + PRIOR_COUNTS - count - prior
    return ((count + prior) / others).log()


def _table(name: str, title: str, scored: pl.DataFrame, *, sign: int) -> Table:
    import polars as pl

    best = (
        scored.filter(pl.col("z_score") * sign > 0)
        .sort([pl.col("z_score") * -sign, pl.col("term")])
        .head(SHOWN_TERMS)
        .with_row_index("rank", offset=1)
    )
    rows = tuple(best.select(_COLUMNS).rows())
    table = Table(name, title, _HELP, TERMS_SQL, _COLUMNS, rows, key=("rank",))
    if not rows:
        return table
    drawn = [{**record, "distance": abs(record["z_score"])} for record in table.records()]
    meanings = {"distance": "in standard errors"}
    chart = Chart("ranking", {"x": "distance", "y": "term"}, tuple(drawn), meanings)
    return Table(name, title, _HELP, TERMS_SQL, _COLUMNS, rows, key=("rank",), chart=chart)
