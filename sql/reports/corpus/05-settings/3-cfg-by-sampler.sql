-- name: cfg-by-sampler
-- title: Guidance by sampler
-- description: Quartiles of cfg from 0 to 100 for each sampler, and how many images keep the default of 7.
-- key: sampler
-- compare: p50, default_share
with grouped as (
    select
        sampler,
        count(*) as images,
        percentile_cont(0.25) within group (order by cfg) as p25,
        percentile_cont(0.5) within group (order by cfg) as p50,
        percentile_cont(0.75) within group (order by cfg) as p75,
        count(*) filter (where cfg = 7) as defaults
    from images
    where cfg between 0 and 100
    group by sampler
)
select
    coalesce(sampler_name(sampler), 'unknown (' || coalesce(cast(sampler as varchar), 'none') || ')') as sampler,
    images,
    round(p25, 6) as p25,
    round(p50, 6) as p50,
    round(p75, 6) as p75,
    round(cast(defaults as double) / nullif(images, 0), 6) as default_share
from grouped
order by images desc, grouped.sampler nulls last
