"""The switch: what a run staged becomes what readers see, in one transaction or not at all.

Only values that moved make rows: the row that held the old value is closed, and another begins.
Within the range of a run its word is final, except where a run that was planned later has already
switched; there the later one's stays.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from core import clock
from measurement.choices import PASSING, BackfillStatus, Purpose, WindowState
from measurement.closures import calendar_of, closure_of
from measurement.models import Backfill, BackfillTarget, Series, StagedValue
from measurement.selectors import figures
from measurement.services import checks, moves, serving
from measurement.services.telling import tell_of
from semantics.definition import Grain

# What the run staged, by series and slice, as far as its word is final. A table of its own, so
# that its statistics are known: how it is joined differs by a thousand times. Members are compared
# as a pair, since a join on IS NOT DISTINCT FROM cannot be hashed.
_FRESH = """
CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
WITH scope AS (
    SELECT * FROM jsonb_to_recordset(%(scope)s::jsonb)
        AS scope(series_id bigint, start date, until date)
)
SELECT series.id AS series_id, slice.id AS slice_id,
       row.period, row.value, row.numerator, row.denominator
FROM measurement_stagedvalue row
JOIN measurement_backfilltarget target ON target.id = row.target_id
JOIN measurement_series series ON series.resolution_hash = target.resolution_hash
     AND series.grain = row.grain AND series.dimension = row.dimension
JOIN scope ON scope.series_id = series.id
     AND row.period >= scope.start AND row.period < scope.until
JOIN measurement_slice slice ON slice.dimension = row.dimension
     AND coalesce(slice.member, '') = coalesce(row.member, '')
     AND (slice.member IS NULL) = (row.member IS NULL)
WHERE row.backfill_id = %(backfill)s;
"""
# What is shown now of the same series and periods; the constants let its index be used.
_SHOWN = """
    known_until IS NULL AND series_id = ANY(%(series)s)
    AND period >= %(first)s AND period < %(last)s
"""
_CLOSE = f"""
WITH closed AS (
    UPDATE measurement_observation old SET known_until = %(instant)s
    FROM jsonb_to_recordset(%(scope)s::jsonb) AS scope(series_id bigint, start date, until date)
    WHERE {_SHOWN.replace("series_id", "old.series_id")}
      AND old.series_id = scope.series_id
      AND old.period >= scope.start AND old.period < scope.until
      AND NOT EXISTS (
          SELECT 1 FROM fresh
          WHERE fresh.series_id = old.series_id AND fresh.slice_id = old.slice_id
            AND fresh.period = old.period
            AND NOT (fresh.value, fresh.numerator, fresh.denominator)
                IS DISTINCT FROM (old.value, old.numerator, old.denominator)
      )
    RETURNING old.series_id
)
SELECT series_id, count(*) FROM closed GROUP BY series_id
"""  # noqa: S608 - put together from constants
_INSERT = f"""
WITH shown AS MATERIALIZED (
    SELECT series_id, slice_id, period FROM measurement_observation WHERE {_SHOWN}
), added AS (
    INSERT INTO measurement_observation
        (series_id, slice_id, period, value, numerator, denominator, backfill_id, known_from)
    SELECT fresh.*, %(backfill)s, %(instant)s FROM fresh
    WHERE NOT EXISTS (
        SELECT 1 FROM shown
        WHERE shown.series_id = fresh.series_id AND shown.slice_id = fresh.slice_id
          AND shown.period = fresh.period
    )
    RETURNING series_id
)
SELECT series_id, count(*) FROM added GROUP BY series_id
"""  # noqa: S608 - put together from constants
_SLICES = """
INSERT INTO measurement_slice (dimension, member)
SELECT DISTINCT dimension, member FROM measurement_stagedvalue WHERE backfill_id = %s
ON CONFLICT DO NOTHING
"""
# Without order, so that a million rows need no sort: the sum of a hash of each value.
_CHECKSUM = """
SELECT count(*), coalesce(sum(hashtextextended(concat_ws('|', target.resolution_hash, row.grain,
    row.dimension, row.member IS NULL, row.member, row.period, row.value, row.numerator,
    row.denominator), 0)::numeric), 0)::text
FROM measurement_stagedvalue row JOIN measurement_backfilltarget target ON target.id = row.target_id
WHERE row.backfill_id = %s
"""


@dataclass(frozen=True)
class _Scope:
    """A range of one series over which a run has the last word."""

    series: Series
    start: date
    until: date


def finish_backfill(backfill_id: int) -> bool:
    """End a run whose windows are all computed: switch, hold or fail it.

    Returns False while there is something left to compute. Called twice, it does nothing more.
    """
    backfill = Backfill.objects.get(pk=backfill_id)
    if not _is_computed(backfill):
        return False
    # Checks ask the source, so they run before the transaction and are read within it.
    reason_to_hold = checks.why_hold(backfill)
    with transaction.atomic():
        backfill = moves.lock(backfill_id)
        if not _is_computed(backfill):
            return False
        if error := _parked_error(backfill):
            moves.move(backfill, "fail", error=error, finished_at=clock.now())
        elif reason_to_hold and not backfill.checks_waived:
            moves.move(backfill, "hold", error=reason_to_hold)
        else:
            _finish(backfill)
        if backfill.purpose not in PASSING:
            tell_of(backfill)
    return True


def _is_computed(backfill: Backfill) -> bool:
    if backfill.status != BackfillStatus.RUNNING or not backfill.windows.exists():
        return False
    if backfill.purpose in PASSING and backfill.windows.filter(state=WindowState.PARKED).exists():
        return True
    return not backfill.windows.filter(state__in=[WindowState.DUE, WindowState.LEASED]).exists()


def _parked_error(backfill: Backfill) -> str:
    """Why windows were given up, or an empty text."""
    parked = backfill.windows.filter(state=WindowState.PARKED)
    first = parked.first()
    if first is None:
        return ""
    others = parked.count() - 1
    more = f" {others} more windows failed." if others else ""
    return f"{first.start} to {first.until}: {first.error}{more}"


def _finish(backfill: Backfill) -> None:
    checksum, staged = _checksum(backfill)
    result: dict[str, Any] = {"staged": staged}
    if backfill.purpose == Purpose.PREVIEW:
        result["figures"] = figures.figures_of(backfill)
    elif backfill.purpose != Purpose.LIVE:
        result |= _switch(backfill)
        StagedValue.objects.filter(backfill_id=backfill.pk).delete()
    moves.move(
        backfill,
        "finish",
        finished_at=clock.now(),
        checksum=checksum,
        error="",
        result={**backfill.result, **result},
    )


def _checksum(backfill: Backfill) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_CHECKSUM, [backfill.pk])
        count, total = cursor.fetchone()
    return f"{count}:{total}", count


def _switch(backfill: Backfill) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(_SLICES, [backfill.pk])
    targets = list(backfill.targets.all())
    series = _locked_series(targets)
    scopes = [scope for target in targets for scope in _scopes(backfill, target, series)]
    instant = serving.database_time()
    values = {
        "backfill": backfill.pk,
        "instant": instant,
        "scope": json.dumps(
            [
                {
                    "series_id": scope.series.pk,
                    "start": scope.start.isoformat(),
                    "until": scope.until.isoformat(),
                }
                for scope in scopes
            ]
        ),
        "series": [scope.series.pk for scope in scopes],
        "first": min((scope.start for scope in scopes), default=backfill.start),
        "last": max((scope.until for scope in scopes), default=backfill.until),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, values)
        cursor.execute("ANALYZE fresh")
        # Rows by series: a run of several metrics has often moved only some of them.
        cursor.execute(_CLOSE, values)
        closed = dict(cursor.fetchall())
        cursor.execute(_INSERT, values)
        inserted = dict(cursor.fetchall())
        cursor.execute("DROP TABLE fresh")
    _widen(backfill, targets, series)
    touched = closed.keys() | inserted.keys()
    moved = {one.resolution_hash for one in series.values() if one.pk in touched}
    serving.serve_targets(backfill, moved=moved)
    return {"closed": sum(closed.values()), "inserted": sum(inserted.values())}


def _locked_series(targets: list[BackfillTarget]) -> dict[tuple[str, str, str], Series]:
    """The series of the targets, made where missing. Runs of one series switch one by one."""
    wanted = {
        (target.resolution_hash, grain, dimension)
        for target in targets
        for grain in target.grains
        for dimension in ("", *target.dimensions)
    }
    Series.objects.bulk_create(
        [Series(resolution_hash=h, grain=g, dimension=d) for h, g, d in sorted(wanted)],
        ignore_conflicts=True,
    )
    hashes = {hash_ for hash_, _, _ in wanted}
    locked = Series.objects.filter(resolution_hash__in=hashes).order_by("pk").select_for_update()
    named = {(one.resolution_hash, one.grain, one.dimension): one for one in locked}
    return {name: named[name] for name in wanted}


def _scopes(backfill: Backfill, target: BackfillTarget, series: dict) -> Iterator[_Scope]:
    calendar = calendar_of(target.key, closure_of(target.definitions))
    later = _later_runs(backfill, target)
    for grain in target.grains:
        start = calendar.floor(backfill.start, Grain(grain))
        for dimension in ("", *target.dimensions):
            taken = [
                (calendar.floor(run.start, Grain(grain)), run.until)
                for run, grains, dimensions in later
                if grain in grains and dimension in ("", *dimensions)
            ]
            for left, right in _without(start, backfill.until, taken):
                one = series[target.resolution_hash, grain, dimension]
                yield _Scope(one, left, right)


def _later_runs(backfill: Backfill, target: BackfillTarget) -> list[tuple]:
    """Runs of the same resolution that were planned after this one and have switched already."""
    found = BackfillTarget.objects.filter(
        resolution_hash=target.resolution_hash,
        backfill_id__gt=backfill.pk,
        backfill__status=BackfillStatus.DONE,
        backfill__purpose__in=[Purpose.PUBLISH, Purpose.DAILY, Purpose.MANUAL],
    ).select_related("backfill")
    return [(other.backfill, other.grains, other.dimensions) for other in found]


def _without(
    start: date, until: date, taken: list[tuple[date, date]]
) -> Iterator[tuple[date, date]]:
    """What is left of [start, until) when some ranges are taken out of it."""
    for left, right in sorted(taken):
        if left > start:
            yield start, min(left, until)
        start = max(start, right)
        if start >= until:
            return
    if start < until:
        yield start, until


def _widen(backfill: Backfill, targets: list[BackfillTarget], series: dict) -> None:
    """Note how far each series reaches now. A gap is never claimed to be covered."""
    for target in targets:
        calendar = calendar_of(target.key, closure_of(target.definitions))
        ran_on = backfill.created_at.astimezone(ZoneInfo(calendar.zone)).date()
        complete = min(ran_on, backfill.until)
        newest = backfill.result.get("newest", {}).get(target.key)
        if newest:
            complete = min(complete, date.fromisoformat(newest) + timedelta(days=1))
        for name, one in series.items():
            if name[0] != target.resolution_hash or name[1] not in target.grains:
                continue
            touches = one.start is None or (
                backfill.start <= one.until and backfill.until >= one.start
            )
            if touches:
                one.start = min(one.start or backfill.start, backfill.start)
                one.until = max(one.until or backfill.until, backfill.until)
                one.complete_until = max(one.complete_until or complete, complete)
    Series.objects.bulk_update(series.values(), ["start", "until", "complete_until"])
