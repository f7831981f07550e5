-- Which prompt holds which of the 2,000 most used terms, and at which place it stands last.
select prompt_terms.prompt_id, cast(common_terms.rank as smallint) as rank, max(prompt_terms.place) as last_place
from prompt_terms
inner join common_terms on common_terms.term_id = prompt_terms.term_id
group by prompt_terms.prompt_id, common_terms.rank
