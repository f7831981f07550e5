-- name: steps
-- title: Steps
-- description: Images by the number of denoising steps, in bins of 10; the last bin holds all from 150 on. The bot's default was 50.
-- key: low, high
-- compare: share = 0
-- chart: histogram x=low x2=high y=share unit=steps
-- column: share: of the images that have a number of steps
with binned as (
    select least(step // 10, 15) as bin, count(*) as images
    from images
    where step is not null
    group by bin
)
select
    bin * 10 as low,
    case when bin < 15 then bin * 10 + 10 end as high,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from binned
order by low
