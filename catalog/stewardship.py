"""Who answers for an entry and what was promised of it: the part of a card that is no word.

It has row history and is no part of a version. A proposal carries the whole of it, or none when
it is to stay as it is.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.models import Entry, HierarchyEdge, Metric, Ownership, Sla


class Promise(BaseModel):
    """An SLA: by when yesterday's value is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    due_time: time
    time_zone: str = "UTC"
    max_delay_hours: int = Field(24, ge=1, le=720)
    objective_percent: Decimal = Field(Decimal(99), gt=0, le=100)


class Branch(BaseModel):
    """A link of the tree: what this metric hangs under, and why it is believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parent: str
    kind: Literal["formula", "driver", "guardrail"]
    sign: Literal[-1, 1] = 1
    lag_days: int | None = Field(None, ge=0, le=720)
    strength: str = Field("", max_length=40)
    evidence: str = Field("", max_length=2000)


class Stewardship(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    tier: Literal[1, 2, 3, 9] = 3
    owners: list[str] = []
    backups: list[str] = []
    stewards: list[str] = []
    target: Decimal | None = None
    target_until: date | None = None
    sla: Promise | None = None
    tree: list[Branch] = []


def stewardship_of(entry: Entry) -> Stewardship:
    """What the card says now."""
    people: dict[str, list[str]] = {"owner": [], "backup": [], "steward": []}
    for ownership in Ownership.objects.filter(entry=entry.pk).select_related("user"):
        people[ownership.role].append(ownership.user.username)
    metric = Metric.objects.filter(pk=entry.pk).first()
    promise = Sla.objects.filter(metric=entry.pk).first() if metric else None
    branches = HierarchyEdge.objects.filter(child=entry.pk).select_related("parent")
    return Stewardship(
        domain=entry.domain.key,
        tier=entry.tier,
        owners=sorted(people["owner"]),
        backups=sorted(people["backup"]),
        stewards=sorted(people["steward"]),
        target=metric.target if metric else None,
        target_until=metric.target_until if metric else None,
        sla=promise
        and Promise(
            due_time=promise.due_time,
            time_zone=promise.time_zone,
            max_delay_hours=promise.max_delay_hours,
            objective_percent=promise.objective_percent,
        ),
        tree=sorted(
            (
                Branch(
                    parent=edge.parent.key,
                    kind=edge.kind,
                    sign=edge.sign,
                    lag_days=edge.lag_days,
                    strength=edge.strength,
                    evidence=edge.evidence,
                )
                for edge in branches
            ),
            key=lambda branch: (branch.parent, branch.kind),
        ),
    )
