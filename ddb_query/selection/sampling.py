"""Thinning: one per, at most so many per, and samples, worked out over names before rows.

Each step is a SELECT of image names from those of the step before it. A corpus keeps what each
gives in a temporary table; in SQL for people they are the parts of a WITH.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation
from ddb_query.selection.criteria import MOST_PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.selection.criteria import Criteria
    from ddb_query.selection.strata import Stratum

_HASH = "md5($seed || ':' || image_name)"

_NAMED = "image_name, published_image_key as image_key"
_BAND = """case
            when image_blurred then 'blurred'
            when image_nsfw_score <= cast(0.1 as real) then 'to 0.1'
            when image_nsfw_score <= cast(0.2 as real) then 'to 0.2'
            when image_nsfw_score <= cast(0.5 as real) then 'to 0.5'
            when image_nsfw_score <= 1 then 'to 1'
            else 'none'
        end"""
_KEYS = {
    "sampler": "sampler_name",
    "day": "cast(cast(timestamp as date) as varchar)",
    "nsfw-band": _BAND,
    # Grouping by the text takes half as long as making its number first.
    "prompt": "prompt",
    "family": "prompt_id",
    "user": "user_name",
}
# Deleted accounts are not a user, unless they are asked for.
_KNOWN_USER = "nullif(user_name, 'deleted_account')"
_ANY_USER = "coalesce(user_name, 'deleted_account')"

_FAMILIES = """
left join (
    select prompt_id as of_prompt, min(prompt_id) over (partition by text) as family
    from prompts
) as families on families.of_prompt = of_images.grouped_by"""

_ONE_PER = f"""
select arg_min(image_key, {_HASH}) as image_key
from candidates
where grouped_by is not null
group by grouped_by"""

_MAX_PER = f"""
select unnest(arg_min(image_key, {_HASH}, {{count}})) as image_key
from candidates
where grouped_by is not null
group by grouped_by"""

_SAMPLE = f"""
select image_key
from candidates
order by {_HASH}, image_name
limit {{count}}"""

_FROM_STRATA = f"""
select unnest(arg_min(image_key, {_HASH}, taken)) as image_key, weight
from candidates
inner join strata on strata.name is not distinct from candidates.grouped_by
where taken > 0
group by strata.name, taken, weight"""

# For more of a group than arg_min keeps; it takes four times as long and as much memory.
_RANKED_STRATA = f"""
select image_key, weight
from (
    select
        image_key,
        weight,
        taken,
        row_number() over (partition by strata.name order by {_HASH}, image_name) as place
    from candidates
    inner join strata on strata.name is not distinct from candidates.grouped_by
) as ranked
where place <= taken"""

STRATA = """
select
    unnest(cast($names as varchar[])) as name,
    unnest(cast($taken as bigint[])) as taken,
    unnest(cast($weights as double[])) as weight"""
_SIZES = """
select grouped_by, count(*) as size
from candidates
group by grouped_by
order by size desc, grouped_by nulls last"""
_LEFT_OUT = "\nselect count(*) from candidates where grouped_by is null"


@dataclass(frozen=True)
class Step:
    """One step, over the images that the filters and the steps before it let through.

    Attributes:
        kind: one_per, max_per or sample.
        take: A SELECT of `image_key`, the name as it is kept, from `candidates`.
        by: What the images are grouped by; None when they are not.
        key: The same as SQL over `images`; NULL for images that belong to no group.
    """

    kind: str
    take: str
    by: str | None = None
    key: str = "null"

    @property
    def stratified(self) -> bool:
        """Whether `take` reads a table `strata` of name, taken and weight."""
        return self.kind == "sample" and self.by is not None

    def relation(
        self, passing: Relation, before: str, seed: int, strata: str | None = None
    ) -> Relation:
        """The names that it takes; with strata a `weight` too.

        Args:
            passing: `from source.images where …`.
            before: Where the step before it keeps its names; empty for the first.
            seed: Of the hash that chooses.
            strata: Where the strata are kept.
        """
        named = f"\n, strata as (select * from {strata})" if strata else ""
        found = self._over(passing, before, named + self.take)
        return Relation(found.sql, {**found.values, "seed": str(seed)})

    def sizes(self, passing: Relation, before: str) -> Relation:
        """The groups, largest first: name and number of images."""
        return self._over(passing, before, _SIZES)

    def left_out(self, passing: Relation, before: str) -> Relation:
        """How many images belong to no group."""
        # A prompt has a family, and finding it takes long.
        of_text = replace(self, by="prompt", key="prompt") if self.by == "family" else self
        return of_text._over(passing, before, _LEFT_OUT)

    def _over(self, passing: Relation, before: str, sql: str) -> Relation:
        candidates = f"select {_NAMED}, {self.key} as grouped_by\n{passing.sql}"
        if before:
            joined = "and" if "\nwhere " in passing.sql else "where"
            candidates += f"\n{joined} published_image_key in (select image_key from {before})"
        if self.by == "family":
            of_images = f"(\n{candidates}\n) as of_images{_FAMILIES}"
            candidates = f"select image_name, image_key, family as grouped_by\nfrom {of_images}"
        return Relation(f"with candidates as (\n{candidates}\n){sql}", passing.values)


def steps(criteria: Criteria) -> list[Step]:
    """The steps of a selection, in the order of their work; none when it takes all that pass."""
    found = []
    if criteria.one_per is not None:
        found.append(_grouped("one_per", _ONE_PER, criteria.one_per, criteria))
    if criteria.quota is not None:
        group, count = criteria.quota
        found.append(_grouped("max_per", _MAX_PER.format(count=count), group, criteria))
    if criteria.stratify is not None:
        few = (criteria.sample or 0) <= MOST_PER_GROUP
        key = _KEYS[criteria.stratify]
        take = _FROM_STRATA if few else _RANKED_STRATA
        found.append(Step("sample", take, criteria.stratify, key))
    elif criteria.sample is not None:
        found.append(Step("sample", _SAMPLE.format(count=criteria.sample)))
    return found


def strata_rows(strata: Sequence[Stratum]) -> Relation:
    """Strata as rows of name, taken and weight."""
    names = [stratum.name for stratum in strata]
    taken = [stratum.taken for stratum in strata]
    weights = [stratum.weight for stratum in strata]
    return Relation(STRATA, {"names": names, "taken": taken, "weights": weights})


def _grouped(kind: str, take: str, group: str, criteria: Criteria) -> Step:
    if group == "user":
        return Step(kind, take, group, _ANY_USER if criteria.include_deleted else _KNOWN_USER)
    return Step(kind, take, group, _KEYS[group])
