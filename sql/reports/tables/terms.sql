-- The view `terms`, from the tables that a report makes anyway.
select named.term, counted.prompts, counted.images
from (
    select held.term_id, count(*) as prompts, cast(sum(prompts.images) as bigint) as images
    from (
        select distinct prompt_id, term_id
        from prompt_terms
    ) as held
    inner join prompts on prompts.prompt_id = held.prompt_id
    group by held.term_id
) as counted
inner join (
    select distinct term_id, term
    from clause_terms
) as named on named.term_id = counted.term_id
