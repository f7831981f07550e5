-- name: top-users
-- title: Most active users
-- description: By rank; the hashes that stand for their names are shown with --users alone. Deleted accounts are left out.
-- limit: 15
-- key: rank
-- compare: images, share, prompts
-- private: user_name
-- column: share: of all images
select
    row_number() over (order by images desc, user_name) as rank,
    user_name,
    images,
    round(cast(images as double) / nullif((select count(*) from images), 0), 6) as share,
    prompts,
    first_seen,
    last_seen
from users
where user_name <> 'deleted_account'
order by rank
