-- name: user-stats
-- description: Activity per user: images, distinct prompts, active days, NSFW share.
-- param: min_images integer = 1
-- help: Leave out users with fewer images.
-- param: include_deleted boolean = true
-- help: Show deleted accounts, and images whose user is not known, as rows of their own.
-- limit: 20
-- column: user_name: NULL for images that were deleted before their user was looked up
-- column: active_days: days (UTC) with at least one image
-- column: mean_image_nsfw: mean of the scores, from 0 to 1, of images that are not blurred
-- example: ddb run user-stats --min-images 100
with unknown_scored as (
    select
        user_name,
        prompt_id,
        timestamp,
        case when image_nsfw_score between 0 and 1 then image_nsfw_score end as score,
        image_blurred
    from images
    where user_name is null
),
unknown as (
    select
        count(*) as images,
        count(distinct prompt_id) as prompts,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen,
        count(distinct cast(timestamp as date)) as active_days,
        round(
            cast(sum(cast(score as decimal(18, 9))) as double) / nullif(count(score), 0), 6
        ) as mean_image_nsfw,
        count(*) filter (where image_blurred) as blurred
    from unknown_scored
)
select
    user_name,
    images,
    prompts,
    first_seen,
    last_seen,
    active_days,
    mean_image_nsfw,
    blurred
from users
where images >= $min_images and ($include_deleted or user_name <> 'deleted_account')
union all
select
    null as user_name,
    images,
    prompts,
    first_seen,
    last_seen,
    active_days,
    mean_image_nsfw,
    blurred
from unknown
where images > 0 and images >= $min_images and $include_deleted
order by images desc, user_name nulls last
