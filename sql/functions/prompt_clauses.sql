-- prompt_clauses(prompt): the normalised texts between the commas of a prompt, each followed by a comma.
-- A word of its own stands for a comma while the prompt is normalised, all of it at once.
replace(
    replace(normalise(replace(prompt, ',', ' xcommax ') || ' xcommax') || ' ', 'xcommax ', ','),
    ' ,', ','
)
