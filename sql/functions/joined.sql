-- joined(text): the words of a folded text one space apart, split numbers and their suffixes joined.
-- The steps are those of `normalise`.
trim(replace(regexp_replace(replace(replace(replace(
    replace(regexp_replace(
        ' ' || replace(replace(
            regexp_replace(
                text,
                ' [^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N} ][^\p{L}\p{M}\p{N}]*', '|', 'g'
            ),
            ' ', '  '), '|', ' | ') || ' ',
        ' ([0-9]) ', '<\1>', 'g'),
    '><', ''), '<', ' '), '>', ' '), ' | ', '  '),
    ' ([0-9]+)  (k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps) ', ' \1\2 ', 'g'),
    '  ', ' '))
