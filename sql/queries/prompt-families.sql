-- name: prompt-families
-- description: Prompts that are the same but for spelling: case, spacing, punctuation, accents.
-- param: min_spellings integer = 2
-- help: Leave out families with fewer spellings.
-- limit: 20
-- column: text: what the spellings have in common, normalised
-- column: prompt: the first spelling, in alphabetical order
-- column: images: images made from all spellings together
-- example: ddb run prompt-families --min-spellings 3
select
    text,
    min(prompt) as prompt,
    count(*) as spellings,
    cast(sum(images) as bigint) as images
from prompts
where text <> ''
group by text
having count(*) >= $min_spellings
order by spellings desc, images desc, text
