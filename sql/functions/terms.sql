-- terms(prompt): what stands between the commas of a prompt, normalised, in order; may be ''.
-- Normalised as a whole with a made-up word in the commas' places: once a prompt, not once a term.
list_transform(
    string_split(normalise(replace(prompt, ',', ' zqcommaqz ')), 'zqcommaqz'),
    lambda term: trim(term)
)
