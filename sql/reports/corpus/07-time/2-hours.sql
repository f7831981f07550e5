-- name: hours
-- title: By hour
-- description: Images by hour (UTC) over the whole span; gaps are hours without an image.
-- key: hour
-- compare: share
-- chart: line x=hour y=images
-- column: share: of the images whose time is known
with counted as (
    select cast(date_trunc('hour', timestamp) as timestamp) as hour, count(*) as images
    from images
    where timestamp is not null
    group by hour
)
select
    hour,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from counted
order by hour
