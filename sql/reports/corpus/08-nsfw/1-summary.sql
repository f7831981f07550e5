-- name: summary
-- title: The two scores
-- description: Each image has a score of its own and one of its prompt, from 0 to 1; a blurred image has none of its own, and is in no mean.
-- sentence: {blurred} images ({blurred_share} of all images) came blurred from the generator and have no score.
-- column: blurred_share: of all images
-- column: image_scored_share: of all images
-- column: image_score_over_half_share: of the images that have an image score
-- column: prompt_scored_share: of all images
-- column: prompt_score_over_half_share: of the images that have a prompt score
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
    image_scored,
    round(cast(image_scored as double) / nullif(images, 0), 6) as image_scored_share,
    round(image_sum / nullif(image_scored, 0), 6) as mean_image_score,
    image_high as image_score_over_half,
    round(cast(image_high as double) / nullif(image_scored, 0), 6) as image_score_over_half_share,
    prompt_scored,
    round(cast(prompt_scored as double) / nullif(images, 0), 6) as prompt_scored_share,
    round(prompt_sum / nullif(prompt_scored, 0), 6) as mean_prompt_score,
    prompt_high as prompt_score_over_half,
    round(cast(prompt_high as double) / nullif(prompt_scored, 0), 6) as prompt_score_over_half_share
from counted
order by images
