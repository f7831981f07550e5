-- name: cfg-stats
-- description: Guidance scale (cfg): how often each value was used.
-- limit: 20
-- column: share: of all images
-- example: ddb run cfg-stats --limit 5
select
    cfg,
    count(*) as images,
    round(count(*) / sum(count(*)) over (), 6) as share,
    count(distinct user_name) as users
from images
group by cfg
order by images desc, cfg nulls last
