from datetime import date

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from simple_history.models import HistoricalRecords

from accounts.models import Domain
from catalog.choices import EdgeKind, Kind, Lifecycle, MetricRole, OwnershipRole, Tier, Treatment


class Definition(models.Model):
    """One immutable typed spec, named by the SHA-256 of its canonical form.

    Proposals, versions and series all point here, so that work on equal specs is shared.
    Insert-only.
    """

    hash = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    spec = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.hash[:12]


class EntryQuerySet(models.QuerySet):
    """Named questions about what the catalog holds."""

    def live(self):
        """What may be used today: active, or deprecated but not yet gone."""
        return self.filter(lifecycle__in=[Lifecycle.ACTIVE, Lifecycle.DEPRECATED])

    def without_owner(self):
        return self.exclude(ownerships__role=OwnershipRole.OWNER)

    def with_version_on(self, day: date):
        """Annotate `version_on_id`: the version in force on `day`, or None.

        Of two versions effective on the same day the later published wins.
        """
        in_force = (
            Version.objects.filter(entry=OuterRef("pk"), effective_from__lte=day)
            .order_by("-effective_from", "-number")
            .values("pk")[:1]
        )
        return self.annotate(version_on_id=Subquery(in_force))


class Entry(models.Model):
    """A lasting name in the catalog: what metrics, datasets and segments have in common.

    What it means at a given time is said by a `Version`. Keys are unique over all kinds, so a
    formula that names one cannot be misread. Words shown on the card are those of the current
    version; stewardship has row history here.
    """

    key = models.CharField(max_length=63, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    name = models.CharField(max_length=120)
    description = models.TextField(
        blank=True, help_text="One sentence that a newcomer understands."
    )
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="entries")
    tier = models.PositiveSmallIntegerField(choices=Tier, default=Tier.THREE)
    lifecycle = models.CharField(max_length=12, choices=Lifecycle, default=Lifecycle.PROPOSED)
    # Of what is deprecated: the last day on which it may be used, and what to use in its place.
    last_day = models.DateField(null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    tags = models.JSONField(default=list, blank=True)
    synonyms = models.JSONField(default=list, blank=True)
    current_version = models.OneToOneField(
        "Version", models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Grows with every change of the row or of what hangs on it; readers' ETag.
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Written by `services.versions`, never by saving a card.
    search = SearchVectorField(null=True, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            # The catalog's search, its facet of tags, and its pages in their lasting orders.
            GinIndex(fields=["search"], name="catalog_entry_search"),
            GinIndex(fields=["tags"], name="catalog_entry_tags"),
            models.Index(fields=["name", "id"], name="catalog_entry_by_name"),
            models.Index(fields=["-changed_at", "-id"], name="catalog_entry_by_change"),
        ]
        constraints = [
            models.CheckConstraint(
                name="catalog_entry_kind_known", condition=Q(kind__in=Kind.values)
            ),
            models.CheckConstraint(
                name="catalog_entry_tier_known", condition=Q(tier__in=Tier.values)
            ),
            # Something live without a meaning could be shown but never computed.
            models.CheckConstraint(
                name="catalog_entry_live_has_version",
                condition=Q(lifecycle=Lifecycle.PROPOSED) | Q(current_version__isnull=False),
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def shown(self) -> "Version":
        """The version in force, for code that only what was published can reach."""
        if self.current_version is None:
            raise TypeError(f"{self.key} was never published.")
        return self.current_version


class Metric(Entry):
    """A number that people have agreed to name, own and compute one way.

    It has no formula of its own, only the version in force. The columns here are what the
    catalog filters by; all words are in the version.
    """

    role = models.CharField(max_length=12, choices=MetricRole, blank=True)
    is_kpi = models.BooleanField(default=False)
    timing = models.CharField(max_length=8, blank=True)
    category = models.CharField(max_length=10, blank=True)
    stage = models.CharField(max_length=12, blank=True)
    direction = models.CharField(max_length=8, default="neutral")
    target = models.DecimalField(max_digits=24, decimal_places=6, null=True, blank=True)
    target_until = models.DateField(null=True, blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    current_resolution = models.ForeignKey(
        "Resolution", models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What readers are shown. It follows `current_resolution` when a backfill switches.
    served_resolution = models.ForeignKey(
        "Resolution", models.PROTECT, null=True, blank=True, related_name="+"
    )

    history = HistoricalRecords(excluded_fields=["search"])


class Dataset(Entry):
    """A table or query of a source with its entities, dimensions and time."""

    history = HistoricalRecords(excluded_fields=["search"])


class Segment(Entry):
    """A named, governed filter that definitions refer to."""

    history = HistoricalRecords(excluded_fields=["search"])


class Version(models.Model):
    """`key@n`: what an entry means from a day on. Immutable.

    No row exists without an approved change request; governance installs the trigger that
    demands it.
    """

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.ForeignKey(Definition, models.PROTECT, related_name="versions")
    words = models.JSONField()
    change_class = models.CharField(max_length=12)
    effective_from = models.DateField(help_text="A day in the dataset's zone.")
    published_at = models.DateTimeField()
    # The database's clock; `published_at` may be a simulated instant.
    recorded_at = models.DateTimeField()
    published_by_label = models.CharField(max_length=160)
    treatment = models.CharField(max_length=10, choices=Treatment, blank=True)
    keep_both_until = models.DateField(null=True, blank=True)
    comparability = models.JSONField(
        default=dict, help_text="What the change did to the past: figures and the headline."
    )

    class Meta:
        ordering = ["entry", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "number"], name="catalog_version_number_once"),
            models.CheckConstraint(
                name="catalog_version_restating_says_how",
                condition=~Q(change_class="restating") | ~Q(treatment=""),
            ),
        ]

    def __str__(self):
        return f"{self.entry.key}@{self.number}"


class Resolution(models.Model):
    """The frozen set of `key@n` that one metric stands on. Insert-only.

    Its `hash` covers the definitions of the closure, and names the metric's series: two
    resolutions with the same hash have the same values. When only a dataset changes, the
    metrics above it get a new resolution and no new version.
    """

    metric = models.ForeignKey(Metric, models.PROTECT, related_name="resolutions")
    version = models.ForeignKey(Version, models.PROTECT, related_name="resolutions")
    number = models.PositiveIntegerField()
    hash = models.CharField(max_length=64, db_index=True)
    pins = models.JSONField(help_text='[{"key", "number", "definition"}] of the whole closure.')
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["metric", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "number"], name="catalog_resolution_number_once"
            ),
        ]

    def __str__(self):
        return f"{self.version} ({self.hash[:8]})"


class LineageEdge(models.Model):
    """`downstream` is computed from `upstream`, by its current version."""

    downstream = models.ForeignKey(Entry, models.CASCADE, related_name="upstream_edges")
    upstream = models.ForeignKey(Entry, models.CASCADE, related_name="downstream_edges")
    how = models.CharField(max_length=40)
    columns = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["downstream", "upstream", "how"], name="catalog_lineageedge_once"
            ),
            models.CheckConstraint(
                name="catalog_lineageedge_no_loop", condition=~Q(downstream=F("upstream"))
            ),
        ]

    def __str__(self):
        return f"{self.upstream_id} → {self.downstream_id}"


class HierarchyEdge(models.Model):
    """A link of the tree from north star to inputs, or from a guardrail to what it guards."""

    parent = models.ForeignKey(Metric, models.CASCADE, related_name="child_edges")
    child = models.ForeignKey(Metric, models.CASCADE, related_name="parent_edges")
    kind = models.CharField(max_length=10, choices=EdgeKind)
    sign = models.SmallIntegerField(default=1)
    lag_days = models.PositiveSmallIntegerField(null=True, blank=True)
    strength = models.CharField(max_length=40, blank=True)
    evidence = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "child", "kind"], name="catalog_hierarchyedge_once"
            ),
            models.CheckConstraint(
                name="catalog_hierarchyedge_no_loop", condition=~Q(parent=F("child"))
            ),
        ]

    def __str__(self):
        return f"{self.child_id} → {self.parent_id}"


class Ownership(models.Model):
    """Who answers for an entry."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="ownerships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="ownerships")
    role = models.CharField(max_length=8, choices=OwnershipRole)

    history = HistoricalRecords()

    class Meta:
        ordering = ["role", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "user", "role"], name="catalog_ownership_once"
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.get_role_display().lower()}"


class Follow(models.Model):
    """A person wants to be told of what happens to a metric."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="follows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "entry"], name="catalog_follow_once"),
        ]

    def __str__(self):
        return f"{self.user_id} follows {self.entry_id}"


class Sla(models.Model):
    """What was promised about a metric's freshness. Whether it was kept is measured elsewhere."""

    metric = models.OneToOneField(Metric, models.CASCADE, related_name="sla")
    due_time = models.TimeField(help_text="By when yesterday's value is there.")
    time_zone = models.CharField(max_length=60, default="UTC")
    max_delay_hours = models.PositiveSmallIntegerField(default=24)
    objective_percent = models.DecimalField(max_digits=5, decimal_places=2, default=99)

    history = HistoricalRecords()

    def __str__(self):
        return f"by {self.due_time:%H:%M} {self.time_zone}"
