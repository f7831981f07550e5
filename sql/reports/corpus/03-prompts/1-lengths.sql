-- name: lengths
-- title: How long prompts are
-- description: Of the distinct prompts. A word is a run of letters and digits, a clause what stands between two commas and holds a word; quantiles lie between neighbours in proportion.
-- key: measure
-- compare: mean, p5, p25, p50, p75, p95
with prompt_clauses as (
    select prompt_id, count(*) as clauses
    from prompt_terms
    group by prompt_id
),
measured as (
    select
        length(prompts.prompt) as characters,
        case when prompts.text = '' then 0
            else length(prompts.text) - length(replace(prompts.text, ' ', '')) + 1
        end as words,
        coalesce(prompt_clauses.clauses, 0) as clauses
    from prompts
    left join prompt_clauses on prompt_clauses.prompt_id = prompts.prompt_id
),
lengths as (
    select unnest(['characters', 'words', 'clauses']) as measure, unnest([1, 2, 3]) as place,
        unnest([characters, words, clauses]) as amount
    from measured
)
select
    measure,
    round(cast(sum(amount) as double) / nullif(count(*), 0), 6) as mean,
    min(amount) as minimum,
    round(percentile_cont(0.05) within group (order by amount), 6) as p5,
    round(percentile_cont(0.25) within group (order by amount), 6) as p25,
    round(percentile_cont(0.5) within group (order by amount), 6) as p50,
    round(percentile_cont(0.75) within group (order by amount), 6) as p75,
    round(percentile_cont(0.95) within group (order by amount), 6) as p95,
    max(amount) as maximum
from lengths
group by measure, place
order by place
