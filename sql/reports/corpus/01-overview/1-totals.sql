-- name: totals
-- title: What there is
-- description: An image counts once for each row; a prompt once however many images were made of it, compared letter by letter; deleted accounts share one name and are no user here.
-- sentence: {images} images were made from {prompts} distinct prompts by {users} known users between {first_seen} and {last_seen} (UTC).
with known as (
    select count(*) as users, cast(sum(images) as bigint) as images
    from users
    where user_name <> 'deleted_account'
),
distinct_prompts as (
    select count(*) as prompts
    from prompts
),
totals as (
    select
        count(*) as images,
        count(distinct part_id) as parts,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from images
)
select
    totals.images,
    distinct_prompts.prompts,
    known.users,
    totals.first_seen,
    totals.last_seen,
    totals.parts,
    round(cast(totals.images as double) / nullif(distinct_prompts.prompts, 0), 6) as images_per_prompt,
    round(cast(known.images as double) / nullif(known.users, 0), 6) as images_per_user
from totals
cross join distinct_prompts
cross join known
order by totals.images
