-- One row per prompt: the artists that its lists name, "| greg rutkowski | wlop |"; empty without one.
-- A list that follows `by` runs on into what else is said of the picture. Which of its members are
-- artists is decided by counts over all prompts of the dataset; docs/search.md has the rules.
with lists as (
    select
        prompt_id,
        unnest(lists) as list,
        generate_subscripts(lists, 1) as list_number
    from (
        select prompt_id, string_split(prompt_lists(prompt), '|>')[2:] as lists
        from prompts
    ) as split
),
mentions as materialized (
    select prompt_id, list_number, place, member
    from (
        select
            prompt_id,
            list_number,
            unnest(string_split(list, '|')) as member,
            generate_subscripts(string_split(list, '|'), 1) as place
        from lists
        where list <> ''
    ) as listed
    where member <> ''
),
members as (
    select
        member,
        count(distinct prompt_id) as prompts,
        bool_or(place = 1) as follows_by
    from mentions
    group by member
),
verdicts as (
    select
        members.member,
        members.follows_by,
        regexp_matches(members.member, '\p{L}.*\p{L}')
        and not regexp_matches(
            members.member,
            '^(?:a [^ ][^ ]|(?:an|the|my|your|his|her|its|our|their) )'
        )
        and coalesce(terms.prompts, 0) * 5 < members.prompts * 6
        and (
            members.follows_by
            or members.prompts < 10
            or coalesce(terms.prompts, 0) < members.prompts
        ) as is_artist
    from members
    left join terms on terms.term = members.member
),
judged as (
    select
        mentions.prompt_id,
        mentions.list_number,
        mentions.place,
        mentions.member,
        verdicts.follows_by,
        verdicts.is_artist,
        min(mentions.place) filter (where not verdicts.is_artist)
            over (partition by mentions.prompt_id, mentions.list_number) as first_other
    from mentions
    inner join verdicts on verdicts.member = mentions.member
),
named as (
    select
        prompt_id,
        '| ' || string_agg(member, ' | ' order by list_number, place) || ' |' as artists
    from (
        select prompt_id, member, min(list_number) as list_number, arg_min(place, list_number) as place
        from judged
        where is_artist and (follows_by or first_other is null or place < first_other)
        group by prompt_id, member
    ) as kept
    group by prompt_id
)
select prompts.prompt_id, coalesce(named.artists, '') as artists
from prompts
left join named on named.prompt_id = prompts.prompt_id
