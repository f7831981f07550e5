-- name: prompt-search
-- description: Images whose prompts hold all of these words, written in whatever case and spacing.
-- param: words text
-- help: One word or several, for example "castle 8k".
-- limit: 20
-- column: score: share of the prompt's words that are among those searched for
-- example: ddb run prompt-search --words castle
with wanted as (
    select distinct unnest(string_split(normalise($words), ' ')) as word
),
distinct_prompts as (
    select prompt_id, normalise(prompt) as text
    from (select distinct prompt_id, prompt from images where prompt <> '') as spelled
),
found as (
    select
        distinct_prompts.prompt_id,
        min(len(string_split(text, ' '))) as words,
        sum(len(list_filter(string_split(text, ' '), lambda w: w = wanted.word))) as hits
    from distinct_prompts
    cross join wanted
    where wanted.word <> '' and contains(' ' || text || ' ', ' ' || wanted.word || ' ')
    group by distinct_prompts.prompt_id
    having count(*) = (select count(*) from wanted where word <> '')
)
select
    images.image_name,
    images.prompt,
    round(cast(found.hits as double) / found.words, 6) as score,
    images.part_id,
    images.image_nsfw,
    images.prompt_nsfw
from images
inner join found using (prompt_id)
order by score desc, images.part_id nulls last, images.image_name nulls last
