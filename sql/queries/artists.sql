-- name: artists
-- description: Artists by the number of prompts that name them after `by` or `in the style of`.
-- param: min_prompts integer = 1
-- help: Leave out artists whom fewer prompts name.
-- limit: 50
-- column: artist: the name as it stands in the list, normalised; docs/search.md says who is one
-- column: prompts: distinct prompts that name the artist
-- column: images: images made from these prompts
-- column: users: users who made these images, as far as they are known
-- column: share: of the distinct prompts
-- example: ddb run artists --min-prompts 10
select
    artist,
    prompts,
    images,
    users,
    round(cast(prompts as double) / nullif((select count(*) from prompts), 0), 6) as share
from artists
where prompts >= $min_prompts
order by prompts desc, artist
