-- name: artists
-- title: Artists
-- description: Members of the lists that follow “by” or “in the style of”, to the end of the sentence; no list of known names is used, so that what goes on after the last name counts as well.
-- limit: 25
-- key: rank
-- compare: artist, share
-- chart: ranking x=share y=artist
-- column: share: of the distinct prompts
-- tell: artist

-- As the function prompt_artists, whose rules these are, but one expression finds the lists, and
-- each distinct member is normalised once. The dot of one or two letters ends no sentence.
with lists as (
    select
        prompt_id,
        unnest(regexp_extract_all(
            prompt,
            '(?i)\b(?:by|in the style of)\b(?:\b[a-z]{1,2}\.|[.!?]+[^.!?\s]|[^.!?\r\n])*'
        )) as list
    from prompts
),
members as materialized (
    select
        prompt_id,
        unnest(string_split_regex(
            list, '(?i)\b(?:by|in the style of|and)\b|[,;&+/|(){}"\[\]]'
        )) as member
    from lists
),
artists as materialized (
    select member_id, artist, hash(artist) as artist_id
    from (
        select member_id, normalise(member) as artist
        from (
            select hash(member) as member_id, any_value(member) as member
            from members
            group by member_id
        ) as distinct_members
    ) as spelled
    where artist <> ''
),
counted as (
    select artist_id, count(*) as prompts
    from (
        select distinct members.prompt_id, artists.artist_id
        from members
        inner join artists on artists.member_id = hash(members.member)
    ) as held
    group by artist_id
),
named as (
    select distinct artist_id, artist
    from artists
)
select
    row_number() over (order by counted.prompts desc, named.artist) as rank,
    named.artist,
    counted.prompts,
    round(cast(counted.prompts as double) / nullif((select count(*) from prompts), 0), 6) as share
from counted
inner join named on named.artist_id = counted.artist_id
order by rank
