-- name: duplicates
-- title: Repeated images
-- description: Images that share prompt, seed, steps, cfg, sampler and size with another; the same settings give the same image.
-- sentence: {repeated_images} images ({share} of all images) repeat the settings of another, in {groups} groups.
-- column: share: of all images
with totals as (
    select count(*) as images
    from images
),
counted as (
    select
        count(*) as groups,
        cast(coalesce(sum(images), 0) as bigint) as repeated_images,
        max(images) as largest_group
    from repeats
)
select
    counted.groups,
    counted.repeated_images,
    round(cast(counted.repeated_images as double) / nullif(totals.images, 0), 6) as share,
    counted.largest_group
from counted
cross join totals
order by counted.groups
