"""Daily runs: every live metric is extended as rows arrive, and late periods are computed again.

All metrics are looked at together: what they serve, how far they reach and what ran last are a
query each, and each dataset is asked once what it has. What stands on the same datasets and lacks
the same days becomes one run, which reads their rows once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import connection, transaction

from catalog.models import Metric, Resolution
from catalog.selectors.entries import specs_of
from core import clock
from core.errors import EtalonError, SourceUnavailable
from measurement.choices import PASSING, UNFINISHED, Purpose
from measurement.closures import (
    calendar_of,
    dated_datasets,
    days_that_may_move,
    measured_datasets,
    root_dataset,
)
from measurement.models import Backfill, Source
from measurement.plans import TargetPlan, target_of_resolution
from measurement.selectors.official import lines_now
from measurement.services import checks
from measurement.services.arrivals import Arrivals
from measurement.services.backfills import plan_backfill
from semantics.definition import DatasetSpec

log = structlog.get_logger()

# After a daily run has failed, the next one waits; what is wrong is seldom mended in minutes.
WAIT_AFTER_FAILURE = timedelta(hours=1)


@dataclass(frozen=True)
class _Past:
    """What ran before for one resolution."""

    is_running: bool = False
    failed_at: datetime | None = None
    # The failed run computed other metrics too; which of them was to blame is not known.
    failed_together: bool = False
    arrival: dict | None = None

    @property
    def must_wait(self) -> bool:
        if self.is_running:
            return True
        return (
            self.failed_at is not None
            and not self.failed_together
            and clock.now() - self.failed_at < WAIT_AFTER_FAILURE
        )


@dataclass(frozen=True)
class _Wish:
    """One resolution with the days that a run of it would compute."""

    target: TargetPlan
    past: _Past
    covered: date
    start: date
    until: date
    # What has arrived is compared over days that do not depend on the run.
    look_from: date

    @property
    def key(self) -> tuple:
        """Wishes of the same key are computed by one run: they read the same rows, and a check
        that holds one holds them all. What failed together is tried alone."""
        specs = self.target.specs
        alone = self.target.resolution_hash if self.past.failed_together else ""
        calendar = calendar_of(self.target.key, specs)
        source = root_dataset(self.target.key, specs).source
        return (source, calendar, frozenset(dated_datasets(specs)), self.start, self.until, alone)


def extend_live_metrics() -> list[Backfill]:
    """Plan what has to be computed because rows arrived or a day began. Twice plans once."""
    sources = {source.key: source for source in Source.objects.all()}
    wishes = list(_wishes(kept_targets(), sources))
    arrivals = Arrivals(sources, clock.now())
    for wish in wishes:
        for hash_, dataset in _measured(wish.target).items():
            arrivals.want(hash_, dataset, wish.look_from, wish.until)
    together: dict[tuple, list[tuple[_Wish, dict]]] = {}
    for wish in wishes:
        arrived = _arrived(wish, arrivals)
        if arrived is not None and (wish.covered < wish.until or arrived != wish.past.arrival):
            together.setdefault(wish.key, []).append((wish, arrived))
    planned = (_plan(group) for group in together.values())
    return [run for run in planned if run is not None]


def kept_targets() -> list[TargetPlan]:
    """What must go on being computed: what is served, which may take effect only later; what is
    the official line today; and the older line while both are kept."""
    metrics = list(
        Metric.objects.live()
        .exclude(served_resolution=None)
        .select_related("served_resolution__version", "served_resolution__metric")
        .order_by("pk")
    )
    lines = lines_now(metrics, today=clock.today())
    found: dict[str, Resolution] = {}
    for metric in metrics:
        shown = (lines[metric.pk].now, lines[metric.pk].second)
        ends = [line[-1].resolution for line in shown if line]
        for resolution in [metric.served_resolution, *ends]:
            if resolution.hash not in found:
                resolution.metric = metric
                found[resolution.hash] = resolution
    specs_of(pin["definition"] for one in found.values() for pin in one.pins)
    return [target_of_resolution(resolution) for resolution in found.values()]


def _wishes(targets: Sequence[TargetPlan], sources: dict[str, Source]) -> Iterable[_Wish]:
    reach = _reach(target.resolution_hash for target in targets)
    pasts = _pasts(target.resolution_hash for target in targets)
    for target in targets:
        covered = reach.get(target.resolution_hash)
        past = pasts.get(target.resolution_hash, _Past())
        source = sources.get(root_dataset(target.key, target.specs).source)
        if covered is None or source is None or past.must_wait:
            continue
        today = clock.today(calendar_of(target.key, target.specs).zone)
        until = today + timedelta(days=1)
        back = timedelta(days=days_that_may_move(target.key, target.specs))
        start = max(source.first_day, min(covered - timedelta(days=1), today) - back)
        if start < until:
            yield _Wish(target, past, covered, start, until, today - back)


def _measured(target: TargetPlan) -> dict[str, DatasetSpec]:
    """The datasets that a target counts, by their definitions' hashes."""
    measured = measured_datasets(target.specs)
    return {target.definition_hashes[key]: dataset for key, dataset in measured.items()}


def _arrived(wish: _Wish, arrivals: Arrivals) -> dict[str, list] | None:
    """What a target's datasets have, by their keys; None when a source cannot be asked, which its
    metrics then say."""
    found = {}
    for key in measured_datasets(wish.target.specs):
        hash_ = wish.target.definition_hashes[key]
        try:
            found[key] = arrivals.of(hash_, wish.look_from, wish.until)
        except EtalonError as error:
            # One source that is away must not keep the others' metrics from their rows.
            log.warning("daily_run_not_planned", metric=wish.target.key, error=error.message)
            checks.note_away(key, error)
            return None
    return found


def _plan(group: list[tuple[_Wish, dict]]) -> Backfill | None:
    """Plan one run of what is still free when its metrics are locked."""
    with transaction.atomic():
        metrics = [wish.target.metric.pk for wish, _ in group if wish.target.metric]
        # In one order, so that planners never wait for each other in a ring.
        locked = Metric.objects.filter(pk__in=metrics).order_by("pk")
        list(locked.select_for_update(of=("self",)).values_list("pk"))
        pasts = _pasts(wish.target.resolution_hash for wish, _ in group)
        free = [
            (wish, arrived)
            for wish, arrived in group
            if pasts.get(wish.target.resolution_hash, _Past()) == wish.past
        ]
        if not free:
            return None
        try:
            return plan_backfill(
                [wish.target for wish, _ in free],
                purpose=Purpose.DAILY,
                actor=None,
                start=free[0][0].start,
                until=free[0][0].until,
                via="worker",
                noted={
                    "arrivals": {wish.target.resolution_hash: arrived for wish, arrived in free}
                },
            )
        except SourceUnavailable as error:
            log.warning("daily_run_not_planned", error=error.message)
            return None


_REACH = """
SELECT resolution_hash, min(until) FROM measurement_series WHERE resolution_hash = ANY(%s)
GROUP BY resolution_hash HAVING count(*) = count(until)
"""
_PASTS = """
SELECT asked.hash, running.found, last.failed_at, last.together, done.arrival
FROM unnest(%(hashes)s::text[]) AS asked(hash)
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT 1 FROM measurement_backfilltarget target
        JOIN measurement_backfill run ON run.id = target.backfill_id
        WHERE target.resolution_hash = asked.hash AND run.status = ANY(%(unfinished)s)
          AND run.purpose <> ALL(%(passing)s)
    ) AS found
) running
LEFT JOIN LATERAL (
    SELECT CASE WHEN run.status = 'failed' THEN run.created_at END AS failed_at,
           run.status = 'failed' AND EXISTS (
               SELECT 1 FROM measurement_backfilltarget other
               WHERE other.backfill_id = run.id AND other.id <> target.id
           ) AS together
    FROM measurement_backfilltarget target
    JOIN measurement_backfill run ON run.id = target.backfill_id
    WHERE target.resolution_hash = asked.hash AND run.purpose = 'daily'
    ORDER BY run.id DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT run.result -> 'arrivals' -> target.resolution_hash AS arrival
    FROM measurement_backfilltarget target
    JOIN measurement_backfill run ON run.id = target.backfill_id
    WHERE target.resolution_hash = asked.hash AND run.purpose = 'daily' AND run.status = 'done'
    ORDER BY run.id DESC LIMIT 1
) done ON true
"""


def _reach(hashes: Iterable[str]) -> dict[str, date]:
    """Until when all series of each resolution have been computed; those that never ran are not
    among them."""
    with connection.cursor() as cursor:
        cursor.execute(_REACH, [list(hashes)])
        return dict(cursor.fetchall())


def _pasts(hashes: Iterable[str]) -> dict[str, _Past]:
    values: dict[str, list[str]] = {
        "hashes": list(hashes),
        "unfinished": list(UNFINISHED),
        "passing": list(PASSING),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PASTS, values)
        return {
            hash_: _Past(is_running, failed_at, bool(together), arrival and json.loads(arrival))
            for hash_, is_running, failed_at, together, arrival in cursor.fetchall()
        }
