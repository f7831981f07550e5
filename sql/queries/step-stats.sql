-- name: step-stats
-- description: Steps: how often each number was used.
-- limit: 20
-- column: share: of all images
-- example: ddb run step-stats --limit 5
select
    step,
    count(*) as images,
    round(count(*) / sum(count(*)) over (), 6) as share,
    count(distinct user_name) as users
from images
group by step
order by images desc, step nulls last
