-- name: scores
-- title: Distribution of the scores
-- description: Images by either score in bins of 0.05; most lie near nothing, so the chart's axis goes in powers of ten. Blurred images are left out.
-- key: score, low, high
-- compare: share = 0
-- chart: histogram x=low x2=high y=images color=score scale=log unit=score
-- column: share: of the images that have this score
with counted as (
    select 'image' as score, least(cast(floor(image_nsfw_score * 20) as bigint), 19) as bin, count(*) as images
    from images
    where image_nsfw_score between 0 and 1
    group by bin
    union all
    select 'prompt' as score, least(cast(floor(prompt_nsfw * 20) as bigint), 19) as bin, count(*) as images
    from images
    where prompt_nsfw between 0 and 1
    group by bin
)
select
    score,
    round(bin / 20.0, 6) as low,
    round((bin + 1) / 20.0, 6) as high,
    images,
    round(cast(images as double) / nullif(sum(images) over (partition by score), 0), 6) as share
from counted
order by score, bin
