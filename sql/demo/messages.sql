-- One row per message of the bot, 1 to 9 images of one user, session and minute; in the order of
-- their images, which is by part, in it by user, in that by time.
--
-- Nothing here or later is filtered, joined or sorted: DuckDB's filters and joins may hold small
-- pieces back and write them last, projections and unnest hand rows on in the order they came in.
-- All chance is md5 of the seed, a purpose and a number, cut into pieces of at most 60 bits; all
-- arithmetic is on integers. 1048576 stands for one whole where fractions are counted.
with blocks as (
    -- 40 neighbouring images come in messages of one size; the last may be cut short.
    select
        block,
        $message_sizes[
            1 + (md5_number($seed || ':block:' || block) & 1048575)::bigint % len($message_sizes)
        ] as size
    from range(0, ($rows + 39) // 40) as numbers(block)
),

numbered as (
    select block, size, unnest(range((least(40, $rows - block * 40) + size - 1) // size)) as nth
    from blocks
),

messages as (
    select
        block * 40 + nth * size as first_image,
        least(size, 40 - nth * size, $rows - block * 40 - nth * size) as images,
        md5_number($seed || ':message:' || (block * 40 + nth * size)) as dice
    from numbered
),

placed as (
    -- The 1,000 places of a part are shared out to the users in the order of their names.
    select
        first_image,
        images,
        (dice >> 68)::bigint as chance,
        (
            (first_image % 1000) * 1048576
            + (dice & 1152921504606846975)::bigint % (images * 1048576)
        ) * len($slots) // 1000 as place
    from messages
),

owned as (
    select *, $slots[1 + (place >> 20)] as owner
    from placed
),

aged as (
    -- `life`: how far through all that this user ever makes; the clock of one user.
    select
        * exclude (place),
        $user_names[1 + owner] as user_name,
        (place - $first_slots[1 + owner]::bigint * 1048576) // $slot_counts[1 + owner] as life,
        greatest(
            1, (2 * $slot_counts[1 + owner]::bigint * $sessions // len($slots) + 1) // 2
        ) as sessions,
        (md5_number($seed || ':user:' || owner) & 68719476735)::bigint as habits
    from owned
),

scheduled as (
    select
        *,
        (life * sessions) >> 20 as session,
        (life * sessions) & 1048575 as moment,
        1281 + (9000 * (habits & 4095) * (habits & 4095) * (habits & 4095) >> 36) as first_minute,
        20776 - (9000 * (habits >> 12 & 4095) * (habits >> 12 & 4095) * (habits >> 12 & 4095) >> 36)
            as last_minute
    from aged
),

paced as (
    select
        *,
        (last_minute - first_minute) // sessions as gap,
        least((last_minute - first_minute) // sessions, 50) as length
    from scheduled
),

timed as (
    -- Sessions last up to 50 minutes, on a clock on which all hours are equally busy.
    select
        *,
        first_minute
            + session * (last_minute - first_minute) // sessions
            + ((gap - length) * (habits >> 24) >> 12)
            + (length * moment >> 20) as even_minute
    from paced
),

dated as (
    -- From 5:00 to 12:20 UTC there is half as much going on as at other times.
    select
        *,
        even_minute // 1440 * 1440 + case
            when even_minute % 1440 < 300 then even_minute % 1440
            when even_minute % 1440 < 520 then even_minute % 1440 * 2 - 300
            else 740 + (even_minute % 1440 - 520) * 700 // 920
        end as minute
    from timed
)

select
    first_image,
    images,
    chance,
    owner,
    user_name,
    session,
    moment,
    -- What was deleted before the second scrape has no time: the end of each user's run.
    case
        when life < case when user_name is null then 524288 else 1047552 end
        then to_timestamp(1659744000 + minute * 60)
    end as timestamp,
    -- Odd prompts and settings come at fixed distances, so that every table has them all.
    case
        when (first_image + images - 1) % $odd_every < images
        then (first_image + images - 1) // $odd_every
    end as odd
from dated
