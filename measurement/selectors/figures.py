"""A preview's figures, computed from what its run staged."""

from datetime import date
from decimal import Context, Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from measurement.closures import calendar_of, closure_of
from measurement.headlines import headline
from measurement.models import Backfill, BackfillTarget
from measurement.periods import label
from measurement.previews import MemberFigures, PreviewFigures, PreviewPoint
from semantics.definition import Grain

MEMBERS_SHOWN = 60
_PCT = Decimal("0.0001")
# The largest value has 26 digits before its point, and a percentage of the smallest has more.
_WIDE = Context(prec=80)

_POINTS = """
WITH old AS (
    SELECT period, value FROM measurement_stagedvalue WHERE backfill_id = %(backfill)s
       AND target_id = %(old)s AND grain = %(grain)s AND dimension = ''
), new AS (
    SELECT period, value FROM measurement_stagedvalue WHERE backfill_id = %(backfill)s
       AND target_id = %(new)s AND grain = %(grain)s AND dimension = ''
)
SELECT period, old.value, new.value, new.value - old.value,
       100 * (new.value - old.value) / abs(nullif(old.value, 0))
FROM old FULL JOIN new USING (period) ORDER BY period
"""
_MEMBERS = """
WITH old AS (
    SELECT period, member, value FROM measurement_stagedvalue WHERE backfill_id = %(backfill)s
       AND target_id = %(old)s AND grain = %(grain)s AND dimension = %(dimension)s
       AND period >= %(start)s AND period < %(until)s
), new AS (
    SELECT period, member, value FROM measurement_stagedvalue WHERE backfill_id = %(backfill)s
       AND target_id = %(new)s AND grain = %(grain)s AND dimension = %(dimension)s
       AND period >= %(start)s AND period < %(until)s
), pair AS (
    SELECT coalesce(old.member, new.member) AS member, old.value AS old, new.value AS new,
           100 * (new.value - old.value) / abs(nullif(old.value, 0)) AS pct
    FROM old FULL JOIN new ON old.period = new.period
         AND coalesce(old.member, '') = coalesce(new.member, '')
         AND (old.member IS NULL) = (new.member IS NULL)
)
SELECT member, count(*), avg(old), avg(new), avg(pct),
       (array_agg(pct ORDER BY abs(pct) DESC NULLS LAST))[1]
FROM pair GROUP BY member ORDER BY coalesce(avg(old), avg(new)) DESC NULLS LAST, member
LIMIT %(limit)s
"""


def figures_of(backfill: Backfill) -> dict[str, dict]:
    """The figures of each metric of a preview, as JSON documents by key."""
    sides: dict[str, dict[str, BackfillTarget]] = {}
    for target in backfill.targets.all():
        sides.setdefault(target.key, {})[target.label] = target
    return {key: _figures(backfill, key, pair).as_json() for key, pair in sides.items()}


def _figures(backfill: Backfill, key: str, pair: dict[str, BackfillTarget]) -> PreviewFigures:
    new, old = pair["new"], pair.get("old")
    grain = Grain(new.grains[0])
    dimension = next(iter(new.dimensions or (old.dimensions if old else [])), "")
    calendar = calendar_of(key, closure_of(new.definitions))
    begun = backfill.created_at.astimezone(ZoneInfo(calendar.zone)).date()
    # Complete periods only: they began with the range and ended before the day of the run.
    first = calendar.ceil(backfill.start, grain)
    until = calendar.floor(min(begun, backfill.until), grain)
    values = {
        "backfill": backfill.pk,
        "old": old.pk if old else 0,
        "new": new.pk,
        "grain": str(grain),
        "dimension": dimension,
        "start": first,
        "until": until,
        "limit": MEMBERS_SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_POINTS, values)
        points = [_point(row, grain, first, until) for row in cursor.fetchall()]
        members = []
        if dimension:
            cursor.execute(_MEMBERS, values)
            members = [_member(row) for row in cursor.fetchall()]
    complete = [point for point in points if point.is_complete]
    both = [point for point in complete if point.difference is not None]
    sized = [(point.difference_pct, point) for point in both if point.difference_pct is not None]
    total = sum((pct for pct, _ in sized), Decimal(0))
    return PreviewFigures(
        key=key,
        grain=str(grain),
        dimension=dimension,
        headline=headline(complete, grain, is_new=old is None),
        is_new=old is None,
        compared=len(both),
        moved=sum(bool(point.difference) for point in both),
        appeared=sum(point.old is None and point.new is not None for point in complete)
        if old
        else 0,
        vanished=sum(point.new is None and point.old is not None for point in complete),
        mean_pct=_rounded(total / len(sized)) if sized else None,
        lowest=_point_of(min(sized, key=_by_size, default=None)),
        highest=_point_of(max(sized, key=_by_size, default=None)),
        widest=_point_of(max(sized, key=lambda one: abs(one[0]), default=None)),
        points=points,
        members=members,
    )


def _point(row: tuple, grain: Grain, first: date, until: date) -> PreviewPoint:
    period, old, new, difference, pct = row
    return PreviewPoint(
        period=period,
        label=label(period, grain),
        old=old,
        new=new,
        difference=difference,
        difference_pct=_rounded(pct),
        is_complete=first <= period < until,
    )


def _member(row: tuple) -> MemberFigures:
    member, periods, *numbers = row
    old_mean, new_mean, mean_pct, widest_pct = map(_rounded, numbers)
    return MemberFigures(member, periods, old_mean, new_mean, mean_pct, widest_pct)


def _by_size(sized: tuple[Decimal, PreviewPoint]) -> Decimal:
    return sized[0]


def _point_of(sized: tuple[Decimal, PreviewPoint] | None) -> PreviewPoint | None:
    return sized[1] if sized else None


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(_PCT, context=_WIDE)
