"""What `ddb search` asks: ranked prompts or their images, counts and facets of all matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation

if TYPE_CHECKING:
    from ddb_query.search.index import Hits
    from ddb_query.selection import Filters

FACETS = ("sampler", "user", "term", "day")

# A table, not a subquery, so that the engine knows how few they are when it plans the join.
_KEPT = """create temp table {table} as
select unnest(cast($ids as bigint[])) as prompt_id, unnest(cast($scores as double[])) as score
"""

_PROMPTS = """
select prompts.prompt_id, round(hits.score, 6) as score, prompts.images, prompts.prompt
from hits
inner join prompts on prompts.prompt_id = hits.prompt_id
order by score desc, prompts.images desc, prompts.prompt_id
"""

_SELECTED_PROMPTS = """
select
    hits.prompt_id,
    round(any_value(hits.score), 6) as score,
    count(*) as images,
    any_value(selected.prompt) as prompt
from hits
inner join selected on selected.prompt_id = hits.prompt_id
group by hits.prompt_id
order by score desc, images desc, hits.prompt_id
"""

_IMAGES = """
select
    selected.image_name,
    selected.prompt,
    round(hits.score, 6) as score,
    selected.part_id,
    selected.image_nsfw,
    selected.prompt_nsfw
from hits
inner join selected on selected.prompt_id = hits.prompt_id
order by score desc, selected.part_id, selected.image_name
"""

_COUNT = """
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
    select prompts.prompt_id, prompts.images, prompts.prompt
    from hits
    inner join prompts on prompts.prompt_id = hits.prompt_id
)"""
_SELECTED_MATCHED = """matched as (
    select hits.prompt_id, count(*) as images, any_value(selected.prompt) as prompt
    from hits
    inner join selected on selected.prompt_id = hits.prompt_id
    group by hits.prompt_id
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
    select distinct prompt_id, images, normalise(clause) as term
    from (
        select prompt_id, images, unnest(string_split(prompt, ',')) as clause
        from matched
    ) as cut
) as held
where term <> ''
group by term
order by prompts desc, term
""",
}


def kept(hits: Hits, table: str) -> Relation:
    """Hits as a temporary table of this name, for the relations below."""
    values = {"ids": hits.prompt_ids.tolist(), "scores": hits.scores.tolist()}
    return Relation(_KEPT.format(table=table), values)


def ranked_prompts(table: str, filters: Filters) -> Relation:
    """Matching prompts, the best first, with how many of their images pass the filters."""
    return _relation(table, filters, _PROMPTS if filters.empty else _SELECTED_PROMPTS)


def ranked_images(table: str, filters: Filters) -> Relation:
    """The images of matching prompts, the best first."""
    return _relation(table, filters, _IMAGES)


def counted(table: str, filters: Filters) -> Relation:
    """How many prompts match, and how many images they have."""
    return _relation(table, filters, _COUNT)


def facet(table: str, filters: Filters, by: str) -> Relation:
    """All matches, counted by sampler, user, term or day."""
    whole, selected = (_MATCHED, _SELECTED_MATCHED) if by == "term" else (_MADE, _SELECTED_MADE)
    return _relation(table, filters, _FACETS[by], whole if filters.empty else selected)


def _relation(table: str, filters: Filters, sql: str, *more: str) -> Relation:
    # The table has a name of our own, made of a number.
    parts = [f"hits as (select * from {table})"]  # noqa: S608
    values: dict[str, object] = {}
    if any("selected" in text for text in (sql, *more)):
        selected = filters.relation()
        parts.append(f"selected as (\n{selected.sql}\n)")
        values.update(selected.values)
    return Relation(f"with {', '.join([*parts, *more])}{sql}", values)
