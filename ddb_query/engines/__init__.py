"""What runs SQL: the protocol that all engines keep, and DuckDB."""
