-- name: modifiers
-- title: Modifiers
-- description: Of the 2,000 most used terms, those that follow another clause and name no artist: what is said of the picture after its subject. Every first clause is left out.
-- limit: 25
-- key: rank
-- compare: term, share
-- column: share: of the distinct prompts
-- column: following_share: of the prompts that hold the term: those in which it follows another clause
with counted as (
    select rank, count(*) as prompts
    from common_prompt_terms
    where last_place > 1
    group by rank
),
named as (
    select distinct unnest(string_split(trim(artists, '| '), ' | ')) as artist
    from prompt_artists
    where artists <> ''
)
select
    row_number() over (order by counted.prompts desc, common_terms.term) as rank,
    common_terms.term,
    counted.prompts,
    round(cast(counted.prompts as double) / nullif((select count(*) from prompts), 0), 6) as share,
    round(cast(counted.prompts as double) / nullif(common_terms.prompts, 0), 6) as following_share
from counted
inner join common_terms on common_terms.rank = counted.rank
where not regexp_matches(common_terms.term, '(?:^| )(?:by|in the style of)(?: |$)')
    and not exists (select 1 from named where named.artist = common_terms.term)
order by rank
