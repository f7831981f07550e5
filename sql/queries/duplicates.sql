-- name: duplicates
-- description: Images made with the same prompt, seed and settings as another.
-- limit: 20
-- column: images: how many share all of this
-- example: ddb run duplicates
select
    prompt,
    seed,
    step,
    cfg,
    sampler,
    width,
    height,
    images
from repeats
order by
    images desc,
    prompt nulls last,
    seed nulls last,
    step nulls last,
    cfg nulls last,
    sampler nulls last,
    width nulls last,
    height nulls last
