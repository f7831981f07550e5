-- name: part-stats
-- description: The parts (zips of 1,000 images): what each holds.
-- limit: 20
-- column: part_path: the zip's path in the Hub's repository
-- example: ddb run part-stats --limit 3
select
    part_id,
    min(part_path) as part_path,
    count(*) as images,
    count(distinct prompt_id) as prompts,
    count(*) filter (where image_blurred) as blurred
from images
group by part_id
order by part_id nulls last
