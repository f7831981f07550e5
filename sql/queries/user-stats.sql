-- name: user-stats
-- description: Activity per user: images, distinct prompts, active days, mean NSFW score, blurred images.
-- param: min_images integer = 1
-- help: Leave out users with fewer images.
-- param: include_deleted boolean = true
-- help: Show deleted accounts, and images whose user is not known, as rows of their own.
-- limit: 20
-- column: user_name: NULL for images that were deleted before their user was looked up
-- column: active_days: days (UTC) with at least one image
-- column: mean_image_nsfw: mean of the scores, from 0 to 1, of images that are not blurred
-- example: ddb run user-stats --min-images 100
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
    user_name,
    images,
    prompts,
    first_seen,
    last_seen,
    active_days,
    mean_image_nsfw,
    blurred
from source.user_totals
where user_name is null and images >= $min_images and $include_deleted
order by images desc, user_name nulls last
