"""A report's forms: for a terminal, and as HTML, Markdown and JSON."""
