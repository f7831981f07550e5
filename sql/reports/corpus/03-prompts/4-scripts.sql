-- name: scripts
-- title: Scripts
-- description: Which writing systems the distinct prompts use, told by their characters; a prompt may use several, and English, like most languages of Europe, is mostly plain ASCII.
-- key: script
-- compare: share
-- column: share: of the distinct prompts
with counted as (
    select
        count(*) filter (where regexp_matches(prompt, '[\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{24F}\x{1E00}-\x{1EFF}]')) as accents,
        count(*) filter (where regexp_matches(prompt, '\p{Cyrillic}')) as cyrillic,
        count(*) filter (where regexp_matches(prompt, '\p{Greek}')) as greek,
        count(*) filter (where regexp_matches(prompt, '\p{Arabic}')) as arabic,
        count(*) filter (where regexp_matches(prompt, '\p{Hebrew}')) as hebrew,
        count(*) filter (where regexp_matches(prompt, '\p{Devanagari}')) as devanagari,
        count(*) filter (where regexp_matches(prompt, '\p{Thai}')) as thai,
        count(*) filter (where regexp_matches(prompt, '[\p{Hiragana}\p{Katakana}]')) as kana,
        count(*) filter (where regexp_matches(prompt, '\p{Hangul}')) as hangul,
        count(*) filter (
            where regexp_matches(prompt, '\p{Han}')
            and not regexp_matches(prompt, '[\p{Hiragana}\p{Katakana}\p{Hangul}]')
        ) as han,
        count(*) filter (where regexp_matches(prompt, '[\x{1F300}-\x{1FAFF}\x{2600}-\x{27BF}]')) as emoji,
        count(*) as beyond_ascii
    from prompts
    where bit_length(prompt) <> 8 * length(prompt)
),
totals as (
    select count(*) as prompts
    from prompts
),
scripts as (
    select 1 as place, 'ASCII alone' as script, 'English, mostly' as suggests, prompts - beyond_ascii as found from counted cross join totals
    union all select 2, 'Latin with accents', 'languages of Europe, names', accents from counted
    union all select 3, 'Cyrillic', 'Russian and others', cyrillic from counted
    union all select 4, 'Greek', 'Greek, symbols', greek from counted
    union all select 5, 'Arabic', 'Arabic, Persian, Urdu', arabic from counted
    union all select 6, 'Hebrew', 'Hebrew', hebrew from counted
    union all select 7, 'Devanagari', 'Hindi and others', devanagari from counted
    union all select 8, 'Thai', 'Thai', thai from counted
    union all select 9, 'Kana', 'Japanese', kana from counted
    union all select 10, 'Hangul', 'Korean', hangul from counted
    union all select 11, 'Han without kana or hangul', 'Chinese, mostly', han from counted
    union all select 12, 'Emoji and pictographs', 'any', emoji from counted
)
select
    scripts.script,
    scripts.suggests,
    scripts.found as prompts,
    round(cast(scripts.found as double) / nullif(totals.prompts, 0), 6) as share
from scripts
cross join totals
order by scripts.place
