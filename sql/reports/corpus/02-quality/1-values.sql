-- name: values
-- title: Missing and odd values
-- description: What a reader must know before averaging anything; a blurred image has 2.0 for a score, which is none, and cfg and steps are as they were typed.
-- key: check_name
-- compare: share
-- column: share: of all images
with counts as (
    select
        count(*) as images,
        count(*) filter (where user_name is null) as user_missing,
        count(*) filter (where user_name = 'deleted_account') as user_deleted,
        count(*) filter (where timestamp is null) as time_missing,
        count(*) filter (where image_nsfw is null) as image_score_missing,
        count(*) filter (where prompt_nsfw is null) as prompt_score_missing,
        count(*) filter (where image_blurred) as blurred,
        count(*) filter (
            where image_nsfw is not null and not image_blurred and not image_nsfw between 0 and 1
        ) as image_score_outside,
        count(*) filter (where prompt_nsfw is not null and not prompt_nsfw between 0 and 1)
            as prompt_score_outside,
        count(*) filter (where isnan(cfg)) as cfg_nan,
        count(*) filter (where isinf(cfg)) as cfg_infinite,
        count(*) filter (where cfg < 0 and not isinf(cfg)) as cfg_negative,
        count(*) filter (where cfg > 100 and not isnan(cfg) and not isinf(cfg)) as cfg_large,
        count(*) filter (where step = 0) as step_zero,
        count(*) filter (where sampler is null or sampler not between 1 and 9) as sampler_unknown
    from images
),
-- Of the prompts, which are fewer, and have their images counted already.
prompted as (
    select
        cast(coalesce(sum(images), 0) as bigint) as images,
        cast(coalesce(sum(images) filter (where prompt = ''), 0) as bigint) as empty
    from prompts
),
checks as (
    select
        1 as place, 'prompt missing' as check_name, counts.images - prompted.images as found
    from counts
    cross join prompted
    union all select 2, 'prompt empty', empty from prompted
    union all select 3, 'user missing', user_missing from counts
    union all select 4, 'user deleted', user_deleted from counts
    union all select 5, 'time missing', time_missing from counts
    union all select 6, 'image score missing', image_score_missing from counts
    union all select 7, 'image blurred', blurred from counts
    union all select 8, 'image score outside 0 to 1, not blurred', image_score_outside from counts
    union all select 9, 'prompt score missing', prompt_score_missing from counts
    union all select 10, 'prompt score outside 0 to 1', prompt_score_outside from counts
    union all select 11, 'cfg not a number', cfg_nan from counts
    union all select 12, 'cfg infinite', cfg_infinite from counts
    union all select 13, 'cfg negative', cfg_negative from counts
    union all select 14, 'cfg over 100', cfg_large from counts
    union all select 15, 'steps zero', step_zero from counts
    union all select 16, 'sampler unknown', sampler_unknown from counts
)
select
    checks.check_name,
    checks.found as images,
    round(cast(checks.found as double) / nullif(counts.images, 0), 6) as share
from checks
cross join counts
order by checks.place
