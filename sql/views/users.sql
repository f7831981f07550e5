-- One row per user name of the current dataset; images whose user is not known have none here.
select
    user_name,
    count(*) as images,
    count(distinct prompt_id) as prompts,
    min(timestamp) as first_seen,
    max(timestamp) as last_seen
from images
where user_name is not null
group by user_name
