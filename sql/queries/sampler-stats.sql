-- name: sampler-stats
-- description: Samplers: how often, by how many users, with which settings.
-- column: share: of all images
-- column: mean_cfg: over cfg from 0 to 100; NaN, infinite, negative and larger values are left out
-- column: median_cfg: over the same cfg as mean_cfg
-- example: ddb run sampler-stats
with sampled as (
    select
        sampler,
        user_name,
        prompt_id,
        case when cfg between 0 and 100 then cfg end as sane_cfg,
        step,
        image_blurred
    from images
),
grouped as (
    select
        sampler,
        count(*) as images,
        count(distinct user_name) as users,
        count(distinct prompt_id) as prompts,
        cast(sum(cast(sane_cfg as decimal(18, 9))) as double) / nullif(count(sane_cfg), 0) as mean_cfg,
        percentile_cont(0.5) within group (order by sane_cfg) as median_cfg,
        percentile_cont(0.5) within group (order by step) as median_step,
        count(*) filter (where image_blurred) as blurred
    from sampled
    group by sampler
)
select
    sampler,
    sampler_name(sampler) as sampler_name,
    images,
    round(images / sum(images) over (), 6) as share,
    users,
    prompts,
    round(mean_cfg, 6) as mean_cfg,
    round(median_cfg, 6) as median_cfg,
    round(median_step, 6) as median_step,
    blurred
from grouped
order by images desc, sampler nulls last
