-- name: characters
-- title: Characters of a prompt
-- description: Distinct prompts by their number of characters, in bins of 20; the last bin holds all that is longer.
-- key: low, high
-- compare: share = 0
-- chart: histogram x=low x2=high y=share unit=characters
-- column: share: of the distinct prompts
with binned as (
    select least(length(prompt) // 20, 25) as bin, count(*) as prompts
    from prompts
    group by bin
)
select
    bin * 20 as low,
    case when bin < 25 then bin * 20 + 20 end as high,
    prompts,
    round(cast(prompts as double) / nullif(sum(prompts) over (), 0), 6) as share
from binned
order by low
