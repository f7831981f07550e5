"""The store: parquet derived from a metadata table, and the search index, built once."""
