"""Signs of life of workers and beat, written by tasks and so by work done.

A worker can look alive and take no messages; a heartbeat that travelled through
the queue cannot. Ages are taken from the database's clock, never from ours.
"""

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from core.models import Heartbeat

BEAT = "beat"
WORKERS = ("worker:default", "worker:backfill")


def beat(name: str) -> None:
    """Record that `name` is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": Now()})


def ages() -> dict[str, timedelta]:
    """How long ago each known part gave its last sign of life."""
    rows = Heartbeat.objects.annotate(age=Now() - F("at"))
    return dict(rows.values_list("name", "age"))
