"""What a run by hand would compute: the resolutions that are official in a range, pinned."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil

from django.conf import settings

from catalog.choices import Lifecycle
from catalog.models import Metric
from core import clock
from core.errors import Invalid
from measurement.choices import ROW_WEIGHTS, SourceKind
from measurement.closures import calendar_of, root_dataset
from measurement.models import BackfillWindow, Source
from measurement.periods import Calendar
from measurement.plans import TargetPlan, target_of_resolution
from measurement.selectors.official import Segment, lines_of
from semantics.definition import Grain

# Windows of the past that are looked at to say about how many rows a range has.
_MOST_WINDOWS = 2_000


@dataclass(frozen=True)
class OfficialLine:
    """What readers of a metric are shown now, and what of it can be computed again.

    `pin` is another one as soon as a version or a dataset below it moved what is official.
    """

    segments: tuple[tuple[Segment, TargetPlan], ...]
    calendar: Calendar
    source: Source | None
    first_day: date
    today: date
    dimensions: tuple[str, ...]
    pin: str


@dataclass(frozen=True)
class RangePlan:
    """The targets of a run over [start, until); `versions` are theirs, oldest first.

    `rows` is about what earlier runs read there, None when none of them counted; `windows` is what
    such rows are cut into.
    """

    targets: tuple[TargetPlan, ...]
    versions: tuple[int, ...]
    start: date
    until: date
    dimensions: tuple[str, ...]
    rows: int | None
    windows: int | None
    pin: str


def official_line(metric: Metric) -> OfficialLine:
    """The line that may be computed again. Raises Invalid when nothing is shown yet."""
    if metric.lifecycle == Lifecycle.RETIRED:
        text = f"{metric.name} is retired. Its history stays as it is."
        raise Invalid(text, problems=[_problem("metric", "bad_value", text)])
    served = metric.served_resolution
    if served is None:
        raise Invalid(
            f"{metric.name} shows no values yet, so there is nothing to compute again. The run of "
            "its first version computes them.",
            problems=[_problem("metric", "missing", "It shows no values yet.")],
        )
    shown = target_of_resolution(served)
    calendar = calendar_of(shown.key, shown.specs)
    today = clock.today(calendar.zone)
    segments = tuple(
        (segment, target_of_resolution(segment.resolution))
        for segment in lines_of(metric, as_of=None, today=today).now
    )
    source = Source.objects.filter(key=root_dataset(shown.key, shown.specs).source).first()
    stored = [name for _, target in segments for name in target.wanted_dimensions]
    said = "|".join(f"{segment.start}:{target.resolution_hash}" for segment, target in segments)
    return OfficialLine(
        segments=segments,
        calendar=calendar,
        source=source,
        first_day=source.first_day if source else today,
        today=today,
        dimensions=tuple(dict.fromkeys(stored)),
        pin=hashlib.sha256(said.encode()).hexdigest()[:16],
    )


def range_plan(
    metric: Metric, *, start: date, until: date, dimensions: Sequence[str] | None = None
) -> RangePlan:
    """What is computed when [start, until) of a metric is computed again.

    The total always is; of the stored dimensions those that are named, and without names all.
    Raises Invalid with everything that is wrong about the range and the dimensions.
    """
    line = official_line(metric)
    wanted = line.dimensions if dimensions is None else tuple(dict.fromkeys(dimensions))
    if problems := [*_of_range(line, start, until), *_of_dimensions(line, wanted)]:
        raise Invalid(problems[0]["message"], problems=problems)
    chosen = _within(line, start, until)
    targets = {
        target.resolution_hash: replace(
            target,
            dimensions=[name for name in target.wanted_dimensions if name in wanted],
        )
        for _, target in chosen
    }
    rows = _rows_before(list(targets), start, until)
    return RangePlan(
        targets=tuple(targets.values()),
        versions=tuple(dict.fromkeys(segment.version for segment, _ in chosen)),
        start=start,
        until=until,
        dimensions=wanted,
        rows=rows,
        windows=None if rows is None else _windows(rows, line.source, (until - start).days),
        pin=line.pin,
    )


def _of_range(line: OfficialLine, start: date, until: date) -> list[dict]:
    """What is wrong with a range: it is empty, or has days that no source can answer for."""
    if until <= start:
        return [_problem("to", "empty_range", "The range has no day: it ends before it begins.")]
    problems = []
    if start < line.first_day:
        text = f"The source is read from {line.first_day} on. Begin there or later."
        problems.append(_problem("from", "bad_value", text))
    if until > line.today + timedelta(days=1):
        text = f"Days after {line.today} have not begun. End there or earlier."
        problems.append(_problem("to", "bad_value", text))
    return problems


def _of_dimensions(line: OfficialLine, wanted: Sequence[str]) -> list[dict]:
    stored = ", ".join(line.dimensions) or "none"
    return [
        _problem(
            "dimensions",
            "unknown_dimension",
            f"“{name}” is not stored for this metric. Stored: {stored}.",
        )
        for name in wanted
        if name not in line.dimensions
    ]


def _within(line: OfficialLine, start: date, until: date) -> list[tuple[Segment, TargetPlan]]:
    """The segments that are shown in a range, with the whole of every period that it begins in."""
    found = []
    for position, (segment, target) in enumerate(line.segments):
        following = line.segments[position + 1 :]
        end = following[0][0].start if following else None
        grains = [Grain(grain) for grain in target.wanted_grains]
        first = min((line.calendar.floor(start, grain) for grain in grains), default=start)
        if (segment.start is None or segment.start < until) and (end is None or end > first):
            found.append((segment, target))
    return found


def _rows_before(hashes: list[str], start: date, until: date) -> int | None:
    """About how many source rows a range has: what the newest window over each day counted."""
    windows = (
        BackfillWindow.objects.filter(
            backfill__targets__resolution_hash__in=hashes,
            source_rows__isnull=False,
            start__lt=until,
            until__gt=start,
        )
        .order_by("-backfill_id", "position")
        .values_list("backfill_id", "position", "start", "until", "source_rows")
        .distinct()
    )
    by_day: dict[date, float] = {}
    for _, _, first, end, rows in windows[:_MOST_WINDOWS]:
        day, share = max(first, start), (rows or 0) / (end - first).days
        while day < min(end, until):
            by_day.setdefault(day, share)
            day += timedelta(days=1)
        if len(by_day) == (until - start).days:
            break
    return round(sum(by_day.values())) if by_day else None


def _windows(rows: int, source: Source | None, days: int) -> int:
    weight = ROW_WEIGHTS[SourceKind(source.kind)] if source else 1.0
    return min(days, max(1, ceil(rows * weight / settings.WINDOW_SOURCE_ROWS)))


def _problem(place: str, code: str, message: str) -> dict:
    return {"place": place, "code": code, "message": message}
