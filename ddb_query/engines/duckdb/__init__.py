"""The DuckDB engine; `connection` alone opens a database."""
