-- The prompts with their images: the table as published.
with unfolded as (
    select *, unnest(range(images)) as nth
    from prompts
),

diced as (
    select
        *,
        md5($seed || ':name:' || (first_image + nth)) as name,
        md5_number($seed || ':image:' || (first_image + nth)) & 1152921504606846975 as image_dice
    from unfolded
),

rolled as (
    select * exclude (image_dice), image_dice::bigint as dice
    from diced
),

drawn as (
    -- The scores of a message's images lie close together.
    select
        *,
        abs(
            message_score / 68719476736::double + (dice & 1023) / 8192::double - 0.0625::double
        ) as nearby
    from rolled
),

scored as (
    select
        * exclude (nearby),
        1 - abs(1 - nearby) as x,
        greatest(1 - abs(1 - nearby) - 0.96::double, 0) / 0.04::double as tail
    from drawn
)

select
    substr(name, 1, 8) || '-' || substr(name, 9, 4) || '-4' || substr(name, 14, 3)
        || '-' || substr('89ab', 1 + (dice >> 58), 1) || substr(name, 18, 3)
        || '-' || substr(name, 21, 12) || $suffix as image_name,
    prompt,
    (1 + (first_image + nth) // 1000)::usmallint as part_id,
    -- One session in 64 fixes the seed, so that a repeated prompt repeats its images.
    case
        when manner >> 40 & 63 = 0 then (manner >> 46 & 4095) + nth
        else dice >> 20 & 4294967295
    end::uinteger as seed,
    case when odd % 6 = 1 then 0 else $steps[1 + (manner & 1023)] end::usmallint as step,
    case
        when odd % 4 = 0 then $odd_cfgs[1 + odd // 4 % len($odd_cfgs)]
        else $cfgs[1 + (manner >> 10 & 1023)]
    end::float as cfg,
    case
        when odd % 4 = 2 then 1 + odd // 4 % 9
        else $samplers[1 + (manner >> 20 & 1023)]
    end::utinyint as sampler,
    $widths[1 + (manner >> 30 & 1023)]::usmallint as width,
    $heights[1 + (manner >> 30 & 1023)]::usmallint as height,
    user_name,
    timestamp,
    -- 2.0 marks what Stable Diffusion had blurred.
    case
        when dice >> 10 & 1023 < 20 then 2
        when dice >> 10 & 1023 < 24 then [0.2, 0.5, 0.1, 0.05][(dice >> 10 & 1023) - 19]
        else x * x * (0.25::double + 0.3::double * x * x * x * x) + 0.45::double * tail * tail
    end::float as image_nsfw,
    prompt_nsfw
from scored
