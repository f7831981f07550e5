-- name: activity
-- title: Activity of the users
-- description: Known users by the number of their images.
-- key: images_per_user
-- compare: user_share = 0, image_share = 0
-- bands: 1 | 2–9 | 10–99 | 100–999 | 1,000–9,999 | 10,000 or more
-- chart: bar x=images_per_user y=user_share y2=image_share
-- column: user_share: of the known users
-- column: image_share: of the images of known users
with banded as (
    select
        case when images = 1 then 1 when images < 10 then 2 when images < 100 then 3
            when images < 1000 then 4 when images < 10000 then 5 else 6
        end as band,
        count(*) as users,
        cast(sum(images) as bigint) as images
    from users
    where user_name <> 'deleted_account'
    group by band
)
select
    ['1', '2–9', '10–99', '100–999', '1,000–9,999', '10,000 or more'][band] as images_per_user,
    users,
    round(cast(users as double) / nullif(sum(users) over (), 0), 6) as user_share,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as image_share
from banded
order by band
