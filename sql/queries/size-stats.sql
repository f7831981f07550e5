-- name: size-stats
-- description: Image sizes: how often each was used.
-- limit: 20
-- column: share: of all images
-- example: ddb run size-stats --limit 5
select
    width,
    height,
    count(*) as images,
    round(count(*) / sum(count(*)) over (), 6) as share,
    count(distinct user_name) as users
from images
group by width, height
order by images desc, width nulls last, height nulls last
