-- name: artists
-- title: Artists
-- description: Whom the lists after “by” or “in the style of” name. Which members of a list are artists, and which are modifiers that follow the last name, is decided by counts over all prompts of the dataset, whatever the selection.
-- limit: 25
-- key: rank
-- compare: artist, share
-- chart: ranking x=share y=artist
-- column: share: of the distinct prompts
-- tell: artist
with held as (
    select prompts.prompt_id, unnest(string_split(trim(prompt_artists.artists, '| '), ' | ')) as artist
    from prompts
    inner join prompt_artists on prompt_artists.prompt_id = prompts.prompt_id
    where prompt_artists.artists <> ''
),
counted as (
    select artist, count(*) as prompts
    from held
    group by artist
)
select
    row_number() over (order by prompts desc, artist) as rank,
    artist,
    prompts,
    round(cast(prompts as double) / nullif((select count(*) from prompts), 0), 6) as share
from counted
order by rank
