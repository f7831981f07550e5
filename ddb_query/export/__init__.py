"""Rows as files: the writers of each format, and subsets that carry how they were made."""
