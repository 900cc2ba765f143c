"""Daily runs: every live metric is extended as rows arrive, and late periods are computed again."""

from datetime import date, timedelta

import structlog
from django.db import transaction

from catalog.models import Metric, Resolution
from core import clock
from core.errors import EtalonError
from measurement.choices import PASSING, UNFINISHED, BackfillStatus, Purpose
from measurement.closures import calendar_of, days_that_may_move, measured_datasets
from measurement.models import Backfill, Series
from measurement.plans import TargetPlan, target_of_resolution
from measurement.selectors.official import lines_of
from measurement.services.arrivals import arrival_of
from measurement.services.backfills import plan_backfill, source_of

log = structlog.get_logger()

# After a daily run has failed, the next one waits; what is wrong is seldom mended in minutes.
WAIT_AFTER_FAILURE = timedelta(hours=1)


def extend_live_metrics() -> list[Backfill]:
    """Plan what has to be computed because rows arrived or a day began. Twice plans once."""
    planned = []
    metrics = Metric.objects.live().exclude(served_resolution=None).order_by("pk")
    for metric in metrics.select_related("served_resolution__version"):
        for resolution in kept_resolutions(metric):
            try:
                run = plan_daily(metric, resolution)
            except EtalonError as error:
                # One source that is away must not keep the others' metrics from their rows.
                log.warning("daily_run_not_planned", metric=metric.key, error=error.message)
                continue
            planned += [run] if run else []
    return planned


def kept_resolutions(metric: Metric) -> list[Resolution]:
    """What must go on being computed: what is served, which may take effect only later; what is
    the official line today; and the older line while both are kept."""
    lines = lines_of(metric, as_of=None, today=clock.today())
    ends = [line[-1].resolution for line in (lines.now, lines.second) if line]
    served = [metric.served_resolution] if metric.served_resolution else []
    found = {one.hash: one for one in [*served, *ends]}
    return list(found.values())


def plan_daily(metric: Metric, resolution: Resolution) -> Backfill | None:
    """Plan a daily run of one resolution, or None when nothing has come since the last."""
    target = target_of_resolution(resolution)
    covered = _covered_until(target)
    if covered is None:
        return None
    source = source_of(target)
    calendar = calendar_of(target.key, target.specs)
    today = clock.today(calendar.zone)
    until = today + timedelta(days=1)
    back = timedelta(days=days_that_may_move(target.key, target.specs))
    start = max(source.first_day, min(covered - timedelta(days=1), today) - back)
    if start >= until or _must_wait(target):
        return None
    # The source is asked before anything is locked, and over days that do not depend on the run.
    measured = measured_datasets(target.specs)
    arrived = arrival_of(measured, today - back, until, now=clock.now())
    with transaction.atomic():
        Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
        if _must_wait(target):
            return None
        if covered >= until and arrived == _last_arrival(target):
            return None
        return plan_backfill(
            [target],
            purpose=Purpose.DAILY,
            actor=None,
            start=start,
            until=until,
            via="worker",
            noted={"arrival": arrived},
        )


def _covered_until(target: TargetPlan) -> date | None:
    """Until when all series of a target have been computed; None before its first run."""
    found = Series.objects.filter(
        resolution_hash=target.resolution_hash, grain__in=target.wanted_grains
    ).values_list("until", flat=True)
    days = [day for day in found if day is not None]
    return min(days, default=None) if len(days) == len(found) else None


def _runs(target: TargetPlan):
    return Backfill.objects.filter(targets__resolution_hash=target.resolution_hash).exclude(
        purpose__in=PASSING
    )


def _must_wait(target: TargetPlan) -> bool:
    runs = _runs(target)
    if runs.filter(status__in=UNFINISHED).exists():
        return True
    last = runs.filter(purpose=Purpose.DAILY).order_by("-pk").first()
    return (
        last is not None
        and last.status == BackfillStatus.FAILED
        and clock.now() - last.created_at < WAIT_AFTER_FAILURE
    )


def _last_arrival(target: TargetPlan) -> dict | None:
    done = _runs(target).filter(purpose=Purpose.DAILY, status=BackfillStatus.DONE)
    last = done.order_by("-pk").first()
    return last.result.get("arrival") if last else None
