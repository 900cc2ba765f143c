from django.db import models


class Kind(models.TextChoices):
    METRIC = "metric", "Metric"
    DATASET = "dataset", "Dataset"
    SEGMENT = "segment", "Segment"


class Tier(models.IntegerChoices):
    """How much depends on a metric. Local ones are unreviewed and bear nothing else."""

    ONE = 1, "Tier 1"
    TWO = 2, "Tier 2"
    THREE = 3, "Tier 3"
    LOCAL = 9, "Local"


class Lifecycle(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    ACTIVE = "active", "Active"
    DEPRECATED = "deprecated", "Deprecated"
    RETIRED = "retired", "Retired"


class MetricRole(models.TextChoices):
    NORTH_STAR = "north_star", "North star"
    KEY_RESULT = "key_result", "Key result"
    INPUT = "input", "Input"
    GUARDRAIL = "guardrail", "Guardrail"
    DIAGNOSTIC = "diagnostic", "Diagnostic"


class OwnershipRole(models.TextChoices):
    OWNER = "owner", "Owner"
    BACKUP = "backup", "Backup"
    STEWARD = "steward", "Steward"


class EdgeKind(models.TextChoices):
    """What joins two metrics of the tree. Formula edges are exact, drivers are believed."""

    FORMULA = "formula", "Part of the formula"
    DRIVER = "driver", "Driver"
    GUARDRAIL = "guardrail", "Guardrail"


class Treatment(models.TextChoices):
    """Which line is the official one where, after a restating change."""

    RESTATE = "restate", "Restate the past"
    BREAK = "break", "Only from the effective date on (break in series)"
    KEEP_BOTH = "keep_both", "Keep both series until a date"
