-- name: prompt-terms
-- description: The terms used most: what stands between commas, in whatever case and spacing.
-- limit: 50
-- column: term: the text between two commas, normalised
-- column: prompts: distinct prompts that hold it
-- column: images: images made from these prompts
-- example: ddb run prompt-terms --limit 10
select
    term,
    prompts,
    images
from terms
order by prompts desc, term
