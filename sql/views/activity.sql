-- One row per prompt, user, sampler and hour of the current dataset: seven images of eight are
-- made in one go with others, so that what is counted over these is counted fast.
select
    prompt_id,
    user_name,
    sampler,
    hour,
    count(*) as images,
    min(timestamp) as first_seen,
    max(timestamp) as last_seen,
    count(score) as scored,
    sum(cast(score as decimal(18, 9))) as score_sum,
    count(*) filter (where image_blurred) as blurred
from (
    select
        prompt_id,
        user_name,
        sampler,
        cast(date_trunc('hour', timestamp) as timestamp) as hour,
        timestamp,
        case when image_nsfw_score between 0 and 1 then image_nsfw_score end as score,
        image_blurred
    from images
) as scored_images
group by prompt_id, user_name, sampler, hour
