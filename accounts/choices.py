from django.db import models


class Role(models.TextChoices):
    """What a person may do, in one domain or in all. Each is granted by itself."""

    VIEWER = "viewer", "Viewer"
    CONTRIBUTOR = "contributor", "Contributor"
    REVIEWER = "reviewer", "Reviewer"
    STEWARD = "steward", "Steward"
    ADMIN = "admin", "Admin"
    AUDITOR = "auditor", "Auditor"


class Scope(models.TextChoices):
    """What a token may be used for. It can never do more than its owner."""

    READ = "read", "Read definitions and values"
    PROPOSE = "propose", "Propose changes"
    REVIEW = "review", "Review and publish changes"
    OPERATE = "operate", "Start, pause and cancel backfills"
    AUDIT = "audit", "Read the audit log"
