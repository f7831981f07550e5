-- name: depth
-- title: Images of each part
-- description: Parts touched by the number of their images that are in the selection.
-- key: images_per_part
-- compare: part_share = 0, image_share = 0
-- bands: 1 | 2–9 | 10–99 | 100–999 | 1,000
-- chart: bar x=images_per_part y=part_share y2=image_share
-- column: part_share: of the parts that are touched
-- column: image_share: of the images whose part is known
with parts as (
    select part_id, count(*) as images
    from images
    where part_id is not null
    group by part_id
),
banded as (
    select
        case when images = 1 then 1 when images < 10 then 2 when images < 100 then 3
            when images < 1000 then 4 else 5
        end as band,
        count(*) as parts,
        cast(sum(images) as bigint) as images
    from parts
    group by band
)
select
    ['1', '2–9', '10–99', '100–999', '1,000'][band] as images_per_part,
    parts,
    round(cast(parts as double) / nullif(sum(parts) over (), 0), 6) as part_share,
    images,
    round(cast(images as double) / nullif(sum(images) over (), 0), 6) as image_share
from banded
order by band
