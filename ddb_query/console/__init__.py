"""A terminal and its streams: the writers to standard output and error, and tables for people."""
