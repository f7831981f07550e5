-- One row per user name of the current dataset, and one for the images whose user is not known.
select
    user_name,
    count(*) as images,
    count(distinct prompt_id) as prompts,
    min(timestamp) as first_seen,
    max(timestamp) as last_seen,
    count(distinct cast(timestamp as date)) as active_days,
    round(
        cast(sum(cast(score as decimal(18, 9))) as double) / nullif(count(score), 0), 6
    ) as mean_image_nsfw,
    count(*) filter (where image_blurred) as blurred
from (
    select
        user_name,
        prompt_id,
        timestamp,
        case when image_nsfw_score between 0 and 1 then image_nsfw_score end as score,
        image_blurred
    from images
) as scored
group by user_name
