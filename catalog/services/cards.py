"""Edits of a card that are no new version: stewardship, and who follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from accounts.models import Domain, User
from catalog.choices import OwnershipRole
from catalog.models import Entry, Follow, HierarchyEdge, Metric, Ownership, Sla
from catalog.services.versions import locked_cards, save_cards
from catalog.stewardship import Stewardship
from core.errors import NotAllowed
from core.row_history import sign

_LISTS = {
    OwnershipRole.OWNER: "owners",
    OwnershipRole.BACKUP: "backups",
    OwnershipRole.STEWARD: "stewards",
}


@dataclass(frozen=True)
class CardChange:
    """What a published request says of one card beside its words. None leaves a part as it is."""

    key: str
    stewardship: Stewardship | None = None
    lifecycle: str | None = None
    last_day: date | None = None
    successor: str | None = None


def apply_to_cards(changes: Sequence[CardChange], *, actor, reason: str) -> None:
    """Make cards say what a published request says. Called by governance alone."""
    cards = locked_cards(change.key for change in changes)
    domains = {domain.key: domain for domain in Domain.objects.all()}
    names = {
        name for change in changes if change.stewardship for name in _people(change.stewardship)
    }
    users = {user.username: user for user in User.objects.filter(username__in=names)}
    successors = Entry.objects.in_bulk(
        [change.successor for change in changes if change.successor], field_name="key"
    )
    moved = []
    for change in changes:
        card = cards[change.key]
        before = _columns(card)
        if wanted := change.stewardship:
            card.domain, card.tier = domains[wanted.domain], wanted.tier
            if isinstance(card, Metric):
                card.target, card.target_until = wanted.target, wanted.target_until
        if change.lifecycle:
            card.lifecycle = change.lifecycle
            card.last_day = change.last_day
            card.successor = successors.get(change.successor)
        if _columns(card) != before:
            moved.append(card)
    save_cards(moved, actor=actor, reason=reason)
    wanted_of = {cards[c.key].pk: c.stewardship for c in changes if c.stewardship}
    _apply_people(wanted_of, users, actor, reason)
    metrics = {pk: wanted_of[pk] for pk in _metrics_of(cards) if pk in wanted_of}
    _apply_promises(metrics, actor, reason)
    _apply_tree(metrics, actor, reason)


def _columns(card) -> list:
    names = ["domain_id", "tier", "lifecycle", "last_day", "successor_id"]
    if isinstance(card, Metric):
        names += ["target", "target_until"]
    return [getattr(card, name) for name in names]


def _metrics_of(cards) -> list[int]:
    return [card.pk for card in cards.values() if isinstance(card, Metric)]


def _people(wanted: Stewardship) -> list[str]:
    return [*wanted.owners, *wanted.backups, *wanted.stewards]


def _apply_people(wanted: Mapping[int, Stewardship], users, actor, reason: str) -> None:
    asked = {
        (pk, name, str(role))
        for pk, stewardship in wanted.items()
        for role, field in _LISTS.items()
        for name in getattr(stewardship, field)
    }
    held = {
        (row.entry_id, row.user.username, row.role): row
        for row in Ownership.objects.filter(entry__in=wanted).select_related("user")
    }
    for place, row in held.items():
        if place not in asked:
            sign(row, actor=actor, reason=reason).delete()
    made = [
        Ownership(entry_id=pk, user=users[name], role=role)
        for pk, name, role in sorted(asked - set(held))
    ]
    _create(made, actor, reason)


def _apply_promises(wanted: Mapping[int, Stewardship], actor, reason: str) -> None:
    held = {row.metric_id: row for row in Sla.objects.filter(metric__in=wanted)}
    made = []
    for pk, stewardship in wanted.items():
        row = held.get(pk)
        if stewardship.sla is None:
            if row:
                sign(row, actor=actor, reason=reason).delete()
            continue
        promised = stewardship.sla.model_dump()
        if row is None:
            made.append(Sla(metric_id=pk, **promised))
        elif any(getattr(row, name) != value for name, value in promised.items()):
            for name, value in promised.items():
                setattr(row, name, value)
            sign(row, actor=actor, reason=reason).save()
    _create(made, actor, reason)


def _apply_tree(wanted: Mapping[int, Stewardship], actor, reason: str) -> None:
    held = {
        (edge.child_id, edge.parent.key, edge.kind): edge
        for edge in HierarchyEdge.objects.filter(child__in=wanted).select_related("parent")
    }
    asked = {
        (pk, branch.parent, str(branch.kind)): branch
        for pk, stewardship in wanted.items()
        for branch in stewardship.tree
    }
    parents = Metric.objects.in_bulk({parent for _, parent, _ in asked}, field_name="key")
    made: list[HierarchyEdge] = []
    for place, edge in held.items():
        if place not in asked:
            sign(edge, actor=actor, reason=reason).delete()
    for place, branch in asked.items():
        pk, parent, kind = place
        said = {name: getattr(branch, name) for name in _OF_BRANCH}
        known = held.get(place)
        if known is None:
            made.append(HierarchyEdge(parent=parents[parent], child_id=pk, kind=kind, **said))
        elif any(getattr(known, name) != value for name, value in said.items()):
            for name, value in said.items():
                setattr(known, name, value)
            sign(known, actor=actor, reason=reason).save()
    _create(made, actor, reason)


_OF_BRANCH = ("sign", "lag_days", "strength", "evidence")


def _create(rows: list, actor, reason: str) -> None:
    """Insert rows of one model together, each with the first row of its history."""
    if not rows:
        return
    model = type(rows[0])
    model.objects.bulk_create(rows, batch_size=500)
    for row in rows:
        sign(row, actor=actor, reason=reason)
    model.history.bulk_history_create(rows, batch_size=500)


@transaction.atomic
def follow(entry: Entry, *, actor) -> None:
    """Tell this person of what happens to the entry from now on. Twice is once."""
    if not actor.is_authenticated:
        raise NotAllowed("Sign in to follow a metric.")
    Follow.objects.get_or_create(entry_id=entry.pk, user=actor)


@transaction.atomic
def unfollow(entry: Entry, *, actor) -> None:
    Follow.objects.filter(entry_id=entry.pk, user=actor).delete()
