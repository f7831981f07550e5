-- name: prompt-top
-- description: The prompts used most.
-- limit: 20
-- column: users: distinct user names, deleted accounts as one
-- example: ddb run prompt-top --limit 5
select
    prompt,
    images,
    users,
    first_seen,
    last_seen
from prompts
order by images desc, prompt
