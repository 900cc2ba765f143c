from django.conf import settings
from django.db import models
from django.db.models import Q


class AuditEvent(models.Model):
    """Who decided what, from where and why. Insert-only, and chained by hashes.

    Actor and subject are stored as values, since people and things may go while the record
    stays. `hash` covers the previous row's hash and this row's content (see `core.audit`).
    """

    sequence = models.BigIntegerField(unique=True)
    # When it happened by the application's clock. History that was loaded under a simulated
    # clock says so; `recorded_at` is the database's time and is never simulated.
    happened_at = models.DateTimeField(db_index=True)
    recorded_at = models.DateTimeField()
    is_simulated = models.BooleanField(default=False)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=160)
    via = models.CharField(max_length=20)
    action = models.CharField(max_length=60, db_index=True)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=80)
    subject_label = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            # The timeline of one thing.
            models.Index(
                fields=["subject_type", "subject_id", "-sequence"], name="core_audit_subject"
            ),
        ]

    def __str__(self):
        return f"{self.sequence} {self.action} {self.subject_label}"


class Notice(models.Model):
    """Something that one person should know, shown under the bell until it is read.

    `key` makes a notice of one event to one person a single row, however often it is sent.
    """

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=400)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["recipient", "key"], name="core_notice_once"),
        ]
        indexes = [
            # The count on the bell.
            models.Index(
                fields=["recipient"], condition=Q(read_at=None), name="core_notice_unread"
            ),
        ]

    def __str__(self):
        return self.text


class Heartbeat(models.Model):
    """The last sign of life of a part that runs by itself, by the database's clock."""

    name = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.name} {self.at:%H:%M:%S}"


class IdempotentAnswer(models.Model):
    """The answer that was given to a write with an Idempotency-Key, to be given again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=80)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    location = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="core_idempotentanswer_once"),
        ]

    def __str__(self):
        return self.key
