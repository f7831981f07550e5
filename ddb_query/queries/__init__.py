"""Canned queries: the files of `sql/`, what each says of itself, and values for its parameters."""
