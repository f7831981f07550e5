-- normalise(prompt): the text that is stored, indexed and scanned. match_rules: 1
-- Words are runs of letters and digits, one space apart. Where there are digits, more is done:
-- 1. what parts words: one space stays one space, anything else becomes |;
-- 2. every word gets a space of its own on both sides, so that neighbours never share one;
-- 3. single digits one space apart are joined: "2 0 7 7, 3 d" is "2077 3 d";
-- 4. a number and its suffix are joined: "8 k" is "8k"; one space between words.
case
    when regexp_matches(prompt, '[0-9]') then trim(replace(regexp_replace(replace(replace(replace(
        replace(regexp_replace(
            ' ' || replace(replace(
                regexp_replace(
                    folded(prompt),
                    ' [^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N} ][^\p{L}\p{M}\p{N}]*', '|', 'g'
                ),
                ' ', '  '), '|', ' | ') || ' ',
            ' ([0-9]) ', '<\1>', 'g'),
        '><', ''), '<', ' '), '>', ' '), ' | ', '  '),
        ' ([0-9]+)  (k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps) ', ' \1\2 ', 'g'),
        '  ', ' '))
    else trim(regexp_replace(
        folded(prompt),
        ' [^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N} ][^\p{L}\p{M}\p{N}]*', ' ', 'g'
    ))
end
