"""From rows to images: only the members that are wanted, out of zips that may be far away.

Knows neither `Selection` nor `Corpus`: it takes a stream of Arrow record batches with the published
columns, ordered by part and name. `docs/fetch.md` has the protocol.
"""
