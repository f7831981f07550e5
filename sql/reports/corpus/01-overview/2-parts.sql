-- name: parts
-- title: Size of the parts
-- description: A part is a zip of the published images, 1,000 in each; a selection takes some of every part that it touches.
-- sentence: {parts} parts are touched; half of them give {median_images} images or fewer.
with parts as (
    select part_id, count(*) as images
    from images
    where part_id is not null
    group by part_id
)
select
    count(*) as parts,
    min(images) as fewest_images,
    round(percentile_cont(0.5) within group (order by images), 6) as median_images,
    max(images) as most_images
from parts
order by parts
