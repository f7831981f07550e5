"""What a shell offers at Tab, where it is neither a choice of an option nor a file."""

from __future__ import annotations

import typer

from ddb_query.errors import DdbError


def samplers(incomplete: str) -> list[str]:
    """Names of samplers."""
    return _beginning(incomplete, "sampler")


def policies(incomplete: str) -> list[str]:
    """Names of policies."""
    return _beginning(incomplete, "policy")


def sections(incomplete: str) -> list[str]:
    """Names of a report's sections."""
    return _beginning(incomplete, "section")


def query_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of canned queries, with what they give."""
    from ddb_query.queries.library import QueryLibrary
    from ddb_query.settings import user_sql_dir

    folder = ctx.params.get("sql_dir") or (ctx.obj and ctx.obj.sql_dir)
    try:
        found = QueryLibrary(user_sql_dir(folder)).all()
    except DdbError:
        found = []
    return [(q.name, q.description) for q in found if q.name.startswith(incomplete)]


def _beginning(incomplete: str, field: str) -> list[str]:
    from ddb_query.api.choices import choices_of

    return [name for name in choices_of(field) if name.startswith(incomplete)]
