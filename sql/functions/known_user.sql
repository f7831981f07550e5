-- known_user(user_name): a user's name, both published spellings of a deleted account as one.
case
    when user_name in ('deleted-account', 'deleted_account') then 'deleted_account'
    else user_name
end
