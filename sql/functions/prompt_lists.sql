-- prompt_lists(prompt): members of the lists after `by` or `in the style of`, "|>wlop|james jean|8k".
-- Empty without such a list; > marks a member that follows these words directly. docs/search.md has
-- the rules. The steps, from the inside out:
-- 1. the lists, each to the end of its sentence or line; the dot of an initial or of a short form
--    ("h. r. giger", "dr. seuss") ends no sentence, and neither does one within a word;
-- 2. the marks that part members become xandx, a word to the normaliser (which is fast while all is
--    ASCII);
-- 3. this, `and` (but for "black and white") and the words that lists begin with become marks, which
--    are in no word; what stands right before such words is no member (", art by wlop"), unless it
--    follows them as well.
-- (A CASE for prompts without a list would be slower: DuckDB works out an expression that stands
-- in it several times, as the normaliser's argument does, as often.)
rtrim(replace(replace(replace(
    regexp_replace(
        regexp_replace(
            replace(replace(replace(replace(replace(replace(replace(replace(
                ' ' || normalise(regexp_replace(
                    array_to_string(
                        regexp_extract_all(
                            nfkc(prompt),
                            '(?i)(?:^|[^\p{Latin}\p{Greek}\p{Cyrillic}\p{M}\p{N}])((?:by|in the style of)'
                            || '(?:\b|_)(?:\b[a-z]{1,2}\.|[.!?]+[^.!?\s]|[^.!?\r\n])*)',
                            1
                        ),
                        ','
                    ),
                    '[,;&+/|(){}"\[\]]', ' xandx ', 'g'
                )) || ' ',
                'xandx', '|'), ' black and white ', ' black < white '),
                ' and ', ' | '), ' and ', ' | '),
                ' in the style of ', ' |> '), ' in the style of ', ' |> '), ' by ', ' |> '), ' by ', ' |> '),
            '> [|> ]*', '>', 'g'
        ),
        '[|] [^|>]+ [|]>', '|>', 'g'
    ),
    ' |', '|'), '| ', '|'), ' < ', ' and '),
' |>')
