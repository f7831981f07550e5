"""Draws the folders of `ddb_query` and what imports what, as docs/architecture.md shows it.

Usage: python tests/support/draw_map.py

From the top: a folder may import from those below it. Each line names a folder and those that it
imports from; what everybody uses (`errors`, `util`) is left out. The order comes from the contract
in pyproject.toml, the arrows from the code.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Used by nearly all: arrows to them say nothing.
_EVERYWHERE = {"errors", "util", "settings", "diffusiondb"}


def arrows() -> dict[str, set[str]]:
    """For each folder and module of the package's root, what it imports from."""
    import grimp

    graph = grimp.build_graph("ddb_query")
    found = defaultdict(set)
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            if "." in importer and "." in imported:
                found[importer.split(".")[1]].add(imported.split(".")[1])
    return found


def layers() -> list[list[str]]:
    """The folders from the top to the bottom, as the contract has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    return [line.split(" | ") for line in contract["layers"]]


def picture() -> str:
    """The folders, a line each."""
    found, order = arrows(), [name for layer in layers() for name in layer]
    lines = []
    for layer in layers():
        for name in layer:
            used = [other for other in order if other in found[name] - {name} - _EVERYWHERE]
            lines.append(f"{name:<12}{'─▶ ' + ' '.join(used) if used else ''}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(picture(), end="")  # noqa: T201 - what the program is for
