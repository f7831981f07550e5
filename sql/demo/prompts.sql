-- The messages with their prompts. A session tries versions of one idea: who does what where stays,
-- the opening and the modifiers change; every fifth version is the one before it, written
-- differently. A few messages borrow one of 300 well-known ideas, the first of them most.
--
-- Every list holds 256 entries, the common ones more than once: eight bits of chance pick one.
with sessions as (
    select
        * exclude (chance),
        chance >> 24 as message_score,
        chance & 4095 < $borrowed as borrows,
        300 * (chance >> 12 & 4095) * (chance >> 12 & 4095) * (chance >> 12 & 4095) >> 36 as loan,
        md5_number($seed || ':session:' || owner || ':' || session) as session_dice
    from messages
),

ideas as (
    select
        * exclude (borrows, loan, session_dice, moment),
        (session_dice & 1152921504606846975)::bigint as manner,
        case when borrows then 'known:' || loan else owner || ':' || session end as idea,
        case
            when borrows then 0
            else moment * $versions[1 + (session_dice >> 120)::bigint] >> 20
        end as version
    from sessions
),

rolled as (
    select
        * exclude (idea, version),
        version % 5 = 4 as rewritten,
        md5_number($seed || ':idea:' || idea) as idea_dice,
        md5_number(
            $seed || ':text:' || idea || ':' || (version - (version % 5 = 4)::int)
        ) as text_dice
    from ideas
),

split as (
    select
        * exclude (idea_dice, text_dice),
        (idea_dice & 1152921504606846975)::bigint as i,
        (idea_dice >> 68)::bigint as j,
        (text_dice & 1152921504606846975)::bigint as t,
        (text_dice >> 68)::bigint as u,
        $wordiness[1 + (idea_dice >> 60 & 255)::bigint] as wordy
    from rolled
),

phrased as (
    select
        * exclude (i, t, u, wordy),
        concat_ws(
            ' ',
            $openings[1 + (u >> 48 & 255)],
            $adjectives[1 + (i >> 8 & 255)],
            $subjects[1 + (i >> 16 & 255)],
            case when j >> 37 & 7 = 0 then
                'named ' || $syllables[1 + (i & 255)] || $syllables[1 + (j >> 40 & 255)]
                    || $syllables[1 + (j >> 48 & 255)]
            end,
            $actions[1 + (i >> 24 & 255)],
            $places[1 + (i >> 32 & 255)],
            $styles[1 + (i >> 40 & 255)]
        ) as scene,
        case when wordy > 3 then $clauses[1 + (i >> 48 & 255)] end as clause,
        concat_ws(
            ', ',
            case when t & 15 < wordy then $details[1 + (t >> 4 & 255)] end,
            case when t >> 12 & 15 < wordy - 3 then $moods[1 + (t >> 16 & 255)] end,
            case when t >> 24 & 15 < wordy - 1 then $lights[1 + (t >> 28 & 255)] end,
            case when t >> 36 & 15 < wordy - 4 then $colors[1 + (t >> 40 & 255)] end,
            case when t >> 48 & 15 < wordy - 4 then $cameras[1 + (t >> 52 & 255)] end
        ) as looks,
        concat_ws(
            ', ',
            case when u & 15 < wordy - 1 then $media[1 + (u >> 4 & 255)] end,
            case when u >> 12 & 15 < wordy - 5 then $engines[1 + (u >> 16 & 255)] end,
            case when u >> 24 & 15 < wordy - 3 then $sites[1 + (u >> 28 & 255)] end,
            case when u >> 36 & 15 < wordy - 2 then $resolutions[1 + (u >> 40 & 255)] end
        ) as finish,
        'by ' || concat_ws(
            ' and ',
            $artists_first[1 + (j & 255)],
            case when j >> 24 & 3 > 0 then $artists_second[1 + (j >> 8 & 255)] end,
            case when j >> 24 & 3 > 1 then $artists_third[1 + (j >> 16 & 255)] end
        ) as artists
    from split
),

joined as (
    select
        * exclude (scene, clause, looks, finish, artists),
        concat_ws(
            ', ',
            scene,
            clause,
            case when j >> 30 & 1 = 0 then nullif(looks, '') else nullif(finish, '') end,
            case when j >> 26 & 15 < 9 then artists end,
            case when j >> 30 & 1 = 0 then nullif(finish, '') else nullif(looks, '') end
        ) as written
    from phrased
),

habitual as (
    select
        * exclude (j),
        j >> 33 & 15 < 11 as spaced,
        case when rewritten then j >> 31 & 3 end as rewriting
    from joined
),

spelled as (
    select
        * exclude (rewritten, rewriting, written, spaced),
        case
            when odd is not null then $odd_prompts[1 + odd % len($odd_prompts)]
            when rewriting = 0 then written || case when spaced then '' else ' ' end
            else case rewriting
                when 1 then upper(left(written, 1)) || substr(written, 2)
                when 2 then replace(written, ', ', ',  ')
                when 3 then upper(written)
                else written
            end || case when spaced then ' ' else '' end
        end as prompt
    from habitual
),

diced as (
    select *, (md5_number('score:' || prompt) & 4294967295)::bigint as dice
    from spelled
),

drawn as (
    select
        * exclude (dice),
        dice & 255 as exact,
        (dice >> 10 & 1048575) / 1048576::double as x,
        greatest((dice >> 10 & 1048575) / 1048576::double - 0.97::double, 0) / 0.03::double as tail
    from diced
)

-- A score is a matter of the text alone: half are below 0.0014, one in forty spreads up to 1.
select
    * exclude (exact, x, tail),
    case
        when exact < 3 then [0.2, 0.5, 0.1][1 + exact]::float
        else (0.0001::double + 0.02::double * x * x * x * x + 0.97::double * tail * tail)::float
    end as prompt_nsfw
from drawn
