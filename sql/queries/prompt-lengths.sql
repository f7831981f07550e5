-- name: prompt-lengths
-- description: How long the distinct prompts are, in characters.
-- param: bins integer = 20
-- help: Number of bins of equal width, from 0 to the longest prompt.
-- minimum: 1
-- column: low: fewest characters in the bin
-- column: high: most characters in the bin
-- example: ddb run prompt-lengths --bins 10
with lengths as (
    select length(prompt) as characters
    from prompts
),
widths as (
    select cast(ceil((max(characters) + 1.0) / nullif($bins, 0)) as bigint) as width
    from lengths
),
places as (
    select cast(floor(lengths.characters / widths.width) as bigint) as place, count(*) as prompts
    from lengths
    cross join widths
    group by place
),
bins as (
    select unnest(range($bins)) as place
)
select
    bins.place * widths.width as low,
    (bins.place + 1) * widths.width - 1 as high,
    coalesce(places.prompts, 0) as prompts
from bins
cross join widths
left join places on places.place = bins.place
where widths.width is not null
order by low
