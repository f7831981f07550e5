"""What users hold: `open` gives a `Corpus`, which gives selections; facades over other folders."""
