-- name: lorenz
-- title: Lorenz curve
-- description: The least active users on the left; the further the curve hangs below the diagonal, the fewer users made most images.
-- key: users_share
-- compare: images_share
-- column: users_share: of the known users, the least active first
-- column: images_share: of the images of known users
-- chart: lorenz x=users_share y=images_share
with ranked as (
    select
        row_number() over (order by images, user_name) as place,
        sum(images) over (order by images, user_name rows unbounded preceding) as made
    from users
    where user_name <> 'deleted_account'
),
totals as (
    select count(*) as users, max(made) as images
    from ranked
),
points as (
    select unnest(range(0, 101, 2)) as percent
)
select
    round(points.percent / 100.0, 6) as users_share,
    round(cast(coalesce(max(ranked.made), 0) as double) / nullif(totals.images, 0), 6) as images_share
from points
cross join totals
left join ranked on ranked.place = totals.users * points.percent // 100
where totals.users > 0
group by points.percent, totals.images
order by points.percent
