-- name: concentration
-- title: Concentration
-- description: How unevenly images are spread over known users; a Gini coefficient of 0 is all alike, near 1 one user for all. Deleted accounts are left out.
-- sentence: The Gini coefficient is {gini}; the most active hundredth of the users made {top_1_percent_share} of their images, and {half_by_users} users made half of them.
-- column: top_1_percent_share: of the images of known users
-- column: top_10_percent_share: of the images of known users
with ranked as (
    select
        images,
        row_number() over (order by images, user_name) as place,
        row_number() over (order by images desc, user_name desc) as place_from_top
    from users
    where user_name <> 'deleted_account'
),
totals as (
    select
        count(*) as users,
        cast(sum(images) as bigint) as images,
        cast(sum(cast(images as hugeint) * place) as double) as weighted
    from ranked
),
cumulated as (
    select
        ranked.images,
        ranked.place_from_top,
        sum(ranked.images) over (order by ranked.place_from_top) as made,
        totals.images as total,
        totals.users as users
    from ranked
    cross join totals
),
tops as (
    select
        cast(sum(images) filter (where place_from_top <= ceil(users / 100.0)) as bigint) as hundredth,
        cast(sum(images) filter (where place_from_top <= ceil(users / 10.0)) as bigint) as tenth,
        count(*) filter (where (made - images) * 2 < total) as half
    from cumulated
)
select
    totals.users,
    totals.images,
    round(
        2.0 * totals.weighted / nullif(cast(totals.users as double) * totals.images, 0)
        - (totals.users + 1.0) / nullif(totals.users, 0),
        6
    ) as gini,
    round(cast(tops.hundredth as double) / nullif(totals.images, 0), 6) as top_1_percent_share,
    round(cast(tops.tenth as double) / nullif(totals.images, 0), 6) as top_10_percent_share,
    tops.half as half_by_users
from totals
cross join tops
order by totals.users
