-- One row per distinct prompt of the current dataset; images without a prompt have none here.
select
    hash60(prompt) as prompt_id,
    prompt,
    normalise(prompt) as text,
    images,
    users,
    prompt_nsfw,
    first_seen,
    last_seen
from (
    -- By the text itself: grouped by prompt_id, fetching a text for each takes twice as long.
    select
        prompt,
        count(*) as images,
        count(distinct user_name) as users,
        max(prompt_nsfw) as prompt_nsfw,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from images
    where prompt is not null
    group by prompt
) as distinct_prompts
