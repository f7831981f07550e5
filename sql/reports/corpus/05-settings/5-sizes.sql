-- name: sizes
-- title: Sizes
-- description: Width by height in pixels, the most used first.
-- limit: 15
-- key: rank
-- compare: size, share
-- chart: ranking x=share y=size
-- column: share: of all images
with grouped as (
    select width, height, count(*) as images
    from images
    group by width, height
)
select
    row_number() over (order by images desc, width nulls last, height nulls last) as rank,
    coalesce(cast(width as varchar), 'none') || ' × ' || coalesce(cast(height as varchar), 'none') as size,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as share
from grouped
order by rank
