"""Edits of a card that are no new version: stewardship, and who follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from accounts.models import Domain, User
from catalog.choices import OwnershipRole
from catalog.models import Entry, Follow, HierarchyEdge, Metric, Ownership, Sla
from catalog.services.versions import locked_cards, save_cards
from catalog.stewardship import Stewardship
from core.errors import NotAllowed

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
    names = {name for change in changes if change.stewardship for name in _people(change)}
    users = {user.username: user for user in User.objects.filter(username__in=names)}
    successors = Entry.objects.in_bulk(
        [change.successor for change in changes if change.successor], field_name="key"
    )
    for change in changes:
        card = cards[change.key]
        if wanted := change.stewardship:
            card.domain, card.tier = domains[wanted.domain], wanted.tier
            if isinstance(card, Metric):
                card.target, card.target_until = wanted.target, wanted.target_until
        if change.lifecycle:
            card.lifecycle = change.lifecycle
            card.last_day = change.last_day
            card.successor = successors.get(change.successor)
    save_cards(list(cards.values()), actor=actor, reason=reason)
    for change in changes:
        card = cards[change.key]
        if wanted := change.stewardship:
            _apply_people(card, wanted, users, actor, reason)
            if isinstance(card, Metric):
                _apply_promise(card, wanted, actor, reason)
                _apply_tree(card, wanted, actor, reason)


def _people(change: CardChange) -> list[str]:
    wanted = change.stewardship
    return [*wanted.owners, *wanted.backups, *wanted.stewards]


def _apply_people(card, wanted: Stewardship, users, actor, reason: str) -> None:
    asked = {(name, role) for role, field in _LISTS.items() for name in getattr(wanted, field)}
    held = {
        (row.user.username, OwnershipRole(row.role)): row
        for row in Ownership.objects.filter(entry=card.pk).select_related("user")
    }
    for pair, row in held.items():
        if pair not in asked:
            _marked(row, actor, reason).delete()
    for name, role in sorted(asked - set(held)):
        _marked(Ownership(entry_id=card.pk, user=users[name], role=role), actor, reason).save()


def _apply_promise(card: Metric, wanted: Stewardship, actor, reason: str) -> None:
    row = Sla.objects.filter(metric=card).first()
    if wanted.sla is None:
        if row:
            _marked(row, actor, reason).delete()
        return
    row = row or Sla(metric=card)
    for name, value in wanted.sla.model_dump().items():
        setattr(row, name, value)
    _marked(row, actor, reason).save()


def _apply_tree(card: Metric, wanted: Stewardship, actor, reason: str) -> None:
    held = {
        (edge.parent.key, edge.kind): edge
        for edge in HierarchyEdge.objects.filter(child=card).select_related("parent")
    }
    asked = {(branch.parent, branch.kind): branch for branch in wanted.tree}
    parents = {
        metric.key: metric for metric in Metric.objects.filter(key__in=[p for p, _ in asked])
    }
    for pair, edge in held.items():
        if pair not in asked:
            _marked(edge, actor, reason).delete()
    for (parent, kind), branch in asked.items():
        edge = held.get((parent, kind)) or HierarchyEdge(
            parent=parents[parent], child=card, kind=kind
        )
        for name in ("sign", "lag_days", "strength", "evidence"):
            setattr(edge, name, getattr(branch, name))
        _marked(edge, actor, reason).save()


def _marked(row, actor, reason: str):
    row._history_user = actor
    row._change_reason = reason[:100]
    return row


@transaction.atomic
def follow(entry: Entry, *, actor) -> None:
    """Tell this person of what happens to the entry from now on. Twice is once."""
    if not actor.is_authenticated:
        raise NotAllowed("Sign in to follow a metric.")
    Follow.objects.get_or_create(entry_id=entry.pk, user=actor)


@transaction.atomic
def unfollow(entry: Entry, *, actor) -> None:
    Follow.objects.filter(entry_id=entry.pk, user=actor).delete()
