-- name: fetching
-- title: What the images cost
-- description: To fetch the images from the Hub as whole parts, or as the members alone: estimates from the published mean size of a part (2m 0.8 GB, large 0.46 GB) and 256 KB of directory for each part; not known for made-up data, nor where it is not known which dataset the images are from.
-- sentence: The images lie in {parts} parts: about {whole_parts_bytes} as whole zips, {members_bytes} as members.
-- column: wanted_share: of the images of these parts
with counted as (
    select count(*) as images, count(distinct part_id) as parts
    from images
),
priced as (
    select
        images,
        parts,
        case images_from() when '2m' then 800000 when 'large' then 460000 end as image_bytes
    from counted
)
select
    images,
    parts,
    parts * 1000 * image_bytes as whole_parts_bytes,
    images * image_bytes + parts * 262144 as members_bytes,
    round(cast(images as double) / nullif(parts * 1000, 0), 6) as wanted_share
from priced
order by images
