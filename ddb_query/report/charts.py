"""Charts: a chart of the model as a plain Vega-Lite specification, and that as SVG or PDF.

https://vega.github.io/vega-lite/docs/spec.html; alone imports vl_convert.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import TYPE_CHECKING, Any

from ddb_query.report.bins import Bins, bins_of, grounded, groups_of, outlines
from ddb_query.report.formatting import heading, is_share, meant, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddb_query.report.model import Chart, Table

Spec = dict[str, Any]

WIDE, NARROW = 640, 320
INK, MUTED, GRID = "#24292f", "#57606a", "#d8dee4"
# Told apart by people with any colour vision, on white as on near black, after Okabe and Ito.
COLORS = (
    "#2a78b5", "#d9702b", "#2b9a76", "#b75d9a", "#8a6fc0", "#a98b14", "#4aa8d8", "#c2485a",
    "#6f7f8c",
)  # fmt: skip
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_CONFIG: Spec = {
    "font": _FONT,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "domainColor": MUTED, "gridColor": GRID, "tickColor": MUTED, "labelColor": MUTED,
        "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "legend": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11,
        "orient": "top", "title": None, "symbolType": "square", "offset": 6, "labelLimit": 300,
    },
    "range": {"category": list(COLORS)},
    "line": {"strokeWidth": 1.8},
}  # fmt: skip
_LONGEST_LABEL = 40
_MEASURE, _AMOUNT = "measure", "amount"


def specification(chart: Chart, width: int = WIDE) -> Spec:
    """A chart as Vega-Lite, with its data."""
    body = _KINDS[chart.kind](chart, width)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": [_plain(row) for row in chart.rows]},
        "config": _CONFIG,
        "width": width - 70,
        "height": 200,
        **body,
    }


def svg(chart: Chart, width: int = WIDE) -> str:
    """A chart as an SVG document."""
    import vl_convert

    found: str = vl_convert.vegalite_to_svg(json.dumps(specification(chart, width)))
    return found


def pdf(chart: Chart) -> bytes:
    """A chart as a PDF document."""
    import vl_convert

    found: bytes = vl_convert.vegalite_to_pdf(json.dumps(specification(chart)))
    return found


def inline(chart: Chart, name: str, alternative: str, width: int = WIDE) -> str:
    """A chart as an SVG element for a page: its colours are the page's, its text one sentence.

    Args:
        chart: What is drawn.
        name: Sets its ids apart from those of other charts of the page.
        alternative: What stands for it where it cannot be seen; escaped here.
        width: In pixels.
    """
    import html

    drawn = svg(chart, width)
    drawn = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", drawn)
    drawn = re.sub(r' id="([^"]*)"', rf' id="{name}-\1"', drawn)
    drawn = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", drawn)
    for place, color in enumerate((INK, MUTED, GRID, *COLORS)):
        variable = ("ink", "muted", "grid", *(f"c{n}" for n in range(len(COLORS))))[place]
        drawn = drawn.replace(f'"{color}"', f'"var(--{variable})"')
    label = html.escape(alternative, quote=True)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def alternative(chart: Chart, table: Table) -> str:
    """What a chart shows, in a sentence."""
    y = chart.fields["y"].split(",")[0] if chart.kind != "ranking" else chart.fields["x"]
    x = chart.fields["x"] if chart.kind != "ranking" else chart.fields["y"]
    if chart.kind == "heatmap":
        y, x = chart.fields["color"], chart.fields["y"]
    known = [row for row in chart.rows if row.get(y) is not None]
    about = f"{table.title}: {_WORDS[chart.kind]} of {_meant(y, chart)} by {heading(x)}"
    if not known:
        return f"{about}."
    top = max(known, key=lambda row: row[y])
    return f"{about}; highest, {spelled(y, top[y])}, at {_shown(x, top[x])}."


_WORDS = {
    "bar": "bar chart", "ranking": "bar chart", "histogram": "histogram", "line": "line chart",
    "lines": "line chart", "area": "stacked area chart", "lorenz": "Lorenz curve",
    "heatmap": "heat map",
}  # fmt: skip


def _bar(chart: Chart, width: int) -> Spec:
    x, y = chart.fields["x"], chart.fields["y"]
    encoding: Spec = {"x": _ordered(x, chart, width), "y": _amount(y, chart)}
    if "y2" in chart.fields:
        return {**_folded((y, chart.fields["y2"]), chart), **_grouped(chart, x, width)}
    if chart.series:
        encoding |= {"xOffset": {"field": chart.series, "sort": None}, **_colored(chart.series)}
    return {"mark": _mark("bar"), "encoding": encoding}


def _grouped(chart: Chart, x: str, width: int) -> Spec:
    encoding: Spec = {
        "x": _ordered(x, chart, NARROW if chart.series else width),
        "xOffset": {"field": _MEASURE, "sort": None},
        "y": _folded_amount(chart.fields["y"], chart),
        **_colored(_MEASURE),
    }
    found: Spec = {"mark": _mark("bar"), "encoding": encoding}
    if chart.series:
        encoding["column"] = {"field": chart.series, "title": None, "sort": None}
        found["width"] = (width - 90) // 2
    return found


def _ranking(chart: Chart, width: int) -> Spec:
    x, y = chart.fields["x"], chart.fields["y"]
    limit = width // 3
    label = {
        "field": y,
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": limit},
    }
    encoding: Spec = {"y": label, "x": _amount(x, chart)}
    if chart.series:
        encoding |= {"yOffset": {"field": chart.series, "sort": None}, **_colored(chart.series)}
    return {
        "width": width - limit - 50,
        "height": {"step": 8 if chart.series else 16},
        "mark": _mark("bar"),
        "encoding": encoding,
    }


def _histogram(chart: Chart, width: int) -> Spec:  # noqa: ARG001 - one shape of all kinds
    x, y, bins = chart.fields["x"], chart.fields["y"], bins_of(chart)
    log = chart.fields.get("scale") == "log"
    axis = {"title": _binned_title(chart, bins), "grid": False}
    across: Spec = {"field": x, "type": "quantitative", "axis": axis, "scale": {"nice": False}}
    amount = _amount(y, chart)
    if not groups_of(chart):
        encoding = {"x": {**across, "bin": {"binned": True}}, "x2": {"field": "end"}, "y": amount}
        bars = [{**_plain(row), "end": round(row[x] + bins.width, 6)} for row in chart.rows]
        mark = {**_mark("bar"), "binSpacing": 1}
        return {"data": {"values": bars}, "mark": mark, "encoding": encoding}
    floor = _power_of_ten([row[y] for row in chart.rows if row[y]]) if log else 0
    if log:
        amount["scale"] = {"type": "log", "domainMin": floor}
        amount["axis"]["format"] = "~p" if is_share(y) else "~s"
    encoding = {
        "x": across,
        "y": amount,
        **_colored(chart.fields.get("color") or chart.series),
    }
    if chart.series and "color" in chart.fields:
        encoding["strokeDash"] = {"field": chart.series, "sort": None}
    return {
        "data": {"values": outlines(chart, floor)},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": encoding,
    }


def _binned_title(chart: Chart, bins: Bins) -> str:
    """What is binned, and what the last bin holds when it is open."""
    title = heading(chart.fields.get("unit", chart.fields["x"]))
    return title if bins.open_from is None else f"{title} (last bin: {bins.open_from:g} or more)"


def _power_of_ten(amounts: Sequence[float]) -> float:
    """The highest power of ten that is below all amounts: where a logarithmic axis begins."""
    least = min(amounts, default=1)
    return float(10 ** (math.ceil(math.log10(least)) - 1))


def _line(chart: Chart, width: int) -> Spec:
    encoding = {"x": _time(chart.fields["x"], width), "y": _amount(chart.fields["y"], chart)}
    data = {"values": [_plain(row) for row in grounded(chart)]}
    if chart.series:
        return {"data": data, "mark": "line", "encoding": {**encoding, **_colored(chart.series)}}
    line = {"color": COLORS[0]}
    return {
        "data": data,
        "mark": {"type": "area", "color": COLORS[0], "fillOpacity": 0.18, "line": line},
        "encoding": encoding,
    }


def _lines(chart: Chart, width: int) -> Spec:  # noqa: ARG001 - one shape of all kinds
    measures = tuple(chart.fields["y"].split(","))
    x = {
        "field": chart.fields["x"],
        "type": "quantitative",
        "axis": _titled(chart.fields["x"], chart),
    }
    encoding: Spec = {
        "x": x,
        "y": _folded_amount(measures[0], chart),
        **_colored(_MEASURE),
    }
    if chart.series:
        encoding["strokeDash"] = {"field": chart.series, "sort": None}
    return {**_folded(measures, chart), "mark": "line", "encoding": encoding}


def _area(chart: Chart, width: int) -> Spec:
    encoding: Spec = {
        "x": _time(chart.fields["x"], width),
        "y": {**_amount(chart.fields["y"], chart), "stack": "zero", "scale": {"domain": [0, 1]}},
        **_colored(chart.fields["color"]),
    }
    encoding["color"]["legend"] = {"columns": max(width // 160, 1)}
    found: Spec = {"mark": "area", "encoding": encoding}
    if chart.series:
        encoding["row"] = {"field": chart.series, "title": None, "sort": None}
        found["height"] = 110
    return found


def _lorenz(chart: Chart, width: int) -> Spec:  # noqa: ARG001 - one shape of all kinds
    x, y = chart.fields["x"], chart.fields["y"]
    across = {
        "field": x,
        "type": "quantitative",
        "axis": {**_titled(x, chart), "format": "%", "tickCount": 5},
    }
    curve: Spec = {"mark": "line", "encoding": {"x": across, "y": _amount(y, chart)}}
    curve["encoding"] |= _colored(chart.series) if chart.series else {}
    curve["mark"] = {"type": "line"} if chart.series else {"type": "line", "color": COLORS[0]}
    even = {
        "data": {"values": [{x: 0, y: 0}, {x: 1, y: 1}]},
        "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": across, "y": _amount(y, chart)},
    }
    return {"width": 260, "height": 240, "layer": [even, curve]}


def _heatmap(chart: Chart, width: int) -> Spec:
    x, y, color = (chart.fields[name] for name in ("x", "y", "color"))
    place = {
        "x": {
            "field": x,
            "type": "nominal",
            "sort": _bands(chart),
            "axis": {**_titled(x, chart), "labelAngle": 0},
        },
        "y": {"field": y, "type": "nominal", "sort": _bands(chart), "axis": _titled(y, chart)},
    }
    shade = {
        "field": color,
        "type": "quantitative",
        "scale": {"type": "sqrt", "range": [0.05, 0.75]},
        "legend": None,
    }
    amount = f"datum.{color}"
    layers = [
        {"mark": {"type": "rect", "color": COLORS[0]}, "encoding": {**place, "opacity": shade}},
        {
            "mark": {"type": "text", "fontSize": 11, "color": INK},
            "encoding": {**place, "text": {"field": "shown", "type": "nominal"}},
        },
    ]
    # What rounds to nothing is not nothing.
    words = f"0 < {amount} && {amount} < 0.00005 ? '< 0.01%' : format({amount}, '.2~%')"
    calculated = [{"calculate": words, "as": "shown"}]
    if not chart.series:
        return {"transform": calculated, "layer": layers, "height": {"step": 30}}
    inner = {"width": (width - 110) // 2, "height": {"step": 30}, "layer": layers}
    facet = {
        "column" if width > NARROW else "row": {"field": chart.series, "title": None, "sort": None}
    }
    return {"transform": calculated, "facet": facet, "spec": inner, "width": None, "height": None}


_KINDS: Mapping[str, Callable[[Chart, int], Spec]] = {
    "bar": _bar, "ranking": _ranking, "histogram": _histogram, "line": _line, "lines": _lines,
    "area": _area, "lorenz": _lorenz, "heatmap": _heatmap,
}  # fmt: skip


def _folded(measures: Sequence[str], chart: Chart) -> Spec:
    """Several columns as one, told apart by their names in words."""
    named = {name: _meant(name, chart) for name in measures}
    return {
        "transform": [
            {"fold": list(measures), "as": ["folded", _AMOUNT]},
            {"calculate": f"({json.dumps(named)})[datum.folded]", "as": _MEASURE},
        ]
    }


def _mark(kind: str) -> Spec:
    return {"type": kind, "color": COLORS[0]}


def _colored(field: str) -> Spec:
    return {"color": {"field": field, "type": "nominal", "sort": None}}


def _ordered(field: str, chart: Chart, width: int) -> Spec:
    axis = {"title": heading(field), "labelAngle": 0 if width > NARROW else -40}
    return {"field": field, "type": "nominal", "sort": _bands(chart), "axis": axis}


def _bands(chart: Chart) -> list[str] | None:
    """The order of an axis of names; that of the rows when nothing says another."""
    return list(chart.bands) or None


def _time(field: str, width: int) -> Spec:
    axis = {
        "title": None,
        "grid": False,
        "format": "%b %-d",
        "tickCount": 14 if width > NARROW else 5,
    }
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": axis}


def _amount(column: str, chart: Chart) -> Spec:
    """A scale of amounts, in the unit that the column's name says."""
    form = ".2~%" if is_share(column) else "~s"
    axis: Spec = {"title": _meant(column, chart), "tickCount": 5, "format": form}
    return {"field": column, "type": "quantitative", "axis": axis}


def _folded_amount(column: str, chart: Chart) -> Spec:
    """A scale of several columns in one unit, which no title of one column fits."""
    found = _amount(column, chart)
    return {**found, "field": _AMOUNT, "axis": {**found["axis"], "title": None}}


def _titled(field: str, chart: Chart) -> Spec:
    return {"title": _meant(field, chart)}


def _meant(column: str, chart: Chart) -> str:
    return meant(column, chart.meanings.get(column, ""))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(name, value) for name, value in row.items()}


def _json(column: str, value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, datetime.date):
        return f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such numbers; where there is none, nothing is drawn.
        return None
    return spelled(column, value) if isinstance(value, str) else value


def _shown(column: str, value: Any) -> str:
    text = spelled(column, value)
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
