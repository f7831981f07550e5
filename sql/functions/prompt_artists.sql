-- prompt_artists(prompt): the names that follow `by` or `in the style of`, "| wlop | james jean |".
-- Empty without such a list. docs/search.md has the rules. The steps, from the inside out:
-- 1. the words that begin a list become ʘ, and what stands before the first is dropped: where
--    there is none, nothing is left to do. (A CASE would be slower: DuckDB works out an expression
--    that stands in it several times, as the normaliser's argument does, as often.)
-- 2. the dot of an initial or of a short form ("h. r. giger", "dr. seuss") ends no sentence;
-- 3. a list ends with its sentence or line: all from there to the next ʘ is dropped;
-- 4. what parts names becomes xbyx, a word to the normaliser (which is fast while all is ASCII),
--    and then |, which is in no word; there is one at either end and one between two names.
regexp_replace(
    regexp_replace(
        '| ' || replace(
            normalise(regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                lower(prompt), '\b(?:by|in the style of)\b', 'ʘ', 'g'
                            ),
                            '^[^ʘ]*', ''
                        ),
                        '\b([a-z]{1,2})\.', '\1_', 'g'
                    ),
                    '(?:[.!?](?:\s|$)|[\r\n])[^ʘ]*', 'ʘ', 'g'
                ),
                'ʘ|\band\b|[,;&+/|(){}"\[\]]', ' xbyx ', 'g'
            )),
            'xbyx', '|'
        ) || ' |',
        '[|][| ]*[|]', '|', 'g'
    ),
    '^[|]$', ''
)
