-- One row per user name of the current dataset; images whose user is not known have none here.
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
where user_name is not null
