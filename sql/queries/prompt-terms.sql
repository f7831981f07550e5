-- name: prompt-terms
-- description: The terms used most: what stands between commas, in whatever case and spacing.
-- limit: 50
-- column: term: the text between two commas, normalised
-- column: prompts: distinct prompts that hold it
-- column: images: images made from these prompts
-- example: ddb run prompt-terms --limit 10
with clauses as (
    select prompt_id, images, unnest(string_split(prompt, ',')) as clause
    from prompts
),
-- Clauses recur, so that each is normalised once.
spelled as (
    select clause, normalise(clause) as term
    from (select distinct clause from clauses) as distinct_clauses
),
held as (
    select distinct clauses.prompt_id, clauses.images, spelled.term
    from clauses
    inner join spelled on spelled.clause = clauses.clause
    where spelled.term <> ''
)
select
    term,
    count(*) as prompts,
    cast(sum(images) as bigint) as images
from held
group by term
order by prompts desc, term
