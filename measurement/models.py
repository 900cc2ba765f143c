from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from catalog.models import Dataset, Metric, Resolution
from measurement.choices import (
    BackfillStatus,
    CheckKind,
    Outcome,
    Purpose,
    SourceKind,
    WindowState,
)

NUMERIC: dict[str, Any] = {"max_digits": 38, "decimal_places": 12, "null": True}


class Source(models.Model):
    """A connection to a warehouse, read-only. Credentials are named here and kept elsewhere.

    Datasets name a source by its key. `config` is what the driver of its kind asks for.
    """

    key = models.CharField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=SourceKind)
    description = models.TextField(blank=True)
    attribution = models.TextField(blank=True)
    config = models.JSONField(default=dict)
    time_limit_seconds = models.PositiveIntegerField(default=120)
    first_day = models.DateField(help_text="The first day that backfills reach back to.")

    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class TableLook(models.Model):
    """One look into a source, by a worker: which columns a table has now.

    A person who describes a table as a dataset waits for it. It is no record of the source:
    nothing points at it, and it is removed when nobody reads it any more.
    """

    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    table = models.CharField(max_length=200)
    # {"columns": [[name, type at the source], …], "tables": those there are, if it is none of
    # them}; None until a worker has looked.
    found = models.JSONField(null=True)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    def __str__(self):
        return f"{self.source_id}: {self.table}"


class Backfill(models.Model):
    """The plan to compute one or several resolutions over a range, and how far it has come.

    Previews, daily runs and the backfill of a new version are all rows of this table. Values
    are staged under the row and switched in at once, or never. All windows see the source as of
    `created_at`, so that a run that is killed and resumed ends as an undisturbed one does.
    """

    purpose = models.CharField(max_length=8, choices=Purpose)
    status = models.CharField(max_length=10, choices=BackfillStatus, default=BackfillStatus.PLANNED)
    start = models.DateField()
    until = models.DateField(help_text="The first day that is not computed any more.")
    reason = models.CharField(max_length=300, blank=True)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=160)
    error = models.TextField(blank=True)
    # A preview of equal definitions over equal options is one row; see `services.previews`.
    fingerprint = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    checksum = models.CharField(max_length=64, blank=True)
    # A steward let it go on although a check failed.
    checks_waived = models.BooleanField(default=False)
    result = models.JSONField(
        default=dict, help_text="Rows, moved values, and a preview's figures."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="measurement_backfill_range", condition=Q(until__gt=F("start"))
            ),
            models.CheckConstraint(
                name="measurement_backfill_status_known",
                condition=Q(status__in=BackfillStatus.values),
            ),
        ]
        indexes = [
            # The sweep: what is not finished.
            models.Index(
                fields=["status"],
                condition=Q(status__in=["planned", "running"]),
                name="measurement_backfill_open",
            ),
        ]

    def __str__(self):
        return f"Backfill {self.pk}"

    @property
    def last_day(self) -> date:
        """The range as people say it: `until` is the day after."""
        return self.until - timedelta(days=1)


class BackfillTarget(models.Model):
    """One metric that a backfill computes, by one resolution, at some grains and dimensions.

    `label` tells the targets of a preview apart (`old`, `new`). The metric is empty while it
    exists in a proposal only.
    """

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="targets")
    metric = models.ForeignKey(Metric, models.CASCADE, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=63)
    label = models.CharField(max_length=8, blank=True)
    resolution_hash = models.CharField(max_length=64)
    definitions = models.JSONField(help_text="key -> hash of every definition of the closure.")
    grains = models.JSONField()
    dimensions = models.JSONField(help_text="Single dimensions beside the total.")

    class Meta:
        ordering = ["pk"]
        indexes = [
            # What ran before for a resolution: asked for all metrics each time rows may have come.
            models.Index(fields=["resolution_hash"], name="measurement_target_resolution"),
        ]

    def __str__(self):
        return f"{self.key} {self.label}".strip()


class BackfillWindowQuerySet(models.QuerySet):
    def unfinished(self):
        return self.exclude(state=WindowState.DONE)

    def due(self):
        """What a worker could take now, by the database's clock: due, or its lease has run out."""
        return self.filter(
            Q(state=WindowState.DUE, due_at__lte=Now())
            | Q(state=WindowState.LEASED, lease_until__lt=Now())
        )


class BackfillWindow(models.Model):
    """A piece of a backfill that is computed by one query a question and staged at once.

    Whoever computes it holds a lease and a fencing token; a writer whose token is no longer
    the row's is refused. Lease times are the database's.
    """

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="windows")
    position = models.PositiveIntegerField()
    start = models.DateField()
    until = models.DateField()
    source_rows = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=WindowState, default=WindowState.DUE)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    staged_rows = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = BackfillWindowQuerySet.as_manager()

    class Meta:
        ordering = ["backfill", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["backfill", "position"], name="measurement_backfillwindow_position_once"
            ),
        ]

    def __str__(self):
        return f"{self.start} – {self.until}"

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)


class Slice(models.Model):
    """One member of one dimension; the total is the member of the dimension named ``.

    A missing member is a row whose `member` is null.
    """

    dimension = models.CharField(max_length=190)
    member = models.TextField(null=True)  # noqa: DJ001 - a missing member differs from an empty one

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "member"], nulls_distinct=False, name="measurement_slice_once"
            ),
        ]

    def __str__(self):
        return f"{self.dimension}={self.member}"


class Series(models.Model):
    """The values of one resolution at one grain for the total or for one dimension.

    Runs have computed it from `start` up to `until`; periods that end after `complete_until` may
    still get rows.
    """

    resolution_hash = models.CharField(max_length=64)
    grain = models.CharField(max_length=8)
    dimension = models.CharField(max_length=190, blank=True)
    start = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    complete_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(
                fields=["resolution_hash", "grain", "dimension"], name="measurement_series_once"
            ),
        ]

    def __str__(self):
        return f"{self.resolution_hash[:8]} {self.grain} {self.dimension}"


class Observation(models.Model):
    """One value that was known from one instant of record time to another.

    A restatement closes the row and adds another; rows are never changed otherwise. Both
    instants are the database's.
    """

    series = models.ForeignKey(Series, models.PROTECT, related_name="observations")
    slice = models.ForeignKey(Slice, models.PROTECT, related_name="+")
    period = models.DateField(help_text="The first day of the period.")
    value = models.DecimalField(**NUMERIC)
    numerator = models.DecimalField(**NUMERIC)
    denominator = models.DecimalField(**NUMERIC)
    backfill = models.ForeignKey(Backfill, models.PROTECT, related_name="+")
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "slice", "period"],
                condition=Q(known_until=None),
                name="measurement_observation_one_current",
            ),
            models.CheckConstraint(
                name="measurement_observation_known_in_order",
                condition=Q(known_until=None) | Q(known_until__gt=F("known_from")),
            ),
        ]
        indexes = [
            # Reading a series over a range, as of an instant.
            models.Index(fields=["series", "period"], name="measurement_observation_read"),
        ]

    def __str__(self):
        return f"{self.period} {self.value}"


class Served(models.Model):
    """From `since` on, by the database's clock, readers of a metric were shown a resolution."""

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="served")
    resolution = models.ForeignKey(Resolution, models.PROTECT, related_name="+")
    backfill = models.ForeignKey(Backfill, models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "served"
        indexes = [
            # What was shown as of an instant.
            models.Index(fields=["metric", "-since"], name="measurement_served_as_of"),
        ]

    def __str__(self):
        return f"{self.resolution} since {self.since:%Y-%m-%d %H:%M}"


class StagedValue(models.Model):
    """A value that a window computed and that nobody reads yet, except as a preview.

    Plain columns without foreign keys: rows come by COPY and go with their backfill. A live
    question over several dimensions names them with commas; its member is a JSON list.
    """

    backfill_id = models.BigIntegerField()
    window_id = models.BigIntegerField()
    target_id = models.BigIntegerField()
    grain = models.CharField(max_length=8)
    dimension = models.CharField(max_length=800)
    member = models.TextField(null=True)  # noqa: DJ001 - a missing member differs from an empty one
    period = models.DateField()
    value = models.DecimalField(**NUMERIC)
    numerator = models.DecimalField(**NUMERIC)
    denominator = models.DecimalField(**NUMERIC)

    class Meta:
        indexes = [
            models.Index(fields=["backfill_id", "window_id"], name="measurement_stagedvalue_run")
        ]

    def __str__(self):
        return f"{self.period} {self.value}"


class Check(models.Model):
    """A rule that a dataset's rows must meet before a run may switch values in."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=10, choices=CheckKind)
    parameters = models.JSONField(default=dict)
    is_blocking = models.BooleanField(default=True)
    # Since when somebody wants it run, whatever its interval says; a run takes that away.
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["asked_at"])

    class Meta:
        ordering = ["dataset", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "kind"], name="measurement_check_once"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} of {self.dataset}"


class CheckRun(models.Model):
    """What came of one run of a check, with the figure met and the band it should lie in."""

    check_rule = models.ForeignKey(Check, models.CASCADE, related_name="runs")
    # The day whose rows were looked at: one result a check and day and hour slot.
    day = models.DateField()
    ran_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    measured = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    message = models.CharField(max_length=400)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # The latest outcome of a check.
            models.Index(fields=["check_rule", "-ran_at"], name="measurement_checkrun_latest"),
        ]

    def __str__(self):
        return f"{self.outcome}: {self.message}"
