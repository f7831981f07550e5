-- name: top-terms
-- title: Terms used most
-- description: A term is what stands between two commas, in whatever case, spacing and accents; counted once for each distinct prompt that holds it.
-- limit: 25
-- key: rank
-- compare: term, share
-- chart: ranking x=share y=term
-- column: share: of the distinct prompts
-- tell: term: select term, prompts from terms
select
    rank,
    term,
    prompts,
    round(cast(prompts as double) / nullif((select count(*) from prompts), 0), 6) as share,
    images
from common_terms
order by rank
