"""Whether a metric's values can be relied on: fresh, checked, and how they stand to the target."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from catalog.models import Metric
from core import clock
from measurement.choices import PASSING, UNFINISHED, BackfillStatus, Outcome
from measurement.models import Backfill, Check, CheckRun, Observation, Series
from semantics.definition import Grain

# How far from the target is still yellow.
NEAR = Decimal("0.05")


@dataclass(frozen=True)
class CheckState:
    """A check and its latest run. One that never ran has not passed."""

    check: Check
    run: CheckRun | None

    @property
    def is_passed(self) -> bool:
        return self.run is not None and self.run.outcome == Outcome.PASSED

    @property
    def sentence(self) -> str:
        if self.run is None:
            return "It has not run yet."
        return self.run.message


@dataclass(frozen=True)
class Freshness:
    """How far the values reach, and whether that keeps what was promised."""

    complete_until: date | None
    last_good: datetime | None
    age: timedelta | None
    is_late: bool
    sentence: str


@dataclass(frozen=True)
class Trouble:
    """Why the values are not renewed. `code` is that of the failure, or `held`."""

    code: str
    sentence: str
    run: Backfill


@dataclass(frozen=True)
class Health:
    """`kept` says which values are shown meanwhile when something is wrong."""

    freshness: Freshness
    checks: list[CheckState]
    doubt: str
    running: list[Backfill]
    failed: Backfill | None
    trouble: Trouble | None
    kept: str


@dataclass(frozen=True)
class State:
    """How the last complete period stands to the target: green, yellow, red, or why neither."""

    name: str
    sentence: str
    value: Decimal | None = None
    target: Decimal | None = None
    period: date | None = None


def health_of(metric: Metric) -> Health:
    runs = _runs_of(metric)
    last = runs.exclude(status=BackfillStatus.CANCELLED).order_by("-pk").first()
    checks = checks_of(metric)
    freshness = freshness_of(metric)
    trouble = _trouble(last) if last is not None else None
    doubt = _doubt(checks)
    return Health(
        freshness=freshness,
        checks=checks,
        doubt=doubt,
        running=list(runs.filter(status__in=UNFINISHED).exclude(status=BackfillStatus.HELD)),
        failed=last if last is not None and last.status == BackfillStatus.FAILED else None,
        trouble=trouble,
        kept=_kept(freshness) if trouble or doubt else "",
    )


def _trouble(run: Backfill) -> Trouble | None:
    """What is wrong with a metric's last run, if anything is."""
    if run.status == BackfillStatus.HELD:
        return Trouble("held", f"{run} is held back until its check passes. {run.error}", run)
    if run.status not in (BackfillStatus.FAILED, BackfillStatus.PLANNED, BackfillStatus.RUNNING):
        return None
    window = run.windows.exclude(error="").order_by("position").first()
    code = window.error_code if window is not None and window.error_code else "failed"
    if run.status == BackfillStatus.FAILED:
        return Trouble(code, f"{run} failed. {run.error}", run)
    if window is not None:
        return Trouble(code, f"{run} tries again after a failure. {window.error}", run)
    return None


def _kept(freshness: Freshness) -> str:
    if freshness.complete_until is None:
        return ""
    last = freshness.complete_until - timedelta(days=1)
    return f"The last good values stay; they are complete until {last.day} {last:%B %Y}."


def checks_of(metric: Metric) -> list[CheckState]:
    """The checks of every dataset that the metric stands on, with their latest runs."""
    resolution = metric.served_resolution or metric.current_resolution
    keys = [pin["key"] for pin in resolution.pins] if resolution else []
    return checks_of_datasets(keys)


def checks_of_datasets(keys: Collection[str]) -> list[CheckState]:
    """The checks of these datasets, with their latest runs, in two queries."""
    checks = list(Check.objects.filter(dataset__key__in=keys).select_related("dataset"))
    latest = (
        CheckRun.objects.filter(check_rule__in=checks)
        .order_by("check_rule_id", "-ran_at", "-pk")
        .distinct("check_rule_id")
    )
    runs = {run.check_rule_id: run for run in latest}
    return [CheckState(check, runs.get(check.pk)) for check in checks]


def doubt_of(metric: Metric) -> str:
    """The sentence that puts a metric's values in doubt, or an empty text."""
    return _doubt(checks_of(metric))


def _doubt(checks: list[CheckState]) -> str:
    failed = [state for state in checks if state.run is not None and not state.is_passed]
    if not failed:
        return ""
    return "Data in doubt. " + " ".join(f"{state.check}: {state.sentence}" for state in failed)


def freshness_of(metric: Metric) -> Freshness:
    """How far the served values reach, against the promise of the SLA where there is one."""
    if metric.served_resolution is None:
        return Freshness(None, None, None, False, why_no_values(metric))
    series = Series.objects.filter(resolution_hash=metric.served_resolution.hash, dimension="")
    reach = series.aggregate(Max("complete_until"))["complete_until__max"]
    last_good = Observation.objects.filter(series__in=series).aggregate(Max("known_from"))[
        "known_from__max"
    ]
    age = clock.now() - last_good if last_good else None
    late = _lateness(metric, reach)
    last = reach - timedelta(days=1) if reach else None
    reaches = f"Complete until {last.day} {last:%B %Y}." if last else "No value is complete yet."
    return Freshness(reach, last_good, age, bool(late), f"{reaches} {late}".strip())


def _lateness(metric: Metric, reach: date | None) -> str:
    """What the promise said and was not kept, or an empty text."""
    sla = getattr(metric, "sla", None)
    if sla is None:
        return ""
    now = clock.now().astimezone(ZoneInfo(sla.time_zone))
    # Yesterday's value is due today; before the hour, the day before yesterday's was.
    due_today = datetime.combine(now.date(), sla.due_time, now.tzinfo)
    promised = now.date() if now >= due_today else now.date() - timedelta(days=1)
    if reach is not None and reach >= promised:
        return ""
    day = promised - timedelta(days=1)
    return f"Late: the value of {day.day} {day:%B} was promised {sla}."


def why_no_values(metric: Metric) -> str:
    if metric.current_resolution_id is None:
        return "No values yet: no version has been published."
    run = _runs_of(metric).order_by("-pk").first()
    if run is None:
        return "No values yet: nothing has been computed so far."
    if run.status in UNFINISHED:
        state = BackfillStatus(run.status).label.lower()
        return f"No values yet: {run} that computes them is {state}."
    if run.status == BackfillStatus.FAILED:
        return f"No values yet: {run} failed. {run.error}"
    return "No values yet."


def _runs_of(metric: Metric):
    return Backfill.objects.filter(targets__metric=metric).exclude(purpose__in=PASSING).distinct()


# --- state and sparklines, for whole pages ----------------------------------------------------

_LATEST = """
SELECT asked.metric_id, row.period, row.value
FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked(metric_id bigint, hash text)
JOIN measurement_series series ON series.resolution_hash = asked.hash
     AND series.grain = %(grain)s AND series.dimension = ''
JOIN LATERAL (
    SELECT period, value FROM measurement_observation
    WHERE series_id = series.id AND known_until IS NULL
      AND (period + %(length)s::interval)::date <= coalesce(series.complete_until, '-infinity')
    ORDER BY period DESC LIMIT %(periods)s
) row ON true
ORDER BY asked.metric_id, row.period
"""


def latest_points(
    metrics: Iterable[Metric], *, grain: Grain = Grain.WEEK, periods: int = 13
) -> dict[int, list[tuple[date, Decimal | None]]]:
    """The last complete periods of each metric, oldest first; one query for a whole page."""
    asked = [
        {"metric_id": metric.pk, "hash": metric.served_resolution.hash}
        for metric in metrics
        if metric.served_resolution is not None
    ]
    found: dict[int, list] = {}
    length = "3 months" if grain == Grain.QUARTER else f"1 {grain}"
    with connection.cursor() as cursor:
        cursor.execute(
            _LATEST,
            {
                "asked": json.dumps(asked),
                "grain": str(grain),
                "periods": periods,
                "length": length,
            },
        )
        for metric_id, period, value in cursor.fetchall():
            found.setdefault(metric_id, []).append((period, value))
    return found


def states_of(metrics: Iterable[Metric], *, grain: Grain = Grain.WEEK) -> dict[int, State]:
    """The state of each metric at its last complete period."""
    metrics = list(metrics)
    last = latest_points(metrics, grain=grain, periods=1)
    return {metric.pk: _state(metric, last.get(metric.pk)) for metric in metrics}


def state_of(metric: Metric, *, grain: Grain = Grain.WEEK) -> State:
    return states_of([metric], grain=grain)[metric.pk]


def _state(metric: Metric, points: list[tuple[date, Decimal | None]] | None) -> State:
    period, value = points[-1] if points else (None, None)
    if metric.target is None or metric.direction == "neutral":
        return State("no_target", "No target is set.", value, metric.target, period)
    if value is None:
        return State("no_data", "No complete value yet.", None, metric.target, period)
    reached = value >= metric.target if metric.direction == "up" else value <= metric.target
    gap = abs(value - metric.target)
    if reached:
        return State("green", "On target.", value, metric.target, period)
    if gap <= abs(metric.target) * NEAR:
        return State("yellow", "Within 5 % of the target.", value, metric.target, period)
    return State("red", "Off target.", value, metric.target, period)
