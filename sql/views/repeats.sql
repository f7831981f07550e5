-- One row per prompt, seed and settings that more than one image was made with.
with repeated_seeds as (
    -- Few images share their seed with another, and numbers are grouped faster than all of it.
    select seed
    from images
    group by seed
    having count(*) > 1
)
select
    prompt_id,
    min(prompt) as prompt,
    seed,
    step,
    cfg,
    sampler,
    width,
    height,
    count(*) as images
from images
where exists (
    select 1 from repeated_seeds where repeated_seeds.seed is not distinct from images.seed
)
group by prompt_id, seed, step, cfg, sampler, width, height
having count(*) > 1
