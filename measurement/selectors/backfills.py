"""The list of runs, and how far one of them has come."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Now

from catalog.models import Metric
from measurement.choices import PASSING, UNFINISHED, BackfillStatus, Purpose, WindowState
from measurement.models import Backfill, BackfillTarget, BackfillWindow

# Due work that nobody has taken for this long means that no worker listens.
UNHEARD = timedelta(seconds=60)

_SO_FAR = """
WITH pair AS (
    SELECT row.period, old.value AS old, row.value AS new,
           100 * (row.value - old.value) / abs(nullif(old.value, 0)) AS pct
    FROM measurement_stagedvalue row
    JOIN measurement_backfilltarget target ON target.id = row.target_id
    JOIN catalog_metric metric ON metric.entry_ptr_id = target.metric_id
    JOIN catalog_resolution served ON served.id = metric.served_resolution_id
    JOIN measurement_series series ON series.resolution_hash =
             CASE WHEN %(is_new)s THEN served.hash ELSE target.resolution_hash END
         AND series.grain = row.grain AND series.dimension = row.dimension
    JOIN measurement_slice slice ON slice.dimension = row.dimension
         AND coalesce(slice.member, '') = coalesce(row.member, '')
         AND (slice.member IS NULL) = (row.member IS NULL)
    JOIN measurement_observation old ON old.series_id = series.id AND old.slice_id = slice.id
         AND old.period = row.period AND old.known_until IS NULL
    WHERE row.backfill_id = %(backfill)s
)
SELECT count(*), count(*) FILTER (WHERE old IS DISTINCT FROM new),
       (array_agg(pct ORDER BY abs(pct) DESC NULLS LAST))[1],
       (array_agg(period ORDER BY abs(pct) DESC NULLS LAST))[1]
FROM pair
"""


@dataclass(frozen=True)
class Progress:
    """Counts of windows by state, the rate, and when the run will probably end."""

    total: int
    done: int
    running: int
    due: int
    parked: int
    staged_rows: int
    source_rows: int
    rows_per_second: float | None
    eta_seconds: float | None
    waits_until: datetime | None
    is_waiting_for_worker: bool

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class Difference:
    """What the staged values would move, among those that readers see now."""

    compared: int
    moved: int
    widest_pct: Decimal | None
    widest_period: date | None


@dataclass(frozen=True)
class RunRow:
    """A run in a list: what it computes, and how many of its windows are done."""

    run: Backfill
    keys: list[str]
    done: int
    total: int


def runs_page(
    *,
    statuses: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    metrics: Collection[int] | None = None,
    before: int | None = None,
    limit: int,
) -> tuple[list[RunRow], int | None]:
    """Runs, newest first, and where the next page begins. What is None does not narrow it."""
    found = Backfill.objects.order_by("-pk")
    if statuses is not None:
        found = found.filter(status__in=statuses)
    if purposes is not None:
        found = found.filter(purpose__in=purposes)
    if metrics is not None:
        of_metrics = BackfillTarget.objects.filter(metric__in=metrics)
        found = found.filter(pk__in=of_metrics.values("backfill_id"))
    if before is not None:
        found = found.filter(pk__lt=before)
    runs = list(found.prefetch_related("targets")[: limit + 1])
    shown = runs[:limit]
    # Of the page alone: all windows of all runs are far more.
    windows = BackfillWindow.objects.filter(backfill__in=shown).values("backfill_id").order_by()
    counts = {
        backfill_id: (done, total)
        for backfill_id, done, total in windows.annotate(
            done=Count("pk", filter=Q(state=WindowState.DONE)), total=Count("pk")
        ).values_list("backfill_id", "done", "total")
    }
    rows = [
        RunRow(run, sorted({one.key for one in run.targets.all()}), *counts.get(run.pk, (0, 0)))
        for run in shown
    ]
    return rows, shown[-1].pk if len(runs) > limit else None


def progress_of(backfill: Backfill) -> Progress:
    windows = backfill.windows
    counts = windows.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=WindowState.DONE)),
        parked=Count("pk", filter=Q(state=WindowState.PARKED)),
        leased=Count("pk", filter=Q(state=WindowState.LEASED, lease_until__gte=Now())),
        staged=Sum("staged_rows"),
        rows=Sum("source_rows"),
        rows_done=Sum("source_rows", filter=Q(state=WindowState.DONE)),
        seconds=Sum("seconds", filter=Q(state=WindowState.DONE)),
        waits=Min("due_at", filter=Q(state=WindowState.DUE, due_at__gt=Now())),
    )
    left = counts["total"] - counts["done"] - counts["parked"]
    rate = eta = None
    if counts["done"] and counts["seconds"]:
        rate = (counts["rows_done"] or 0) / counts["seconds"] or None
        eta = counts["seconds"] / counts["done"] * left / max(1, counts["leased"])
    return Progress(
        total=counts["total"],
        done=counts["done"],
        running=counts["leased"],
        due=left - counts["leased"],
        parked=counts["parked"],
        staged_rows=counts["staged"] or 0,
        source_rows=counts["rows"] or 0,
        rows_per_second=rate,
        eta_seconds=eta if left else None,
        waits_until=counts["waits"] if not counts["leased"] else None,
        is_waiting_for_worker=_is_unheard(backfill, counts["leased"]),
    )


def _is_unheard(backfill: Backfill, leased: int) -> bool:
    """Whether due work has lain for long enough to say that no worker has come for it."""
    if leased or backfill.status not in (BackfillStatus.PLANNED, BackfillStatus.RUNNING):
        return False
    due = backfill.windows.due()
    if not due.exists():
        # Planned and never begun.
        long_ago = Backfill.objects.filter(pk=backfill.pk, created_at__lt=Now() - UNHEARD)
        return backfill.status == BackfillStatus.PLANNED and long_ago.exists()
    lies = due.filter(due_at__lt=Now() - UNHEARD).exists()
    return lies and not backfill.windows.filter(done_at__gte=Now() - UNHEARD).exists()


def windows_of(backfill: Backfill) -> list[BackfillWindow]:
    return list(backfill.windows.order_by("position"))


def difference_so_far(backfill: Backfill) -> Difference:
    """A new version against what is served; what is computed again against its own values."""
    is_new = backfill.purpose in (Purpose.PUBLISH, Purpose.PREVIEW)
    with connection.cursor() as cursor:
        cursor.execute(_SO_FAR, {"backfill": backfill.pk, "is_new": is_new})
        return Difference(*cursor.fetchone())


def open_backfills(metric: Metric) -> list[Backfill]:
    """The runs that will change what readers of a metric see."""
    found = Backfill.objects.filter(targets__metric=metric, status__in=UNFINISHED)
    return list(found.exclude(purpose__in=PASSING).distinct())
