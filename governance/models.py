from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import Domain
from catalog.choices import Kind
from catalog.models import Entry, Version
from governance.choices import OPEN, PublishWhen, Status, Verdict


class ApprovalPolicy(models.Model):
    """Who must agree to a change of one class on one tier; a domain's own row comes first.

    A missing row is never zero approvals: such a request cannot be published. Zero is an
    explicit row. The row in force is copied onto a request when it is submitted.
    """

    change_class = models.CharField(max_length=12)
    tier = models.PositiveSmallIntegerField()
    is_new = models.BooleanField(default=False, help_text="For metrics that do not exist yet.")
    domain = models.ForeignKey(Domain, models.CASCADE, null=True, blank=True)
    approvals = models.PositiveSmallIntegerField()
    stewards = models.PositiveSmallIntegerField(
        default=0, help_text="How many of the approvals must be a steward's."
    )
    owner_counts_as_steward = models.BooleanField(
        default=False, help_text="An owner of the metric may stand in for the steward."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["change_class", "tier"]
        verbose_name_plural = "approval policies"
        constraints = [
            models.UniqueConstraint(
                fields=["change_class", "tier", "is_new", "domain"],
                nulls_distinct=False,
                name="governance_approvalpolicy_once",
            ),
            models.CheckConstraint(
                name="governance_approvalpolicy_stewards_within",
                condition=Q(stewards__lte=F("approvals")),
            ),
        ]

    def __str__(self):
        return f"{self.change_class}, tier {self.tier}: {self.approvals} approvals"


class ChangeRequestQuerySet(models.QuerySet):
    """Named questions about change requests."""

    def open(self):
        return self.filter(status__in=OPEN)

    def in_review(self):
        return self.filter(status=Status.IN_REVIEW)

    def about(self, key: str):
        return self.filter(changes__key=key)


class ChangeRequest(models.Model):
    """CR-n: a proposal over one or several metrics, datasets and segments.

    What is proposed is in its draft while it is edited, and in its revisions once submitted.
    An approval counts for the current `revision` alone.
    """

    title = models.CharField(max_length=160)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="change_requests"
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    publish_when = models.CharField(
        max_length=10, choices=PublishWhen, default=PublishWhen.APPROVED
    )
    publish_on = models.DateField(null=True, blank=True)
    revision = models.OneToOneField(
        "Revision", models.PROTECT, null=True, blank=True, related_name="+"
    )
    change_class = models.CharField(max_length=12, blank=True)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closing_reason = models.TextField(blank=True)

    history = HistoricalRecords()
    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # The lists of what is open, and the sweep of what may be ready.
            models.Index(fields=["status", "-id"], name="governance_request_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                name="governance_changerequest_status_known",
                condition=Q(status__in=Status.values),
            ),
            models.CheckConstraint(
                name="governance_changerequest_submitted_has_revision",
                condition=Q(status__in=[Status.DRAFT, Status.WITHDRAWN])
                | Q(revision__isnull=False),
            ),
        ]

    def __str__(self):
        return f"CR-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def submitted(self) -> "Revision":
        """The revision at hand, for code that only what was submitted can reach."""
        if self.revision is None:
            raise TypeError(f"{self} was never submitted.")
        return self.revision

    @property
    def is_in_review(self) -> bool:
        """People may be reading it at this moment, or have agreed to it."""
        return self.status in (Status.IN_REVIEW, Status.SCHEDULED)

    def domains(self) -> list[Domain]:
        """The domains whose people decide: as the revision at hand says, else as the draft does."""
        if self.revision is None:
            items = self.draft.content["items"]
            keys = [item["key"] for item in items]
            named = [item["stewardship"]["domain"] for item in items if item.get("stewardship")]
            about = Entry.objects.filter(key__in=keys).values("domain")
            return list(Domain.objects.filter(Q(key__in=named) | Q(pk__in=about)))
        return list(Domain.objects.filter(pk__in=[n["domain"] for n in self.revision.requirements]))


class Change(models.Model):
    """One item of a request: the entry it is about and, once published, what it became.

    Without a version after the publication it moved the card alone: stewardship or lifecycle.
    """

    request = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="changes")
    key = models.CharField(max_length=63)
    kind = models.CharField(max_length=10, choices=Kind)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, blank=True, related_name="changes")
    version = models.OneToOneField(
        Version, models.PROTECT, null=True, blank=True, related_name="change"
    )
    before = models.JSONField(
        null=True,
        blank=True,
        help_text="Stewardship and lifecycle as they were when it was published, for an undo.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "key"], name="governance_change_key_once"),
        ]
        indexes = [
            # Which requests are about one metric.
            models.Index(fields=["key"], name="governance_change_by_key"),
        ]

    def __str__(self):
        return f"{self.request} {self.key}"

    @property
    def subject(self) -> Entry:
        """The entry of a published change, which has one also when it was new."""
        if self.entry is None:
            raise TypeError(f"{self} is about nothing that is published.")
        return self.entry


class Draft(models.Model):
    """The one mutable working copy of a request. `lock` grows with every save."""

    request = models.OneToOneField(ChangeRequest, models.PROTECT, related_name="draft")
    content = models.JSONField()
    lock = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # Everyone who has written in it since the last submit: none of them may approve.
    editors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    def __str__(self):
        return f"draft of {self.request}"


class Revision(models.Model):
    """r-n: what was submitted, frozen. Insert-only.

    `hash` covers the whole content: items with specs and words, tier, stewardship, effective
    date, comparability choice and base versions. `editors` are all who wrote any of it.
    `requirements` are the approval policies in force at the submit, one for each class of change
    in an item; they stay what they are when the policies change.
    """

    request = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    hash = models.CharField(max_length=64)
    # The lock of the draft that was frozen: a draft with another lock was written in since.
    draft_lock = models.PositiveIntegerField(default=0)
    editors = models.JSONField(help_text="Ids of the author and of all co-editors.")
    requirements = models.JSONField()
    change_class = models.CharField(max_length=12)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["request", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "number"], name="governance_revision_number_once"
            ),
        ]

    def __str__(self):
        return f"r{self.number}"


class ReviewQuerySet(models.QuerySet):
    def latest_of_each_reviewer(self, revision):
        """The verdicts on one revision that count: each reviewer's last that is no comment."""
        return (
            self.filter(revision=revision)
            .exclude(verdict=Verdict.COMMENT)
            .order_by("reviewer_id", "-pk")
            .distinct("reviewer_id")
        )


class Review(models.Model):
    """One verdict of one person on one revision. Insert-only."""

    request = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="reviews")
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="reviews")
    revision_hash = models.CharField(max_length=64)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    # Copied from the request, so that the database itself can refuse a self-approval.
    author_id = models.BigIntegerField()
    verdict = models.CharField(max_length=16, choices=Verdict)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=20)
    reviewed_at = models.DateTimeField()

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="governance_review_verdict_known", condition=Q(verdict__in=Verdict.values)
            ),
            models.CheckConstraint(
                name="governance_review_not_by_author",
                condition=~Q(verdict=Verdict.APPROVE) | ~Q(reviewer_id=F("author_id")),
            ),
            models.CheckConstraint(
                name="governance_review_refusal_says_why",
                condition=~Q(verdict=Verdict.REQUEST_CHANGES) | ~Q(comment=""),
            ),
        ]

    def __str__(self):
        return f"{self.get_verdict_display()} by {self.reviewer} on {self.revision}"


class Comment(models.Model):
    """Something said about a request, on the whole of it or on one place of it."""

    request = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    place = models.CharField(max_length=160, blank=True)
    text = models.TextField()
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.text[:60]
