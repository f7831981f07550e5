"""What `ddb search` asks of a table of hits: ranked prompts or images, counts and facets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation

if TYPE_CHECKING:
    from ddb_query.selection.selection import Selection

FACETS = ("sampler", "user", "term", "day")

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

_FACETS = {
    "sampler": """
select sampler_name(sampler) as sampler, images, prompts
from (
    select sampler, count(*) as images, count(distinct hits.prompt_id) as prompts
    from hits
    inner join selected on selected.prompt_id = hits.prompt_id
    group by sampler
) as grouped
order by images desc, sampler nulls last
""",
    "user": """
select user_name, count(*) as images, count(distinct hits.prompt_id) as prompts
from hits
inner join selected on selected.prompt_id = hits.prompt_id
group by user_name
order by images desc, user_name nulls last
""",
    "day": """
select
    cast(timestamp as date) as day,
    count(*) as images,
    count(distinct hits.prompt_id) as prompts
from hits
inner join selected on selected.prompt_id = hits.prompt_id
group by day
order by day nulls last
""",
    "term": """
select term, cast(sum(images) as bigint) as images, count(*) as prompts
from (
    select distinct prompt_id, images, normalise(clause) as term
    from (
        select matched.prompt_id, matched.images, unnest(string_split(prompt, ',')) as clause
        from (
            select hits.prompt_id, count(*) as images, any_value(selected.prompt) as prompt
            from hits
            inner join selected on selected.prompt_id = hits.prompt_id
            group by hits.prompt_id
        ) as matched
    ) as cut
) as held
where term <> ''
group by term
order by prompts desc, term
""",
}


def ranked_prompts(hits: str, within: Selection | None) -> Relation:
    """Matching prompts, the best first, with how many of their images are in the selection."""
    return _relation(hits, within, _SELECTED_PROMPTS if within else _PROMPTS)


def ranked_images(hits: str, within: Selection | None) -> Relation:
    """The images of matching prompts, the best first."""
    return _relation(hits, within, _IMAGES)


def counted(hits: str, within: Selection | None) -> Relation:
    """How many prompts match, and how many images they have."""
    return _relation(hits, within, _COUNT)


def facet(hits: str, within: Selection | None, by: str) -> Relation:
    """All matches, counted by sampler, user, term or day."""
    return _relation(hits, within, _FACETS[by])


def _relation(table: str, within: Selection | None, sql: str) -> Relation:
    # The table has a name of our own, made of a number.
    parts = [f"hits as (select * from {table})"]
    selected = Relation("select * from images")
    if within:
        selected = within.relation(ordered=False)
    if "selected" in sql:
        parts.append(f"selected as (\n{selected.sql}\n)")
    return Relation(f"with {', '.join(parts)}{sql}", selected.values if "selected" in sql else {})
