-- name: most-used
-- title: Prompts used most
-- description: By the number of their images, as they were typed.
-- limit: 15
-- key: rank
-- compare: prompt, images

-- Ranked without their texts, which are looked up afterwards.
with ranked as (
    select prompt_id, row_number() over (order by images desc, prompt_id) as rank
    from prompts
    qualify rank <= 100
)
select ranked.rank, prompts.prompt, prompts.images, prompts.users
from ranked
inner join prompts on prompts.prompt_id = ranked.prompt_id
order by ranked.rank
