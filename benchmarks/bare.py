"""ddb's views and functions as plain SQL, for a DuckDB that knows nothing of ddb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.queries.library import VIEWS, read_view, sql_folder

if TYPE_CHECKING:
    from pathlib import Path


def setup(table: Path, dataset: str, *, prompt_id: str = "hash60(prompt)") -> str:
    """SQL that defines the same views over a published table.

    Args:
        table: The table.
        dataset: 2m or large.
        prompt_id: What stands for the prompt: `hash60(prompt)` as in ddb, or `prompt`, which spares
            DuckDB the hashing.
    """
    parts = [
        "create macro hash60(x) as cast('0x' || substr(md5(x), 1, 15) as bigint);",
        f"create macro images_from() as '{dataset}';",
        "create schema source;",
    ]
    for path in sorted((sql_folder() / "functions").glob("*.sql")):
        text = path.read_text("utf-8")
        parts.append(f"create macro {text[3 : text.index(':')]} as (\n{text}\n);")
    parts.append(
        f"create view source.metadata as select *, {prompt_id} as prompt_id,"
        f" image_name as image_key from '{table}';"
    )
    parts += [f"create view {view} as\n{read_view(view)};" for view in VIEWS]
    return "\n".join(parts)
