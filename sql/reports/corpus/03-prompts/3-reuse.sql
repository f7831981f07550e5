-- name: reuse
-- title: How often a prompt is used
-- description: Distinct prompts by the number of images made from them; one message to the bot gives one to nine.
-- key: images_per_prompt
-- compare: prompt_share = 0, image_share = 0
-- bands: 1 | 2 | 3–4 | 5–9 | 10–19 | 20–49 | 50–99 | 100 or more
-- chart: bar x=images_per_prompt y=prompt_share y2=image_share
-- column: prompt_share: of the distinct prompts
-- column: image_share: of the images that have a prompt
with banded as (
    select
        case when images = 1 then 1 when images = 2 then 2 when images <= 4 then 3
            when images <= 9 then 4 when images <= 19 then 5 when images <= 49 then 6
            when images <= 99 then 7 else 8
        end as band,
        count(*) as prompts,
        cast(sum(images) as bigint) as images
    from prompts
    group by band
)
select
    ['1', '2', '3–4', '5–9', '10–19', '20–49', '50–99', '100 or more'][band] as images_per_prompt,
    prompts,
    round(cast(prompts as double) / nullif(sum(prompts) over (), 0), 6) as prompt_share,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as image_share
from banded
order by band
