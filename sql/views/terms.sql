-- One row per term: the text between two commas of a prompt, normalised.
with held as (
    select images, unnest(list_distinct(string_split(clauses, ','))) as term
    from clauses
)
select
    term,
    count(*) as prompts,
    cast(sum(images) as bigint) as images
from held
where term <> ''
group by term
