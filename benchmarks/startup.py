"""How long the light commands take beyond a bare interpreter's start."""

from __future__ import annotations

from harness import ddb, measure, python, record

TARGETS = {"--version": 0.12, "queries": 0.12, "--help": 0.3}


def main() -> None:
    """Time each light command beside `python -c pass`, best of many tries."""
    commands = [ddb(argument) for argument in TARGETS]
    bare, *light = measure(python("pass"), *commands, tries=20)
    record(
        "startup",
        [
            {
                "what": f"ddb {argument}",
                "seconds": found.seconds,
                "bare_python_seconds": bare.seconds,
                "more_seconds": round(found.seconds - bare.seconds, 4),
                "target_seconds": target,
            }
            for (argument, target), found in zip(TARGETS.items(), light, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
