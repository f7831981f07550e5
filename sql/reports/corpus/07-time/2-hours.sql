-- name: hours
-- title: By hour
-- description: Images by hour (UTC) over the whole span; an hour without an image has no row, and the line lies at 0 there.
-- key: hour
-- compare: share = 0
-- chart: line x=hour y=images
-- column: share: of the images whose time is known
with counted as (
    select hour, cast(sum(images) as bigint) as images
    from activity
    where hour is not null
    group by hour
)
select
    hour,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from counted
order by hour
