-- name: prompt-terms
-- description: The terms used most: what stands between commas, in whatever case and spacing.
-- limit: 50
-- column: term: the text between two commas, normalised
-- column: prompts: distinct prompts that hold it
-- column: images: images made from these prompts
-- example: ddb run prompt-terms --limit 10
with clauses as (
    select distinct prompt_id, images, term
    from (select prompt_id, images, unnest(terms(prompt)) as term from prompts) as cut
    where term <> ''
)
select
    term,
    count(*) as prompts,
    cast(sum(images) as bigint) as images
from clauses
group by term
order by prompts desc, term
