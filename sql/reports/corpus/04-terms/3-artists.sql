-- name: artists
-- title: Artists
-- description: Members of the lists that follow “by” or “in the style of”, to the end of the sentence; no list of known names is used, so that what goes on after the last name counts as well.
-- limit: 25
-- key: rank
-- compare: artist, share
-- chart: ranking x=share y=artist
-- column: share: of the distinct prompts
with counted as (
    select artist, count(*) as prompts
    from prompt_artists
    group by artist
)
select
    row_number() over (order by prompts desc, artist) as rank,
    artist,
    prompts,
    round(cast(prompts as double) / nullif((select count(*) from prompts), 0), 6) as share
from counted
order by rank
