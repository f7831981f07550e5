-- One row per prompt: the texts between its commas, normalised, with commas between them; nothing
-- between two where there was no word.
select
    prompt_id,
    images,
    left(prompt_clauses(prompt), -1) as clauses
from prompts
