-- name: most-used
-- title: Prompts used most
-- description: By the number of their images, as they were typed.
-- limit: 15
-- key: rank
-- compare: prompt, images
select
    row_number() over (order by images desc, prompt_id) as rank,
    prompt,
    images,
    users
from prompts
order by rank
