-- prompt_artists(prompt): the names that follow `by` or `in the style of`, "| wlop | james jean |".
-- Empty without such a list. docs/search.md has the rules. The steps, from the inside out:
-- 1. the lists, each to the end of its sentence or line; the dot of an initial or of a short form
--    ("h. r. giger", "dr. seuss") ends no sentence, and neither does one within a word;
-- 2. what parts names becomes xbyx, a word to the normaliser (which is fast while all is ASCII);
-- 3. and then |, which is in no word; there is one at either end and one between two names.
-- (A CASE for prompts without a list would be slower: DuckDB works out an expression that stands
-- in it several times, as the normaliser's argument does, as often.)
regexp_replace(
    regexp_replace(
        '| ' || replace(
            normalise(regexp_replace(
                array_to_string(
                    regexp_extract_all(
                        prompt,
                        '(?i)\b(?:by|in the style of)\b(?:\b[a-z]{1,2}\.|[.!?]+[^.!?\s]|[^.!?\r\n])*'
                    ),
                    ','
                ),
                '(?i)\b(?:by|in the style of|and)\b|[,;&+/|(){}"\[\]]', ' xbyx ', 'g'
            )),
            'xbyx', '|'
        ) || ' |',
        '[|][| ]*[|]', '|', 'g'
    ),
    '^[|]$', ''
)
