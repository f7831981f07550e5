-- name: nsfw-filter
-- description: Images whose scores are at most these; blurred ones and those without a score never pass.
-- param: max_image_nsfw float = 0.2
-- help: Highest image score to let through, from 0 to 1.
-- minimum: 0
-- maximum: 1
-- param: max_prompt_nsfw float = 0.5
-- help: Highest prompt score to let through, from 0 to 1.
-- minimum: 0
-- maximum: 1
-- param: include_blurred boolean = false
-- help: Let images through that Stable Diffusion had already blurred, which have no score.
-- example: ddb run nsfw-filter --max-image-nsfw 0.1
select
    image_name,
    prompt,
    part_id,
    image_nsfw,
    prompt_nsfw,
    width,
    height,
    user_name,
    timestamp
from images
where
    (
        image_nsfw_score <= cast($max_image_nsfw as real)
        or ($include_blurred and image_blurred)
    )
    and prompt_nsfw <= cast($max_prompt_nsfw as real)
order by part_id nulls last, image_name nulls last
