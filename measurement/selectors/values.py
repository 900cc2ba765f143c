"""Reading stored values, as they are now or as they were known at an instant of record time."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection

from catalog.models import Metric, Resolution, Version
from core import clock
from core.errors import Invalid, NotFound
from core.instants import told_by
from core.snapshots import one_snapshot
from measurement.closures import Closure, calendar_of, closure_of, metric_spec
from measurement.models import Series
from measurement.periods import Calendar, after, label
from measurement.selectors.health import doubt_of, why_no_values
from measurement.selectors.official import Lines, Segment, lines_of, pinned, to_come, today_of
from measurement.values import LINES, REPORTED, Point, Values
from semantics.definition import Grain

# Every row that some line may show, with its segment. `seen` picks one row a value.
_ROWS = """
    SELECT segment.line, segment.version, segment.hash, row.period, slice.member, row.value,
           row.numerator, row.denominator, row.backfill_id, row.known_from, row.known_until,
           row.slice_id
    FROM jsonb_to_recordset(%(segments)s::jsonb)
         AS segment(line text, version int, hash text, start date, until date)
    JOIN measurement_series series ON series.resolution_hash = segment.hash
         AND series.grain = %(grain)s AND series.dimension = %(dimension)s
    JOIN measurement_observation row ON row.series_id = series.id
         AND row.period >= segment.start AND row.period < segment.until
    JOIN measurement_slice slice ON slice.id = row.slice_id
    WHERE row.known_from <= %(as_of)s
"""
_KNOWN = "AND (row.known_until IS NULL OR row.known_until > %(as_of)s)"
# What readers saw a day after a period had ended, or first when that was later.
_THEN = """
    AND (row.known_until IS NULL OR row.known_until > least(%(as_of)s,
         ((row.period + %(length)s::interval) AT TIME ZONE %(zone)s) + interval '1 day'))
"""
_READ = "{rows} {known} ORDER BY row.period, slice.member NULLS LAST"
_READ_THEN = """
SELECT DISTINCT ON (seen.period, seen.slice_id) seen.* FROM ({rows} {known}) seen
ORDER BY seen.period, seen.slice_id, seen.known_from
"""
# Grouped and not joined: values that were just switched in have no statistics yet, and without
# them two lines of some thousand rows are joined one by one.
_RESTATED = """
WITH line_now AS ({rows} {known} AND segment.line = 'now'),
line_then AS (
    SELECT DISTINCT ON (seen.period, seen.slice_id) seen.* FROM (
        {rows} {then} AND segment.line = 'reported'
    ) seen ORDER BY seen.period, seen.slice_id, seen.known_from
),
both_lines AS (
    SELECT period, slice_id, value FROM line_now
    UNION ALL SELECT period, slice_id, value FROM line_then
)
SELECT count(*) FROM (
    SELECT FROM both_lines GROUP BY period, slice_id
    HAVING count(*) = 2 AND (count(value) = 1 OR min(value) <> max(value))
) moved
"""
_LENGTHS = {Grain.QUARTER: "3 months"}
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)


@one_snapshot()
def read_values(
    metric: Metric,
    *,
    grain: Grain | str,
    group_by: str | None = None,
    start: date | None = None,
    until: date | None = None,
    version: int | None = None,
    as_of: datetime | None = None,
    line: str = "now",
) -> Values:
    """The values of a metric over the periods that begin in [start, until).

    Without `version` it is the official line, or with `line="reported"` what was reported then.
    Dimensions that are not stored are refused here; `services.live` computes them. All of an
    answer is of one moment, also while a run is switched in.
    """
    grain = known_grain(grain)
    check_request(start, until, line)
    told = told_by(as_of) if as_of else None
    lines, subject = _lines(metric, version, as_of, told)
    if subject is None:
        return Values(
            metric,
            grain,
            (group_by,) if group_by else (),
            start,
            until,
            line,
            version,
            as_of,
            points=[],
            note=why_no_values(metric),
        )
    specs = closure_of({pin["key"]: pin["definition"] for pin in subject.pins})
    _check_stored(metric, specs, grain, group_by)
    calendar = calendar_of(metric.key, specs)
    is_loaded = told != as_of
    asked = _Asked(grain, group_by, start, until, None if is_loaded else as_of, calendar)
    shown = lines.reported if line == REPORTED else lines.now
    complete_until, first = _coverage(subject.hash, grain, group_by or "")
    points = asked.points(shown, then=line == REPORTED, first=first, complete=complete_until)
    second = asked.points(lines.second, first=first, complete=complete_until)
    today = today_of(calendar.zone, as_of)
    is_official = version is None and as_of is None
    if is_loaded:
        complete_until = min(complete_until, today) if complete_until else None
        points, second = _ended(points, today), _ended(second, today)
    return Values(
        metric,
        grain,
        (group_by,) if group_by else (),
        start,
        until,
        line,
        version,
        as_of,
        points=points,
        marks=lines.marks,
        restated=0 if is_loaded or version is not None else asked.restated(lines),
        complete_until=complete_until,
        second=second,
        doubt="" if as_of else doubt_of(metric),
        note=_note(points, is_loaded, to_come(metric, today) if is_official else None),
    )


def _ended(points: list[Point], today: date) -> list[Point]:
    """Of values that were computed when a history was loaded, those that could be known then."""
    return [point for point in points if point.period_until <= today]


def _note(points: list[Point], is_loaded: bool, coming: Version | None) -> str:
    if not points:
        return "There are no values in this range."
    if coming is not None:
        return (
            f"v{coming.number} takes effect on {coming.effective_from}. Until then these are the "
            "values of what was in force before it."
        )
    if is_loaded:
        return (
            "This history was loaded later: the values were computed then, by the version that "
            "was official on that day."
        )
    return ""


def known_grain(grain: Grain | str) -> Grain:
    if grain not in list(Grain):
        raise Invalid(
            f"`{grain}` is no grain. Ask for {', '.join(Grain)}.",
            problems=[{"place": "grain", "code": "unknown_grain", "message": "Unknown grain."}],
        )
    return Grain(grain)


def check_request(start: date | None, until: date | None, line: str) -> None:
    if start and until and start >= until:
        raise Invalid(
            f"The range ends on {until}, before or on its first day {start}. Swap the two.",
            problems=[{"place": "from", "code": "empty_range", "message": "from is after to."}],
        )
    if line not in LINES:
        raise Invalid(
            f"`{line}` is no line. Ask for {' or '.join(LINES)}.",
            problems=[{"place": "line", "code": "unknown_line", "message": "Unknown line."}],
        )


def lines_read(
    metric: Metric, version: int | None, as_of: datetime | None
) -> tuple[Lines, Resolution | None]:
    """The lines that a request is about, and the resolution whose definition it is about: the
    pinned or the served one."""
    return _lines(metric, version, as_of, told_by(as_of) if as_of else None)


def _lines(
    metric: Metric, version: int | None, as_of: datetime | None, told: datetime | None
) -> tuple[Lines, Resolution | None]:
    """What was official at an instant, which is the day that it was, and by what was told by it."""
    if version is not None:
        found = pinned(metric, version, as_of=told)
        if found is None:
            raise NotFound(f"There is no version {version} of {metric.key}.", version=version)
        segments = [Segment(None, version, found)]
        return Lines(segments, segments, [], []), found
    lines = lines_of(metric, as_of=told, today=_today(metric, as_of))
    return lines, lines.now[-1].resolution if lines.now else None


def _today(metric: Metric, as_of: datetime | None) -> date:
    resolution = metric.served_resolution
    if resolution is None:
        return today_of("UTC", as_of)
    specs = closure_of({pin["key"]: pin["definition"] for pin in resolution.pins})
    return today_of(calendar_of(metric.key, specs).zone, as_of)


def _check_stored(metric: Metric, specs: Closure, grain: Grain, group_by: str | None) -> None:
    spec = metric_spec(metric.key, specs)
    if grain not in spec.grains:
        raise Invalid(
            f"{metric.name} is not computed by {grain}. Ask for {', '.join(spec.grains)}.",
            problems=[
                {"place": "grain", "code": "grain_not_stored", "message": "Not computed by it."}
            ],
        )
    if group_by and group_by not in spec.dimensions:
        stored = ", ".join(spec.dimensions) or "no dimension"
        raise Invalid(
            f"{metric.name} is not stored by `{group_by}`; it is by {stored}.",
            problems=[
                {"place": "group_by", "code": "dimension_not_stored", "message": "Not stored."}
            ],
        )


def _coverage(hash_: str, grain: Grain, dimension: str) -> tuple[date | None, date | None]:
    found = Series.objects.filter(
        resolution_hash=hash_, grain=str(grain), dimension=dimension
    ).first()
    return (found.complete_until, found.start) if found else (None, None)


class _Asked:
    """One request's range, grain and dimension, asked of one line after the other."""

    def __init__(self, grain, group_by, start, until, as_of, calendar: Calendar):
        self.grain, self.group_by = grain, group_by
        self.start, self.until = start or _FIRST, until or _LAST
        self.values = {
            "grain": str(grain),
            "dimension": group_by or "",
            # The database's own clock is later than every row it holds.
            "as_of": as_of or datetime.max.replace(tzinfo=clock.now().tzinfo),
            "zone": calendar.zone,
            "length": _LENGTHS.get(grain, f"1 {grain}"),
        }

    def points(
        self,
        segments: Sequence[Segment],
        *,
        then: bool = False,
        first: date | None,
        complete: date | None,
    ) -> list[Point]:
        if not segments:
            return []
        query = _READ_THEN if then else _READ
        values = {**self.values, "segments": json.dumps(self._ranges(segments, "now"))}
        with connection.cursor() as cursor:
            cursor.execute(query.format(rows=_ROWS, known=_THEN if then else _KNOWN), values)
            return [self._point(row, first, complete) for row in cursor.fetchall()]

    def restated(self, lines: Lines) -> int:
        ranges = self._ranges(lines.now, "now") + self._ranges(lines.reported, "reported")
        with connection.cursor() as cursor:
            cursor.execute(
                _RESTATED.format(rows=_ROWS, known=_KNOWN, then=_THEN),
                {**self.values, "segments": json.dumps(ranges)},
            )
            return cursor.fetchone()[0]

    def _ranges(self, segments: Sequence[Segment], line: str) -> list[dict]:
        ends = [one.start for one in segments[1:]] + [None]
        return [
            {
                "line": line,
                "version": one.version,
                "hash": one.resolution.hash,
                "start": max(one.start or self.start, self.start).isoformat(),
                "until": min(end or self.until, self.until).isoformat(),
            }
            for one, end in zip(segments, ends, strict=True)
        ]

    def _point(self, row: tuple, first: date | None, complete: date | None) -> Point:
        _, version, hash_, period, member, value, numerator, denominator, run, known, *_ = row
        end = after(period, self.grain)
        return Point(
            period=period,
            period_until=end,
            label=label(period, self.grain),
            members=(member,) if self.group_by else (),
            value=value,
            numerator=numerator,
            denominator=denominator,
            version=version,
            resolution=hash_,
            run=run,
            known_from=known,
            is_complete=bool(complete and end <= complete and first and first <= period),
        )
