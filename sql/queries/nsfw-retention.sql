-- name: nsfw-retention
-- description: What each pair of thresholds keeps: images, distinct prompts, users.
-- param: steps integer = 10
-- help: Number of thresholds from 0 to 1 for either score.
-- minimum: 1
-- column: max_image_nsfw: highest image score let through; blurred images never pass
-- column: share: of all images
-- example: ddb run nsfw-retention --steps 5
with scores as (
    select
        prompt_id,
        user_name,
        greatest(image_nsfw_score, 0) as image_score,
        greatest(prompt_nsfw, 0) as prompt_score
    from images
    where image_nsfw_score <= 1 and prompt_nsfw <= 1
),
rounded as (
    select
        prompt_id,
        user_name,
        image_score,
        prompt_score,
        ceil(image_score * $steps) as image_step,
        ceil(prompt_score * $steps) as prompt_step
    from scores
),
-- The lowest threshold that lets a score through; thresholds are 32-bit floats as in nsfw-filter,
-- so that a published 0.2, which is 0.20000000298 as a double, passes the threshold 0.2.
scored as (
    select
        prompt_id,
        user_name,
        greatest(
            cast(image_step as bigint)
            - case
                when image_score <= cast((image_step - 1) / nullif($steps, 0) as real) then 1
                else 0
            end,
            1
        ) as image_step,
        greatest(
            cast(prompt_step as bigint)
            - case
                when prompt_score <= cast((prompt_step - 1) / nullif($steps, 0) as real) then 1
                else 0
            end,
            1
        ) as prompt_step
    from rounded
),
steps as (
    select unnest(range(1, $steps + 1)) as step
),
grid as (
    select image.step as image_step, prompt.step as prompt_step
    from steps as image
    cross join steps as prompt
),
image_cells as (
    select image_step, prompt_step, count(*) as images
    from scored
    group by image_step, prompt_step
),
-- A prompt is kept as soon as its lowest image is; its own score is the same for all its images.
prompt_cells as (
    select image_step, prompt_step, count(*) as prompts
    from (
        select min(image_step) as image_step, min(prompt_step) as prompt_step
        from scored
        where prompt_id is not null
        group by prompt_id
    ) as lowest
    group by image_step, prompt_step
),
user_cells as (
    select user_name, prompt_step, min(image_step) as image_step
    from scored
    where user_name is not null
    group by user_name, prompt_step
),
user_reach as (
    select steps.step as prompt_step, user_cells.user_name, min(user_cells.image_step) as image_step
    from user_cells
    inner join steps on user_cells.prompt_step <= steps.step
    group by steps.step, user_cells.user_name
),
kept_images as (
    select grid.image_step, grid.prompt_step, sum(image_cells.images) as images
    from grid
    inner join image_cells
        on image_cells.image_step <= grid.image_step
        and image_cells.prompt_step <= grid.prompt_step
    group by grid.image_step, grid.prompt_step
),
kept_prompts as (
    select grid.image_step, grid.prompt_step, sum(prompt_cells.prompts) as prompts
    from grid
    inner join prompt_cells
        on prompt_cells.image_step <= grid.image_step
        and prompt_cells.prompt_step <= grid.prompt_step
    group by grid.image_step, grid.prompt_step
),
kept_users as (
    select steps.step as image_step, user_reach.prompt_step, count(*) as users
    from user_reach
    inner join steps on user_reach.image_step <= steps.step
    group by steps.step, user_reach.prompt_step
),
totals as (
    select count(*) as images
    from images
)
select
    round(cast(grid.image_step as double) / $steps, 6) as max_image_nsfw,
    round(cast(grid.prompt_step as double) / $steps, 6) as max_prompt_nsfw,
    cast(coalesce(kept_images.images, 0) as bigint) as images,
    cast(coalesce(kept_prompts.prompts, 0) as bigint) as prompts,
    coalesce(kept_users.users, 0) as users,
    round(
        cast(coalesce(kept_images.images, 0) as double) / nullif(totals.images, 0), 6
    ) as share
from grid
cross join totals
left join kept_images
    on kept_images.image_step = grid.image_step and kept_images.prompt_step = grid.prompt_step
left join kept_prompts
    on kept_prompts.image_step = grid.image_step and kept_prompts.prompt_step = grid.prompt_step
left join kept_users
    on kept_users.image_step = grid.image_step and kept_users.prompt_step = grid.prompt_step
order by max_image_nsfw, max_prompt_nsfw
