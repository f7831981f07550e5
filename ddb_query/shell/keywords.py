"""The words of SQL that are worth completing and colouring."""

from __future__ import annotations

_TEXT = """
select, from, where, group by, order by, limit, and, or, not, in, is, null, like, ilike,
between, as, on, using, join, left join, inner join, full join, cross join, semi join,
anti join, asof join, having, qualify, with, union, union all, intersect, except, distinct,
case, when, then, else, end, asc, desc, nulls last, nulls first, all, any, exists, offset,
over, partition by, range, unbounded preceding, current row, filter, within group,
create, temp, table, view, macro, replace, insert into, values, update, set, delete from,
drop, alter, describe, summarize, show tables, explain, analyze, pivot, unpivot, cast,
exclude, recursive, lateral, true, false, interval, date, timestamp, integer, bigint, double,
varchar, boolean, similar to, using sample, copy, attach, if, escape, collate
"""
KEYWORDS = tuple(" ".join(keyword.split()) for keyword in _TEXT.split(","))
WORDS = frozenset(word for keyword in KEYWORDS for word in keyword.split())
