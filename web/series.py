"""Values of a metric as a page shows them: what was asked, the chart, the table and the CSV.

The table and the CSV are the same rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from catalog.models import Metric
from core import clock
from core.errors import EtalonError
from measurement.selectors.values import read_values
from measurement.values import Mark, Point, Values
from semantics.card import Words
from semantics.definition import MetricSpec
from web import formatting
from web.exports import cell

RANGES = {
    "13w": ("13 weeks", 91),
    "26w": ("Half a year", 182),
    "1y": ("A year", 371),
    "all": ("All", 0),
}
MOST_LINES, MOST_MULTIPLES = 6, 9
# What a page shows of a table; all of it is in the CSV.
MOST_ROWS = 400
_STYLES = ("", "2", "3", "4", "2", "3")
LINES = {"now": "As defined now", "reported": "As reported then"}


@dataclass(frozen=True)
class Asked:
    """What the reader chose to see, with what makes sense in place of what does not."""

    grain: str
    range: str
    by: str
    line: str
    version: int | None
    as_of: datetime | None


def asked_of(request, spec: MetricSpec, number: int | None, as_of: datetime | None) -> Asked:
    grains = [grain.value for grain in spec.grains]
    grain = request.GET.get("grain", "")
    length = request.GET.get("range", "1y")
    by = request.GET.get("by", "")
    line = request.GET.get("line", "now")
    return Asked(
        grain=grain if grain in grains else ("week" if "week" in grains else grains[0]),
        range=length if length in RANGES else "1y",
        by=by if by in spec.dimensions else "",
        line=line if line in LINES else "now",
        version=number,
        as_of=as_of,
    )


def values_of(metric: Metric, asked: Asked) -> tuple[Values | None, str]:
    """Stored values; or a sentence that says why there are none, and the page goes on."""
    _, days = RANGES[asked.range]
    today = asked.as_of.date() if asked.as_of else clock.today()
    try:
        values = read_values(
            metric,
            grain=asked.grain,
            group_by=asked.by or None,
            start=today - timedelta(days=days) if days else None,
            line=asked.line,
            version=asked.version,
            as_of=asked.as_of,
        )
    except EtalonError as error:
        return None, error.message
    return values, ""


def chart_of(values: Values | None, words: Words, asked: Asked) -> dict | None:
    """What `components/chart.html` draws."""
    if values is None or not values.points:
        return None
    metric, points = values.metric, values.points
    if asked.by:
        series = [
            {"label": name, "style": style, "points": line_of(members)}
            for (name, members), style in zip(heaviest(points), _STYLES, strict=False)
        ]
    else:
        series = [{"label": line_name(asked), "style": "", "points": line_of(points)}]
        if values.second:
            older = f"v{values.second[-1].version}, kept beside it"
            series.append({"label": older, "style": "old", "points": line_of(values.second)})
    target = metric.target if not asked.by and asked.as_of is None else None
    unit = words.unit.model_dump()
    return {
        "title": words.name,
        "grain": asked.grain,
        "unit": unit,
        "kind": "lines",
        "series": series,
        "marks": [
            {
                "at": mark.on,
                "label": f"{mark.name} in effect",
                "url": _explained(metric, mark),
            }
            for mark in values.marks
            if mark.previous
        ],
        "target": {
            "value": float(target),
            "label": "Target",
        }
        if target is not None
        else None,
        "shades": [],
        "incomplete": not points[-1].is_complete,
        "summary": _summary(values, words, asked),
    }


def _explained(metric: Metric, mark: Mark) -> str:
    """Where a mark of a chart leads: the two versions, or the history of what changed below."""
    if mark.below:
        key, _ = mark.below[0]
        return f"/metrics/{key}/history"
    return f"/metrics/{metric.key}/compare?a={mark.previous}&b={mark.version}"


def line_name(asked: Asked) -> str:
    if asked.version:
        return f"v{asked.version} alone"
    return "As defined then" if asked.as_of and asked.line == "now" else LINES[asked.line]


def line_of(points: Sequence[Point]) -> list[tuple]:
    return [
        (point.period, None if point.value is None else float(point.value), f"v{point.version}")
        for point in points
    ]


def heaviest(points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """The members of a dimension with their points, those that weigh most first."""
    lines: dict[str, list[Point]] = {}
    for point in points:
        lines.setdefault(_member(point), []).append(point)
    weight = {
        name: sum(abs(point.value or 0) for point in members) for name, members in lines.items()
    }
    return sorted(lines.items(), key=lambda line: (-weight[line[0]], line[0]))


def _member(point: Point) -> str:
    return point.members[0] if point.members and point.members[0] is not None else "None"


def _summary(values: Values, words: Words, asked: Asked) -> str:
    """The chart in a sentence, by the periods that are over."""
    over = [point for point in values.points if point.is_complete and point.value is not None]
    if asked.by:
        count = len({_member(point) for point in values.points})
        more = f" The {MOST_LINES} largest of {count} are drawn." if count > MOST_LINES else ""
        periods = len({point.period for point in values.points})
        return f"{words.name} over {periods} {asked.grain}s.{more}"
    if not over:
        return f"{words.name}: no {asked.grain} is over yet."
    first, last = over[0], over[-1]
    unit = words.unit.model_dump()
    moved = formatting.change(first.value, last.value, unit)
    return (
        f"{len(over)} complete {asked.grain}s: from {formatting.with_unit(first.value, unit)} "
        f"({formatting.period(first.period, asked.grain)}) to "
        f"{formatting.with_unit(last.value, unit)} "
        f"({formatting.period(last.period, asked.grain)}){f', {moved}' if moved else ''}."
    )


def multiples_of(values: Values | None, words: Words, asked: Asked) -> list[dict]:
    """A small curve for each of the members that weigh most."""
    if values is None or not asked.by:
        return []
    unit = words.unit.model_dump()
    found = []
    for name, points in heaviest(values.points)[:MOST_MULTIPLES]:
        over = [point for point in points if point.is_complete and point.value is not None]
        if over:
            found.append(
                {
                    "name": name,
                    "curve": [float(point.value) for point in over if point.value is not None],
                    "value": formatting.with_unit(over[-1].value, unit, compact=True),
                    "moved": formatting.change(over[0].value, over[-1].value, unit),
                }
            )
    return found


# --- the table under the chart, and the same as CSV ---


def table_of(values: Values | None, asked: Asked) -> list[dict]:
    """Every value with where it comes from, oldest first; behind it that of a definition kept."""
    if values is None:
        return []
    lines = [(line_name(asked), values.points)]
    if values.second:
        lines.append((f"v{values.second[-1].version}, kept beside it", values.second))
    rows = [
        {"line": name, "label": formatting.period(point.period, asked.grain), "point": point}
        for name, points in lines
        for point in points
    ]
    return sorted(rows, key=_period)


def newest_first(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=_period, reverse=True)


def _period(row: dict) -> date:
    return row["point"].period


def csv_rows(values: Values | None, asked: Asked, name: str) -> Iterator[list[str]]:
    """The rows of `table_of` as cells, under a head that says which version is in force."""
    member = [asked.by] if asked.by else []
    more = ("numerator", "denominator", "line", "version", "run", "known_from", "complete")
    yield ["period", *member, name, *more]
    for row in table_of(values, asked):
        point = row["point"]
        yield [
            point.period.isoformat(),
            *[cell(each) for each in point.members],
            *(_plain(number) for number in (point.value, point.numerator, point.denominator)),
            row["line"],
            str(point.version),
            str(point.run or ""),
            point.known_from.isoformat() if point.known_from else "",
            "yes" if point.is_complete else "no",
        ]


def _plain(number) -> str:
    return "" if number is None else format(number.normalize(), "f")
