-- name: retention
-- title: What a threshold keeps
-- description: The share of all images that pass a highest score for the image, for the prompt, and for both at once; blurred images and those without a score never pass. Thresholds are 32-bit floats, as the scores are.
-- key: max_score
-- column: image_share: of all images
-- column: prompt_share: of all images
-- column: both_share: of all images
-- compare: image_share, prompt_share, both_share
-- chart: lines x=max_score y=image_share,prompt_share,both_share
with steps as (
    select unnest(range(0, 21)) as step
),
-- The lowest step whose threshold lets a score through; the difference of a float is put right.
stepped as (
    select
        case when image_nsfw_score <= 1 then
            greatest(cast(ceil(image_nsfw_score * 20) as bigint)
                - case when image_nsfw_score <= cast((ceil(image_nsfw_score * 20) - 1) / 20 as real) then 1 else 0 end, 0)
        end as image_step,
        case when prompt_nsfw <= 1 then
            greatest(cast(ceil(prompt_nsfw * 20) as bigint)
                - case when prompt_nsfw <= cast((ceil(prompt_nsfw * 20) - 1) / 20 as real) then 1 else 0 end, 0)
        end as prompt_step
    from images
),
cells as (
    select image_step, prompt_step, count(*) as images
    from stepped
    group by image_step, prompt_step
),
totals as (
    select sum(images) as images
    from cells
),
kept as (
    select
        steps.step,
        sum(cells.images) filter (where cells.image_step <= steps.step) as image_kept,
        sum(cells.images) filter (where cells.prompt_step <= steps.step) as prompt_kept,
        sum(cells.images) filter (where cells.image_step <= steps.step and cells.prompt_step <= steps.step) as both_kept
    from steps
    cross join cells
    group by steps.step
)
select
    round(kept.step / 20.0, 6) as max_score,
    round(cast(coalesce(kept.image_kept, 0) as double) / nullif(totals.images, 0), 6) as image_share,
    round(cast(coalesce(kept.prompt_kept, 0) as double) / nullif(totals.images, 0), 6) as prompt_share,
    round(cast(coalesce(kept.both_kept, 0) as double) / nullif(totals.images, 0), 6) as both_share
from kept
cross join totals
order by kept.step
