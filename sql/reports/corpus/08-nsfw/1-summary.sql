-- name: summary
-- title: The two scores
-- description: Each image has a score of its own and one of its prompt, from 0 to 1; a blurred image has none of its own, and is in no mean.
-- sentence: {blurred} images ({blurred_share}) came blurred from the generator and have no score.
with counted as (
    select
        count(*) as images,
        count(*) filter (where image_blurred) as blurred,
        count(*) filter (where image_nsfw_score between 0 and 1) as image_scored,
        count(*) filter (where prompt_nsfw between 0 and 1) as prompt_scored,
        cast(sum(case when image_nsfw_score between 0 and 1 then cast(image_nsfw_score as decimal(18, 9)) end) as double) as image_sum,
        cast(sum(case when prompt_nsfw between 0 and 1 then cast(prompt_nsfw as decimal(18, 9)) end) as double) as prompt_sum,
        count(*) filter (where image_nsfw_score > 0.5 and image_nsfw_score <= 1) as image_high,
        count(*) filter (where prompt_nsfw > 0.5 and prompt_nsfw <= 1) as prompt_high
    from images
)
select
    blurred,
    round(cast(blurred as double) / nullif(images, 0), 6) as blurred_share,
    image_scored as images_with_image_score,
    round(image_sum / nullif(image_scored, 0), 6) as mean_image_score,
    round(cast(image_high as double) / nullif(image_scored, 0), 6) as image_score_over_half_share,
    prompt_scored as images_with_prompt_score,
    round(prompt_sum / nullif(prompt_scored, 0), 6) as mean_prompt_score,
    round(cast(prompt_high as double) / nullif(prompt_scored, 0), 6) as prompt_score_over_half_share
from counted
order by images
