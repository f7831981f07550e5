-- name: aspect
-- title: Aspect ratio
-- description: Width divided by height, from tall to wide.
-- key: aspect
-- compare: share = 0
-- bands: 1:2 or taller | to 2:3 | taller than wide | square | wider than tall | from 3:2 | 2:1 or wider
-- chart: bar x=aspect y=share
-- column: share: of the images with a size
with banded as (
    select
        case
            when width * 2 <= height then 1 when width * 3 <= height * 2 then 2
            when width < height then 3 when width = height then 4
            when width * 2 < height * 3 then 5 when width < height * 2 then 6 else 7
        end as band,
        count(*) as images
    from images
    where width > 0 and height > 0
    group by band
)
select
    ['1:2 or taller', 'to 2:3', 'taller than wide', 'square', 'wider than tall', 'from 3:2', '2:1 or wider'][band] as aspect,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from banded
order by band
