-- name: samplers-by-day
-- title: Samplers by day
-- description: Which share of a day's images each sampler made.
-- key: day, sampler
-- compare: share
-- chart: area x=day y=share color=sampler
-- column: share: of the day's images
with counted as (
    select cast(hour as date) as day, sampler, cast(sum(images) as bigint) as images
    from activity
    where hour is not null
    group by day, sampler
)
select
    day,
    coalesce(sampler_name(sampler), 'unknown (' || coalesce(cast(sampler as varchar), 'none') || ')') as sampler,
    images,
    round(cast(images as double) / nullif(sum(images) over (partition by day), 0), 6) as share
from counted
order by day, counted.sampler nulls last
