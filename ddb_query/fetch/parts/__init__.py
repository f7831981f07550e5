"""The zips that hold images: where each may lie, its directory, and bytes of it."""
