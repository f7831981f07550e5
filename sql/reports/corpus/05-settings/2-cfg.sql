-- name: cfg
-- title: Guidance (cfg)
-- description: Images by classifier-free guidance scale, from 0 to 30 in steps of one; the bot's default was 7.
-- key: low, high
-- compare: share = 0
-- chart: histogram x=low x2=high y=share unit=cfg
-- column: share: of the images that have a cfg
with binned as (
    select cast(floor(cfg) as bigint) as low, count(*) as images
    from images
    where cfg >= 0 and cfg < 30
    group by low
),
totals as (
    select count(cfg) as images
    from images
)
select
    binned.low,
    binned.low + 1 as high,
    binned.images,
    round(cast(binned.images as double) / nullif(totals.images, 0), 6) as share
from binned
cross join totals
order by binned.low
