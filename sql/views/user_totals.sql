-- One row per user name of the current dataset, and one for the images whose user is not known.
select
    user_name,
    cast(sum(images) as bigint) as images,
    count(distinct prompt_id) as prompts,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen,
    count(distinct cast(hour as date)) as active_days,
    round(cast(sum(score_sum) as double) / nullif(sum(scored), 0), 6) as mean_image_nsfw,
    cast(sum(blurred) as bigint) as blurred
from main.activity
group by user_name
