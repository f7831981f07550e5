-- One row per artist whom prompts name in lists that follow `by`: prompts, images and users.
with held as (
    select prompt_id, unnest(string_split(trim(artists, '| '), ' | ')) as artist
    from prompt_artists
    where artists <> ''
),
made as (
    select prompt_id, user_name, sum(images) as images
    from activity
    where prompt_id is not null
    group by prompt_id, user_name
)
select
    held.artist,
    count(distinct held.prompt_id) as prompts,
    cast(sum(made.images) as bigint) as images,
    count(distinct made.user_name) as users
from held
inner join made on made.prompt_id = held.prompt_id
group by held.artist
