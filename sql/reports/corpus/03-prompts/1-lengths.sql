-- name: lengths
-- title: How long prompts are
-- description: Of the distinct prompts. A word is a run of letters and digits, a clause what stands between two commas and holds a word; quantiles lie between neighbours in proportion.
-- key: measure
-- compare: mean, p5, p25, p50, p75, p95
with measured as (
    select
        length(prompts.prompt) as characters,
        case when prompts.text = '' then 0
            else length(prompts.text) - length(replace(prompts.text, ' ', '')) + 1
        end as words,
        len(list_filter(string_split(clauses.clauses, ','), lambda clause: clause <> '')) as clauses
    from prompts
    inner join clauses on clauses.prompt_id = prompts.prompt_id
),
summed as (
    select
        [sum(characters), sum(words), sum(clauses)] as totals,
        [min(characters), min(words), min(clauses)] as minima,
        [max(characters), max(words), max(clauses)] as maxima,
        [
            quantile_cont(characters, [0.05, 0.25, 0.5, 0.75, 0.95]),
            quantile_cont(words, [0.05, 0.25, 0.5, 0.75, 0.95]),
            quantile_cont(clauses, [0.05, 0.25, 0.5, 0.75, 0.95])
        ] as quantiles,
        count(*) as prompts
    from measured
),
measures as (
    select unnest([1, 2, 3]) as place
)
select
    ['characters', 'words', 'clauses'][place] as measure,
    round(cast(totals[place] as double) / nullif(prompts, 0), 6) as mean,
    minima[place] as minimum,
    round(quantiles[place][1], 6) as p5,
    round(quantiles[place][2], 6) as p25,
    round(quantiles[place][3], 6) as p50,
    round(quantiles[place][4], 6) as p75,
    round(quantiles[place][5], 6) as p95,
    maxima[place] as maximum
from summed
cross join measures
order by place
