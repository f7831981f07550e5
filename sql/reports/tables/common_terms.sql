-- The 2,000 most used terms by rank.
select term, prompts, images, row_number() over (order by prompts desc, term) as rank
from terms
qualify rank <= 2000
