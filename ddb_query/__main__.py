"""The entry of `ddb` and of `python -m ddb_query`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from ddb_query import __version__, output

        output.text(f"ddb {__version__}\n")
        return 0
    from ddb_query.cli.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
