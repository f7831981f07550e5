-- name: user-profile
-- description: One user's images: how many, with which samplers and sizes, and the terms used most.
-- param: user user
-- help: The user's name, or its first 8 or more digits; `ddb run user-stats` lists them.
-- limit: 20 per section
-- column: section: summary, sampler, size or term
-- column: item: what is counted; terms are the text between commas
-- column: share: of the user's images; in the first row, of all images
-- example: ddb run user-profile --user deleted_account
with own as (
    select prompt, sampler_name, width, height, image_blurred
    from images
    where user_name = $user
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
    from terms
),
ranked as (
    select
        *,
        row_number() over (
            partition by section order by place, images desc, item nulls last
        ) as section_row
    from sections
)
select
    ranked.section,
    ranked.item,
    ranked.images,
    round(
        cast(ranked.images as double)
        / nullif(
            case
                when ranked.place = 1 then (select count(*) from images)
                else totals.images
            end, 0
        ), 6
    ) as share
from ranked
cross join totals
where ranked.section_row <= coalesce($limit, ranked.section_row)
order by ranked.place, ranked.images desc, ranked.item nulls last
