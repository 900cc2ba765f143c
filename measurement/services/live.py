"""Values that are not stored: combinations of dimensions, computed by a worker when asked for.

A live question is a run like any other, under the limits of its source in time and memory and
with a cap on rows. Its rows stay staged for a while, so that asking again costs nothing.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from catalog.models import Metric, Resolution
from core import clock
from core.errors import (
    EtalonError,
    Invalid,
    QueryFailed,
    SourceTooSlow,
    SourceUnavailable,
    TooManyRows,
)
from measurement.choices import UNFINISHED, BackfillStatus, Purpose
from measurement.closures import calendar_of, closure_of
from measurement.models import Backfill
from measurement.periods import after, label
from measurement.plans import TargetPlan
from measurement.selectors import values as stored
from measurement.selectors.health import doubt_of
from measurement.selectors.official import Lines
from measurement.services.backfills import cancel_backfill, plan_backfill
from measurement.values import REPORTED, Point, Values
from measurement.warehouses.base import NeedsMemory
from semantics.definition import Grain, MetricSpec
from semantics.question import askable_dimensions

MAX_DIMENSIONS = 3
# How long an answer is given again before the source is asked anew.
KEPT = timedelta(minutes=10)
DEFAULT_DAYS = 365
_POLL_SECONDS = 0.05

_ROWS = """
SELECT period, member, value, numerator, denominator FROM measurement_stagedvalue
WHERE backfill_id = %s AND period >= %s AND period < %s ORDER BY period, member NULLS LAST
"""


@dataclass(frozen=True)
class _Question:
    metric: Metric
    resolution: Resolution
    grain: Grain
    group_by: tuple[str, ...]
    start: date
    until: date


def read_any_values(
    metric: Metric,
    *,
    grain: Grain | str,
    group_by: Sequence[str] = (),
    start: date | None = None,
    until: date | None = None,
    version: int | None = None,
    as_of: datetime | None = None,
    line: str = "now",
    actor=None,
) -> Values:
    """Values by any dimensions that the metric can be asked by: stored ones where they are
    stored, else computed now. Raises SourceTooSlow when no answer came in time."""
    grain = stored.known_grain(grain)
    stored.check_request(start, until, line)
    group_by = tuple(group_by)
    lines, resolution = stored.lines_read(metric, version, as_of)
    if resolution is None or len(group_by) < 2 and _is_stored(metric, resolution, grain, group_by):
        return stored.read_values(
            metric,
            grain=grain,
            group_by=group_by[0] if group_by else None,
            start=start,
            until=until,
            version=version,
            as_of=as_of,
            line=line,
        )
    if as_of is not None:
        raise Invalid(
            "What a source held in the past is not known for values that are not stored. "
            "Ask without `as_of`, or by one stored dimension.",
            problems=[{"place": "as_of", "code": "not_stored", "message": "Not stored."}],
        )
    if line == REPORTED:
        raise Invalid(
            "What was reported then is not known for values that are not stored. Ask for the line "
            "`now`, or by one stored dimension.",
            problems=[{"place": "line", "code": "not_stored", "message": "Not stored."}],
        )
    question = _question(metric, resolution, grain, group_by, start, until)
    return _answer(question, wait_for(ask_live(question, actor=actor)), version, lines)


def _is_stored(metric: Metric, resolution: Resolution, grain: Grain, group_by: tuple) -> bool:
    spec = _closure(resolution)[metric.key]
    return not group_by or grain in spec.grains and group_by[0] in spec.dimensions


def _closure(resolution: Resolution) -> dict:
    return closure_of({pin["key"]: pin["definition"] for pin in resolution.pins})


def _question(metric, resolution, grain, group_by, start, until) -> _Question:
    specs = _closure(resolution)
    if not isinstance(specs[metric.key], MetricSpec):
        raise Invalid(f"{metric.key} is no metric.", problems=[])
    if len(group_by) > MAX_DIMENSIONS:
        raise Invalid(
            f"Ask by at most {MAX_DIMENSIONS} dimensions at once.",
            problems=[{"place": "group_by", "code": "too_many", "message": "Too many."}],
        )
    askable = askable_dimensions(metric.key, specs)
    unknown = [name for name in group_by if name not in askable]
    if unknown:
        raise Invalid(
            f"{metric.name} cannot be asked by {', '.join(f'`{name}`' for name in unknown)}. "
            f"It can be by {', '.join(askable) or 'no dimension'}.",
            problems=[
                {"place": "group_by", "code": "unknown_dimension", "message": f"`{name}`"}
                for name in unknown
            ],
        )
    calendar = calendar_of(metric.key, specs)
    until = until or clock.today(calendar.zone) + timedelta(days=1)
    start = calendar.ceil(start or until - timedelta(days=DEFAULT_DAYS), grain)
    return _Question(metric, resolution, grain, group_by, start, max(until, after(start, grain)))


@transaction.atomic
def ask_live(question: _Question, *, actor) -> Backfill:
    """Plan a live question; an equal one of the last minutes is shared."""
    fingerprint = hashlib.sha256(
        json.dumps(
            [
                question.resolution.hash,
                question.grain,
                question.group_by,
                question.start.isoformat(),
                question.until.isoformat(),
            ]
        ).encode()
    ).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [fingerprint])
    last = (
        Backfill.objects.filter(
            purpose=Purpose.LIVE,
            fingerprint=fingerprint,
            status__in=[*UNFINISHED, BackfillStatus.DONE],
            created_at__gt=clock.now() - KEPT,
        )
        .order_by("-pk")
        .first()
    )
    if last is not None:
        return last
    hashes = {pin["key"]: pin["definition"] for pin in question.resolution.pins}
    target = TargetPlan(
        question.metric,
        question.metric.key,
        closure_of(hashes),
        hashes,
        label="live",
        grains=[question.grain],
        dimensions=[",".join(question.group_by)],
    )
    return plan_backfill(
        [target],
        purpose=Purpose.LIVE,
        actor=actor,
        start=question.start,
        until=question.until,
        fingerprint=fingerprint,
    )


def wait_for(backfill: Backfill) -> Backfill:
    """Wait for a worker's answer. When none comes in time the query is stopped at the source."""
    deadline = time.monotonic() + settings.LIVE_SECONDS
    while True:
        backfill.refresh_from_db()
        if backfill.status == BackfillStatus.DONE:
            return backfill
        if backfill.status not in UNFINISHED:
            raise _failure(backfill)
        if time.monotonic() > deadline:
            cancel_backfill(backfill, actor=None, reason="nobody waited any longer")
            raise SourceTooSlow(
                f"No answer within {settings.LIVE_SECONDS:.0f} seconds, so the query was stopped. "
                "Ask for a shorter range or fewer dimensions."
            )
        time.sleep(_POLL_SECONDS)


def _failure(backfill: Backfill) -> EtalonError:
    """What a worker met, as the failure that it was."""
    window = backfill.windows.exclude(error="").first()
    if window is None:
        return SourceUnavailable("The question was cancelled.")
    kinds = {kind.code: kind for kind in (SourceTooSlow, QueryFailed, NeedsMemory, TooManyRows)}
    return kinds.get(window.error_code, SourceUnavailable)(window.error)


def _answer(question: _Question, backfill: Backfill, version: int | None, lines: Lines) -> Values:
    calendar = calendar_of(question.metric.key, _closure(question.resolution))
    today = clock.today(calendar.zone)
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [backfill.pk, question.start, question.until])
        rows = cursor.fetchall()
    points = []
    for period, member, value, numerator, denominator in rows:
        end = after(period, question.grain)
        several = len(question.group_by) > 1
        points.append(
            Point(
                period=period,
                period_until=end,
                label=label(period, question.grain),
                members=tuple(json.loads(member)) if several else (member,),
                value=value,
                numerator=numerator,
                denominator=denominator,
                version=question.resolution.version.number,
                resolution=question.resolution.hash,
                run=backfill.pk,
                known_from=None,
                is_complete=end <= today,
            )
        )
    return Values(
        question.metric,
        question.grain,
        question.group_by,
        question.start,
        question.until,
        "now",
        version,
        None,
        points=points,
        marks=lines.marks,
        complete_until=today,
        doubt=doubt_of(question.metric),
        note=_note(question, lines) if points else "There are no values in this range.",
    )


def _note(question: _Question, lines: Lines) -> str:
    """A live answer has one version's formula, though the official line may be of several."""
    since = lines.now[-1].start
    if since is None or since <= question.start:
        return ""
    name = f"v{question.resolution.version.number}"
    return (
        f"All of it is computed by {name}. Before {since} the official line is of an earlier "
        "version, so that the parts do not add up to it."
    )
