-- name: timeline
-- description: Activity over time (UTC): images, distinct prompts, users.
-- param: grain text = day
-- choices: hour, day
-- help: Length of a period.
-- column: period: its beginning; NULL for images whose time is not known
-- example: ddb run timeline --grain hour
select
    cast(date_trunc($grain, hour) as timestamp) as period,
    cast(sum(images) as bigint) as images,
    count(distinct prompt_id) as prompts,
    count(distinct user_name) as users
from activity
group by period
order by period nulls last
