"""Fetched images to look at: a page of them, and a few in the terminal."""
