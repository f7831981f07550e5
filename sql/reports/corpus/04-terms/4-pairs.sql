-- name: pairs
-- title: Terms that stand together
-- description: Pairs of the 200 most used terms by the number of distinct prompts that hold both; lift is how many times more often than if each fell where it liked.
-- limit: 25
-- key: rank
-- compare: term, with_term, share
-- column: share: of the distinct prompts
with held as (
    select prompt_id, rank
    from common_prompt_terms
    where rank <= 200
),
paired as (
    select one.rank as one, other.rank as other, count(*) as prompts
    from held as one
    inner join held as other on other.prompt_id = one.prompt_id and other.rank > one.rank
    group by one.rank, other.rank
),
totals as (
    select count(*) as prompts
    from prompts
)
select
    row_number() over (order by paired.prompts desc, paired.one, paired.other) as rank,
    one.term,
    other.term as with_term,
    paired.prompts,
    round(cast(paired.prompts as double) / nullif(totals.prompts, 0), 6) as share,
    round(
        cast(paired.prompts as double) * totals.prompts / nullif(cast(one.prompts as double) * other.prompts, 0),
        6
    ) as lift
from paired
inner join common_terms as one on one.rank = paired.one
inner join common_terms as other on other.rank = paired.other
cross join totals
order by rank
