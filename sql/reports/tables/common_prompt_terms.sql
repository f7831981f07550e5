-- Which prompt holds which of the 2,000 most used terms, and at which clause, from 1, it stands last.
select cut.prompt_id, cast(common_terms.rank as smallint) as rank, max(cut.place) as last_place
from (
    select
        prompt_id,
        cast(generate_subscripts(string_split(clauses, ','), 1) as smallint) as place,
        unnest(string_split(clauses, ',')) as clause
    from clauses
) as cut
inner join common_terms on common_terms.term = cut.clause
group by cut.prompt_id, common_terms.rank
