-- Which prompt holds which term at which clause, from 1. Nothing but marks is no term; a term that stands twice has two rows.
select cut.prompt_id, cut.place, clause_terms.term_id
from (
    select
        prompt_id,
        cast(generate_subscripts(string_split(prompt, ','), 1) as smallint) as place,
        hash(unnest(string_split(prompt, ','))) as clause_id
    from prompts
) as cut
inner join clause_terms on clause_terms.clause_id = cut.clause_id
where clause_terms.term_id <> hash('')
