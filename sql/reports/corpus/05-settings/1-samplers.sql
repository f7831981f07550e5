-- name: samplers
-- title: Samplers
-- description: The mean of cfg is over values from 0 to 100; what lies outside is counted under quality.
-- key: sampler
-- compare: share = 0, mean_cfg, median_step
-- chart: ranking x=share y=sampler
-- column: share: of all images
with grouped as (
    select
        sampler,
        count(*) as images,
        cast(sum(case when cfg between 0 and 100 then cast(cfg as decimal(18, 9)) end) as double)
        / nullif(count(*) filter (where cfg between 0 and 100), 0) as mean_cfg,
        percentile_cont(0.5) within group (order by step) as median_step
    from images
    group by sampler
)
select
    coalesce(sampler_name(sampler), 'unknown (' || coalesce(cast(sampler as varchar), 'none') || ')') as sampler,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share,
    round(mean_cfg, 6) as mean_cfg,
    round(median_step, 6) as median_step
from grouped
order by images desc, grouped.sampler nulls last
