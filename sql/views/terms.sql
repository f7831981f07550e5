-- One row per term: the text between two commas of a prompt, normalised.
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
