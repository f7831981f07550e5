"""Full-text search: what is typed becomes one tree; an index and SQL both answer it.

`parser` parses, `ast` has the tree, `to_sql` makes SQL of it, `index` (alone imports
tantivy) finds and ranks, `highlight` shows where in a prompt it matches. docs/search.md has the
rules.
"""
