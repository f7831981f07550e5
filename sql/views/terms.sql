-- One row per term: the text between two commas of a prompt, normalised; and of its prompts and
-- images those in which it follows another clause.
with split as (
    select images, string_split(clauses, ',') as clauses
    from clauses
),
held as (
    select
        images,
        case when not list_contains(clauses[2:], clauses[1]) then clauses[1] end as first_alone,
        unnest(list_distinct(clauses)) as term
    from split
)
select
    term,
    count(*) as prompts,
    cast(sum(images) as bigint) as images,
    count(*) filter (where term is distinct from first_alone) as following,
    cast(coalesce(sum(images) filter (where term is distinct from first_alone), 0) as bigint)
        as following_images
from held
where term <> ''
group by term
