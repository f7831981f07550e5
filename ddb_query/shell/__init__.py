"""The interactive shell: `ddb` in a terminal, and scripts of SQL and dot commands."""
