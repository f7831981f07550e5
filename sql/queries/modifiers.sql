-- name: modifiers
-- description: Terms that follow another clause and name no artist: what is said after the subject.
-- param: min_prompts integer = 1
-- help: Leave out modifiers of fewer prompts.
-- limit: 50
-- column: modifier: the text between two commas, normalised
-- column: prompts: distinct prompts in which it follows another clause
-- column: images: images made from these prompts
-- column: share: of the distinct prompts
-- column: following_share: of all prompts that hold the term, those in which it follows another clause
-- example: ddb run modifiers --min-prompts 10
select
    term as modifier,
    following as prompts,
    following_images as images,
    round(cast(following as double) / nullif((select count(*) from prompts), 0), 6) as share,
    round(cast(following as double) / nullif(prompts, 0), 6) as following_share
from terms
where following >= greatest($min_prompts, 1)
    and not regexp_matches(term, '(?:^| )(?:by|in the style of)(?: |$)')
    and not exists (select 1 from artists where artists.artist = terms.term)
order by following desc, modifier
