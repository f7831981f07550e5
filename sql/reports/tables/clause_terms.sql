-- What each distinct clause of a prompt is, normalised: the term, which may be empty. Both are known
-- by 64-bit hashes, which join faster than text; of a million clauses two share a hash once in
-- 30 million reports.
select clause_id, term, hash(term) as term_id
from (
    select clause_id, normalise(clause) as term
    from (
        select hash(clause) as clause_id, any_value(clause) as clause
        from (
            select unnest(string_split(prompt, ',')) as clause
            from prompts
        ) as cut
        group by clause_id
    ) as distinct_clauses
) as spelled
