-- name: days
-- title: By day
-- description: Images by day (UTC); those whose time is not known are left out.
-- key: day
-- compare: share = 0
-- chart: line x=day y=images
-- column: share: of the images whose time is known
with counted as (
    select cast(hour as date) as day, cast(sum(images) as bigint) as images
    from activity
    where hour is not null
    group by day
)
select
    day,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from counted
order by day
