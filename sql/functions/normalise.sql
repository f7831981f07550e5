-- normalise(prompt): the text that is stored, indexed and scanned. match_rules: 2
-- Words are runs of letters and digits, one space apart. What is not ASCII is brought into form NFKC
-- and folded before. Where numbers may have to be joined, more is done:
-- 1. what parts words: one space stays one space, anything else becomes |;
-- 2. every word, or only every digit that stands alone, is set apart, so that neighbours never
--    share what is between them;
-- 3. single digits one space apart are joined: "2 0 7 7, 3 d" is "2077 3 d";
-- 4. a number and its suffix are joined: "8 k" is "8k"; one space between words.
-- A replacement costs by the number of places that it changes, so that the commas go first. ASCII,
-- which most prompts are, has word boundaries (\b) of its own, and takes a third of the time.
case
    when not regexp_matches(
        prompt,
        '[^\x00-\x7F]|[0-9](?: [0-9]|[^A-Za-z0-9]+(?i:k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps)(?:[^A-Za-z0-9]|$))'
    ) then trim(regexp_replace(
        replace(lower(prompt), ', ', ' '), ' [^a-z0-9]+|[^a-z0-9 ][^a-z0-9]*', ' ', 'g'
    ))
    when bit_length(prompt) = 8 * length(prompt) then trim(regexp_replace(replace(replace(replace(
        regexp_replace(
            regexp_replace(
                replace(lower(prompt), ', ', '|'),
                '[ |][^a-z0-9]+|[^a-z0-9 |][^a-z0-9]*', '|', 'g'
            ),
            '\b([0-9])\b', '<\1<', 'g'),
        '< <', ''), '<', ''), '|', ' '),
        '\b([0-9]+) (k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps)\b', '\1\2', 'g'))
    else joined(folded(nfkc(prompt)))
end
