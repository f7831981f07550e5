"""What `ddb search` asks of a table of hits: ranked prompts or images, counts and facets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation

if TYPE_CHECKING:
    from ddb_query.selection.query import SelectionQuery

FACETS = ("sampler", "user", "term", "day")

_PROMPTS = """
select prompts.prompt_id, round(hits.score, 6) as score, prompts.images, prompts.prompt
from hits
inner join prompts on prompts.prompt_id = hits.prompt_id
"""

_BEST_PROMPTS = "score desc, images desc, prompt_id"
_SELECTED_PROMPTS = """
select
    hits.prompt_id,
    round(any_value(hits.score), 6) as score,
    count(*) as images,
    any_value(selected.prompt) as prompt
from hits
inner join selected on selected.prompt_id = hits.prompt_id
group by hits.prompt_id
"""

# All columns, so that images can be ordered by any; some are shown.
_IMAGES = """
select selected.*, round(hits.score, 6) as score
from hits
inner join selected on selected.prompt_id = hits.prompt_id
"""
_BEST_IMAGES = "score desc, part_id, image_name"
_SHOWN = "image_name, prompt, score, part_id, image_nsfw, prompt_nsfw"

_COUNT = """
select count(*) as prompts, coalesce(cast(sum(prompts.images) as bigint), 0) as images
from hits
inner join prompts on prompts.prompt_id = hits.prompt_id
"""

_SELECTED_COUNT = """
select count(distinct hits.prompt_id) as prompts, count(*) as images
from hits
inner join selected on selected.prompt_id = hits.prompt_id
"""

# What facets count: each row stands for so many images of one prompt.
_MADE = "made as (select prompt_id, user_name, sampler, hour, images from activity)"
_SELECTED_MADE = """made as (
    select prompt_id, user_name, sampler, timestamp as hour, 1 as images from selected
)"""
_MATCHED = """matched as (
    select clauses.images, clauses.clauses
    from hits
    inner join clauses on clauses.prompt_id = hits.prompt_id
)"""
_SELECTED_MATCHED = """matched as (
    select counted.images, clauses.clauses
    from (
        select hits.prompt_id, count(*) as images
        from hits
        inner join selected on selected.prompt_id = hits.prompt_id
        group by hits.prompt_id
    ) as counted
    inner join clauses on clauses.prompt_id = counted.prompt_id
)"""

_FACETS = {
    "sampler": """
select sampler_name(sampler) as sampler, images, prompts
from (
    select
        sampler,
        cast(sum(made.images) as bigint) as images,
        count(distinct hits.prompt_id) as prompts
    from hits
    inner join made on made.prompt_id = hits.prompt_id
    group by sampler
) as grouped
order by images desc, sampler nulls last
""",
    "user": """
select
    user_name,
    cast(sum(made.images) as bigint) as images,
    count(distinct hits.prompt_id) as prompts
from hits
inner join made on made.prompt_id = hits.prompt_id
group by user_name
order by images desc, user_name nulls last
""",
    "day": """
select
    cast(hour as date) as day,
    cast(sum(made.images) as bigint) as images,
    count(distinct hits.prompt_id) as prompts
from hits
inner join made on made.prompt_id = hits.prompt_id
group by day
order by day nulls last
""",
    "term": """
select term, cast(sum(images) as bigint) as images, count(*) as prompts
from (
    select images, unnest(list_distinct(string_split(clauses, ','))) as term
    from matched
) as held
where term <> ''
group by term
order by prompts desc, term
""",
}


@dataclass(frozen=True)
class Ranked:
    """What a search found, and the order in which it comes.

    Attributes:
        rows: Prompts or images, in any order.
        name: What stands before a column in an order.
        shown: The columns to show.
        best: The order by rank, which is total.
    """

    rows: Relation
    name: str
    shown: str
    best: str

    def ordered(self, order_by: str | None) -> Relation:
        """The rows by rank, or in an order that was checked; the rank breaks ties."""
        order = f"{order_by}\n, {self.best}" if order_by else self.best
        sql = f"select {self.shown}\nfrom (\n{self.rows.sql}\n) as {self.name}\norder by {order}"
        return Relation(sql, self.rows.values)


def ranked_prompts(hits: str, within: SelectionQuery | None) -> Ranked:
    """Matching prompts, with how many of their images are in the selection."""
    sql = _PROMPTS if within is None else _SELECTED_PROMPTS
    rows = _relation(hits, _images(within) if within else None, sql)
    return Ranked(rows, "prompts", "*", _BEST_PROMPTS)


def ranked_images(hits: str, within: SelectionQuery | None) -> Ranked:
    """The images of matching prompts."""
    rows = _relation(hits, _images(within), _IMAGES)
    return Ranked(rows, "images", _SHOWN, _BEST_IMAGES)


def counted(hits: str, within: SelectionQuery | None) -> Relation:
    """How many prompts match, and how many images they have."""
    if within is None:
        return _relation(hits, None, _COUNT)
    return _relation(hits, _images(within), _SELECTED_COUNT)


def facet(hits: str, within: SelectionQuery | None, by: str) -> Relation:
    """All matches, counted by sampler, user, term or day."""
    whole, selected = (_MATCHED, _SELECTED_MATCHED) if by == "term" else (_MADE, _SELECTED_MADE)
    if within is None:
        return _relation(hits, None, _FACETS[by], whole)
    return _relation(hits, _images(within), _FACETS[by], selected)


def _images(within: SelectionQuery | None) -> Relation:
    return within.relation(ordered=False) if within else Relation("select * from images")


def _relation(table: str, selected: Relation | None, sql: str, *more: str) -> Relation:
    # The table has a name of our own, made of a number.
    parts = [f"hits as (select * from {table})"]
    if selected is not None:
        parts.append(f"selected as (\n{selected.sql}\n)")
    return Relation(f"with {', '.join([*parts, *more])}{sql}", selected.values if selected else {})
