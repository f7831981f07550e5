-- name: hours-of-day
-- title: Hour of the day
-- description: Images by hour of the day (UTC), all days together.
-- key: hour_of_day
-- compare: share = 0
-- chart: bar x=hour_of_day y=share
-- column: share: of the images whose time is known
with counted as (
    select extract(hour from hour) as hour_of_day, cast(sum(images) as bigint) as images
    from activity
    where hour is not null
    group by hour_of_day
)
select
    hour_of_day,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from counted
order by hour_of_day
