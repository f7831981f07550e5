-- name: prompt-search
-- description: Images whose prompts match a search, the best first; docs/search.md has the language.
-- param: words text
-- help: What to search for, for example 'castle "matte painting" -portrait'.
-- limit: 20
-- column: score: how well the prompt matches (BM25); 0 when prompts are scanned without an index
-- example: ddb run prompt-search --words castle
select
    images.image_name,
    images.prompt,
    round(found.score, 6) as score,
    images.part_id,
    images.image_nsfw,
    images.prompt_nsfw
from images
inner join search($words) as found using (prompt_id)
order by score desc, images.part_id nulls last, images.image_name nulls last
