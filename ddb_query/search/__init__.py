"""Full-text search: what is typed becomes one tree; an index and SQL both answer it.

`language` parses, `tree` is the result, `predicate` makes SQL of it, `index` (alone imports
tantivy) finds and ranks, `highlight` shows where in a prompt it matches. docs/search.md has the
rules.
"""
