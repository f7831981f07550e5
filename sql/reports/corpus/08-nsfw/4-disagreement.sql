-- name: disagreement
-- title: Where the two scores disagree
-- description: Images by the band of their image score and of their prompt score; away from the diagonal, the prompt promises what the image does not show, or the other way round.
-- key: image_band, prompt_band
-- compare: share = 0
-- bands: to 0.1 | to 0.2 | to 0.5 | to 1 | blurred | none
-- chart: heatmap x=prompt_band y=image_band color=share
-- column: share: of all images
with banded as (
    select
        case when image_blurred then 5 when image_nsfw_score <= cast(0.1 as real) then 1
            when image_nsfw_score <= cast(0.2 as real) then 2
            when image_nsfw_score <= cast(0.5 as real) then 3 when image_nsfw_score <= 1 then 4
            else 6
        end as image_place,
        case when prompt_nsfw <= cast(0.1 as real) then 1
            when prompt_nsfw <= cast(0.2 as real) then 2
            when prompt_nsfw <= cast(0.5 as real) then 3 when prompt_nsfw <= 1 then 4 else 6
        end as prompt_place
    from images
),
counted as (
    select image_place, prompt_place, count(*) as images
    from banded
    group by image_place, prompt_place
)
select
    ['to 0.1', 'to 0.2', 'to 0.5', 'to 1', 'blurred', 'none'][image_place] as image_band,
    ['to 0.1', 'to 0.2', 'to 0.5', 'to 1', 'blurred', 'none'][prompt_place] as prompt_band,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from counted
order by image_place, prompt_place
