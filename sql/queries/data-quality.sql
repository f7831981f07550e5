-- name: data-quality
-- description: What a reader must know of the values: what is missing, odd, or repeated.
-- column: check_name: what is looked for
-- column: rows: images; of the last check, rows of the table that no view but metadata shows
-- column: share: of all images
-- example: ddb run data-quality
with counts as (
    select
        count(*) as check_01,
        count(*) filter (where prompt is null) as check_02,
        count(*) filter (where prompt = '') as check_03,
        count(*) filter (where prompt like '% ') as check_04,
        count(*) filter (where user_name is null) as check_05,
        count(*) filter (where user_name = 'deleted_account') as check_06,
        count(*) filter (where timestamp is null) as check_07,
        count(*) filter (where image_nsfw is null) as check_08,
        count(*) filter (where prompt_nsfw is null) as check_09,
        count(*) filter (where image_blurred) as check_10,
        count(*) filter (where image_nsfw is not null and not image_blurred and not image_nsfw between 0 and 1) as check_11,
        count(*) filter (where isnan(cfg)) as check_12,
        count(*) filter (where isinf(cfg)) as check_13,
        count(*) filter (where cfg < 0 and not isinf(cfg)) as check_14,
        count(*) filter (where cfg > 100 and not isnan(cfg) and not isinf(cfg)) as check_15,
        count(*) filter (where step = 0) as check_16,
        count(*) filter (where sampler_name is null) as check_17,
        count(*) filter (where image_name is null) as check_19
    from images
),
repeated as (
    select cast(coalesce(sum(images), 0) as bigint) as rows
    from repeats
),
checks as (
    select 1 as place, 'all images' as check_name, check_01 as rows from counts
    union all
    select 2 as place, 'prompt missing' as check_name, check_02 as rows from counts
    union all
    select 3 as place, 'prompt empty' as check_name, check_03 as rows from counts
    union all
    select 4 as place, 'prompt ends in a space' as check_name, check_04 as rows from counts
    union all
    select 5 as place, 'user missing' as check_name, check_05 as rows from counts
    union all
    select 6 as place, 'user deleted' as check_name, check_06 as rows from counts
    union all
    select 7 as place, 'time missing' as check_name, check_07 as rows from counts
    union all
    select 8 as place, 'image score missing' as check_name, check_08 as rows from counts
    union all
    select 9 as place, 'prompt score missing' as check_name, check_09 as rows from counts
    union all
    select 10 as place, 'image blurred' as check_name, check_10 as rows from counts
    union all
    select 11 as place, 'image score outside 0 to 1, not blurred' as check_name, check_11 as rows from counts
    union all
    select 12 as place, 'cfg not a number' as check_name, check_12 as rows from counts
    union all
    select 13 as place, 'cfg infinite' as check_name, check_13 as rows from counts
    union all
    select 14 as place, 'cfg negative' as check_name, check_14 as rows from counts
    union all
    select 15 as place, 'cfg over 100' as check_name, check_15 as rows from counts
    union all
    select 16 as place, 'step zero' as check_name, check_16 as rows from counts
    union all
    select 17 as place, 'sampler unknown' as check_name, check_17 as rows from counts
    union all
    select 18 as place, 'same prompt, seed and settings as another' as check_name, rows from repeated
    union all
    select 19 as place, 'image name missing' as check_name, check_19 as rows from counts
    union all
    select 20 as place, 'image name on an earlier row too, left out' as check_name, repeated_rows() as rows
)
select
    checks.check_name,
    checks.rows,
    round(cast(checks.rows as double) / nullif(counts.check_01, 0), 6) as share
from checks
cross join counts
order by checks.place
