-- The rows of a published table in which image names are on several rows: of each image the row
-- that is first in the order of all columns. Rows without a name all stay.
with repeated_names as (
    select image_name
    from source.published
    where image_name is not null
    group by image_name
    having count(*) > 1
)
select *
from source.published
where image_name is null or image_name not in (select image_name from repeated_names)
union all
select *
from source.published
where image_name in (select image_name from repeated_names)
qualify row_number() over (
    partition by image_name
    order by
        part_id nulls last, prompt nulls last, seed nulls last, step nulls last, cfg nulls last,
        sampler nulls last, width nulls last, height nulls last, user_name nulls last,
        timestamp nulls last, image_nsfw nulls last, prompt_nsfw nulls last
) = 1
