-- One row per image of the current dataset, widened and named.
-- The one place that gives the published columns their meaning.
select
    image_name,
    prompt,
    prompt_id,
    cast(part_id as integer) as part_id,
    cast(seed as bigint) as seed,
    cast(step as integer) as step,
    cast(width as bigint) as width,
    cast(height as bigint) as height,
    -- There is one zero: groups of 0 and -0 would show either, as threads have it.
    round(cast(cfg as double), 4) + 0.0 as cfg,
    cast(sampler as integer) as sampler,
    sampler_name(sampler) as sampler_name,
    case
        when user_name in ('deleted-account', 'deleted_account') then 'deleted_account'
        else user_name
    end as user_name,
    make_timestamp(epoch_us(timestamp)) as timestamp,
    -- A score that is NaN is none: as the greatest number it would be over every threshold.
    case when not isnan(image_nsfw) then cast(image_nsfw as double) end as image_nsfw,
    case when not isnan(prompt_nsfw) then cast(prompt_nsfw as double) end as prompt_nsfw,
    coalesce(image_nsfw = 2.0, false) as image_blurred,
    case
        when image_nsfw <> 2.0 and not isnan(image_nsfw) then cast(image_nsfw as double)
    end as image_nsfw_score,
    case
        when images_from() = 'large' and part_id <= 10000 then 'diffusiondb-large-part-1'
        when images_from() = 'large' then 'diffusiondb-large-part-2'
        when images_from() is not null then 'images'
    end || '/part-' || lpad(cast(part_id as varchar), 6, '0') || '.zip' as part_path,
    -- What cannot be told from the columns above, for exports; the view leaves it out.
    cfg as published_cfg,
    user_name as published_user_name,
    timestamp as published_timestamp,
    -- Compared with a float32 these reach the file's reader.
    image_nsfw as published_image_nsfw,
    prompt_nsfw as published_prompt_nsfw,
    -- The name as it is kept: 16 bytes in a store, which are compared and joined faster.
    image_key as published_image_key
from source.metadata
