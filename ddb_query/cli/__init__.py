"""The commands of `ddb`, one module a group."""
