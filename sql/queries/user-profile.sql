-- name: user-profile
-- description: One user's images: how many, with which samplers and sizes, and the terms used most.
-- param: user text
-- help: The user's name, 64 hexadecimal digits; `ddb run user-stats` lists them.
-- column: section: summary, sampler, size or term
-- column: item: what is counted; terms are the text between commas, the 20 used most
-- column: share: of the user's images; of all images in the first row
-- example: ddb run user-profile --user deleted_account
with own as (
    select prompt, sampler_name, width, height, image_blurred
    from images
    where user_name = case when $user = 'deleted-account' then 'deleted_account' else $user end
),
totals as (
    select
        count(*) as images,
        count(*) filter (where image_blurred) as blurred
    from own
),
own_prompts as (
    select prompt, count(*) as images
    from own
    where prompt is not null
    group by prompt
),
clauses as (
    select distinct prompt, images, normalise(clause) as term
    from (
        select prompt, images, unnest(string_split(nfkc(prompt), ',')) as clause
        from own_prompts
    ) as cut
),
terms as (
    select term, cast(sum(images) as bigint) as images
    from clauses
    where term <> ''
    group by term
),
ranked_terms as (
    select term, images, row_number() over (order by images desc, term) as place
    from terms
),
sections as (
    select 1 as place, 'summary' as section, 'images of the user' as item, images
    from totals
    union all
    select 2 as place, 'summary' as section, 'blurred' as item, blurred as images
    from totals
    union all
    select 3 as place, 'sampler' as section, sampler_name as item, count(*) as images
    from own
    group by sampler_name
    union all
    select 4 as place, 'size' as section, width || 'x' || height as item, count(*) as images
    from own
    group by width, height
    union all
    select 5 as place, 'term' as section, term as item, images
    from ranked_terms
    where place <= 20
)
select
    sections.section,
    sections.item,
    sections.images,
    round(
        cast(sections.images as double)
        / nullif(
            case
                when sections.place = 1 then (select count(*) from images)
                else totals.images
            end, 0
        ), 6
    ) as share
from sections
cross join totals
order by sections.place, sections.images desc, sections.item nulls last
