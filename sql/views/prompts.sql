-- One row per distinct prompt of the current dataset; images without a prompt have none here.
select
    prompt_id,
    prompt,
    normalise(prompt) as text,
    images,
    users,
    prompt_nsfw,
    first_seen,
    last_seen
from (
    select
        prompt_id,
        any_value(prompt) as prompt,
        count(*) as images,
        count(distinct user_name) as users,
        max(prompt_nsfw) as prompt_nsfw,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from images
    where prompt_id is not null
    group by prompt_id
) as distinct_prompts
