"""The folder that images are fetched into: its ledger, its rows, and its layouts."""
