-- prompt_clauses(prompt): the normalised texts between the commas of a prompt, each followed by a comma.
-- As `normalise`: ASCII without numbers to join takes one pass. Else a word of its own stands for a
-- comma while the prompt is normalised, all of it at once.
case
    when not regexp_matches(
        prompt,
        '[^\x00-\x7F]|[0-9](?: [0-9]|[^A-Za-z0-9,]+(?i:k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps)(?:[^A-Za-z0-9]|$))'
    ) then ltrim(replace(replace(
        regexp_replace(
            replace(lower(prompt), ', ', ','), ' [^a-z0-9,]+|[^a-z0-9, ][^a-z0-9,]*', ' ', 'g'
        ) || ',',
        ' ,', ','), ', ', ','))
    when bit_length(prompt) = 8 * length(prompt) then replace(
        replace(normalise(replace(prompt, ',', ' xcommax ') || ' xcommax') || ' ', 'xcommax ', ','),
        ' ,', ','
    )
    else replace(
        replace(
            joined(folded(replace(nfkc(prompt), ',', ' xcommax ') || ' xcommax')) || ' ',
            'xcommax ', ','
        ),
        ' ,', ','
    )
end
