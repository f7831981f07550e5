-- name: cfg-by-sampler
-- title: Guidance by sampler
-- description: Quartiles of cfg from 0 to 100 for each sampler, and how many images keep the default of 7.
-- key: sampler
-- compare: p50, default_share
-- column: default_share: of the sampler's images with a cfg from 0 to 100
with grouped as (
    select
        sampler,
        count(*) as images,
        quantile_cont(cfg, [0.25, 0.5, 0.75]) as quartiles,
        count(*) filter (where cfg = 7) as defaults
    from images
    where cfg between 0 and 100
    group by sampler
)
select
    coalesce(sampler_name(sampler), 'unknown (' || coalesce(cast(sampler as varchar), 'none') || ')') as sampler,
    images,
    round(quartiles[1], 6) as p25,
    round(quartiles[2], 6) as p50,
    round(quartiles[3], 6) as p75,
    round(cast(defaults as double) / nullif(images, 0), 6) as default_share
from grouped
order by images desc, grouped.sampler nulls last
