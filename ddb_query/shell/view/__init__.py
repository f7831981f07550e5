"""What is shown: results on a screen, in a pager, or in a file."""
