-- name: nsfw-histogram
-- description: How the image and the prompt scores are distributed; the blurred images stand apart.
-- param: bins integer = 20
-- help: Number of bins of equal width from 0 to 1.
-- minimum: 1
-- column: kind: which score, image or prompt
-- column: low: lower end of the bin, included; 2.0 for the blurred images
-- column: high: upper end of the bin, included in the last bin only
-- example: ddb run nsfw-histogram --bins 10
with scores as (
    select 'image' as kind, image_nsfw_score as score
    from images
    union all
    select 'prompt' as kind, prompt_nsfw as score
    from images
),
-- The ends are 32-bit floats as the scores are, so that a published 0.7, which is 0.69999999 as a
-- double, falls where a reader looks for it.
places as (
    select
        kind,
        least(
            cast(floor(score * $bins) as bigint)
            + case
                when score >= cast((floor(score * $bins) + 1) / nullif($bins, 0) as real) then 1
                else 0
            end,
            $bins - 1
        ) as place,
        count(*) as images
    from scores
    where score between 0 and 1
    group by kind, place
),
bins as (
    select kinds.kind, numbers.place
    from (values ('image'), ('prompt')) as kinds (kind)
    cross join (select unnest(range($bins)) as place) as numbers
)
select
    bins.kind,
    round(cast(bins.place as double) / $bins, 6) as low,
    round(cast(bins.place + 1 as double) / $bins, 6) as high,
    coalesce(places.images, 0) as images
from bins
left join places on places.kind = bins.kind and places.place = bins.place
union all
select 'image' as kind, 2.0 as low, 2.0 as high, count(*) filter (where image_blurred) as images
from images
order by kind, low
