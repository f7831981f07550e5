"""One dataset as one thread asks it: the engine, searches in SQL, temporary tables."""
