"""What is typed: the line editor, its colours, completion and history."""
