"""Lists of change requests: by tab, by what waits for a person, by what they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.choices import Role
from accounts.models import RoleGrant, User
from catalog.choices import OwnershipRole
from catalog.models import Entry, Ownership
from core.errors import NotFound
from governance.approvals import Requirement, Standing, requirements_of, standings_of
from governance.choices import OPEN, Status
from governance.models import Change, ChangeRequest

TABS = ("open", "review", "mine", "scheduled", "done")
_UNDER_REVIEW = (Status.IN_REVIEW, Status.SCHEDULED)
_CLOSED = tuple(status for status in Status if status not in OPEN)


@dataclass(frozen=True)
class RequestRow:
    """One line of a list. `keys` are what it is about, the first few of them."""

    request: ChangeRequest
    keys: list[str]
    standings: list[Standing]

    @property
    def approvals(self) -> tuple[int, int]:
        """How many of the approvals that are asked for have been given: (1, 2)."""
        given = max((len(one.approvers) for one in self.standings), default=0)
        asked = max((one.requirement.approvals for one in self.standings), default=0)
        return min(given, asked), asked

    @property
    def is_approved(self) -> bool:
        return bool(self.standings) and all(one.is_met for one in self.standings)


@dataclass(frozen=True)
class RequestsPage:
    rows: list[RequestRow]
    total: int
    next_before: int | None
    counts: dict[str, int]


def request_by_number(number: int | str) -> ChangeRequest:
    """The request of `142` or `CR-142`, with what its page needs, or NotFound."""
    digits = str(number).upper().removeprefix("CR-")
    rows = ChangeRequest.objects.select_related("author", "revision", "draft__saved_by")
    found = rows.filter(pk=int(digits)).first() if digits.isdecimal() and len(digits) < 16 else None
    if found is None:
        raise NotFound(f"There is no change request CR-{digits}.")
    return found


def requests_page(
    user: User,
    *,
    tab: str = "open",
    text: str = "",
    limit: int = 50,
    before: int | None = None,
) -> RequestsPage:
    """One page of a tab, newest first; `before` is the number to go on below."""
    waiting = _waiting_ids(user)
    rows = _searched(ChangeRequest.objects.all(), text)
    tabs = {
        "open": Q(status__in=OPEN),
        "review": Q(pk__in=waiting),
        "mine": Q(author=user, status__in=OPEN),
        "scheduled": Q(status=Status.SCHEDULED),
        "done": Q(status__in=_CLOSED),
    }
    counts = rows.aggregate(
        **{name: Count("pk", filter=which, distinct=True) for name, which in tabs.items()}
    )
    chosen = rows.filter(tabs.get(tab, tabs["open"])).order_by("-pk")
    if before is not None:
        chosen = chosen.filter(pk__lt=before)
    found = list(chosen.select_related("author", "revision")[: limit + 1])
    following = found[limit - 1].pk if len(found) > limit else None
    return RequestsPage(rows_of(found[:limit]), counts.get(tab, counts["open"]), following, counts)


def _searched(rows: QuerySet, text: str) -> QuerySet:
    words = text.strip()
    if not words:
        return rows
    digits = words.upper().removeprefix("CR-")
    number = Q(pk=int(digits)) if digits.isdecimal() and len(digits) < 16 else Q()
    about = Q(changes__key__icontains=words.replace(" ", "_"))
    return rows.filter(Q(title__icontains=words) | about | number).distinct()


def rows_of(requests: list[ChangeRequest]) -> list[RequestRow]:
    """Lines with what they are about and how far their approvals are, in a few queries."""
    found = standings_of(requests)
    about: dict[int, list[str]] = {request.pk: [] for request in requests}
    changes = Change.objects.filter(request__in=requests)
    for request_id, key in changes.order_by("pk").values_list("request_id", "key"):
        if len(about[request_id]) < 5:
            about[request_id].append(key)
    return [RequestRow(one, about[one.pk], found.get(one.pk, [])) for one in requests]


def waiting_for(user: User) -> list[RequestRow]:
    """What waits for a person's decision: their approval is missing, and would count."""
    ids = _waiting_ids(user)
    rows = ChangeRequest.objects.filter(pk__in=ids).select_related("author", "revision")
    return rows_of(list(rows.order_by("submitted_at", "pk")))


def _waiting_ids(user: User) -> list[int]:
    if not user.is_authenticated or not user.is_active:
        return []
    requests = list(
        ChangeRequest.objects.filter(status__in=_UNDER_REVIEW)
        .exclude(author=user)
        .select_related("revision")
    )
    grants = list(RoleGrant.objects.filter(user=user).values_list("role", "domain_id"))
    owned = set(
        Ownership.objects.filter(user=user, role=OwnershipRole.OWNER).values_list(
            "entry__key", flat=True
        )
    )
    eligible = [
        request
        for request in requests
        if user.pk not in request.submitted.editors
        and any(_would_count(need, grants, owned) for need in requirements_of(request.submitted))
    ]
    found = standings_of(eligible)
    return [
        request.pk
        for request in eligible
        if any(
            not one.is_met
            and user not in one.approvers
            and _would_count(one.requirement, grants, owned, lacking=one)
            for one in found.get(request.pk, [])
        )
    ]


def _would_count(
    need: Requirement,
    grants: Iterable[tuple[str, int | None]],
    owned: set[str],
    *,
    lacking: Standing | None = None,
) -> bool:
    """Whether this person's approval would bring a requirement further."""
    held = {role for role, domain in grants if domain in (None, need.domain)}
    as_steward = Role.STEWARD in held or (need.owner_counts and need.key in owned)
    only_stewards = (
        lacking is not None
        and lacking.missing_stewards
        and not (lacking.missing_approvals > lacking.missing_stewards)
    )
    return as_steward or (Role.REVIEWER in held and not only_stewards)


def open_requests_about(keys: Iterable[str]) -> dict[str, list[ChangeRequest]]:
    """The open requests that change each of these entries, newest first."""
    found: dict[str, list[ChangeRequest]] = {}
    changes = Change.objects.filter(key__in=list(keys), request__status__in=OPEN).select_related(
        "request__author", "request__revision"
    )
    for change in changes.order_by("-request_id"):
        found.setdefault(change.key, []).append(change.request)
    return found


def changes_of(entry: Entry) -> list[ChangeRequest]:
    """Every request that was about an entry, newest first."""
    rows = ChangeRequest.objects.filter(changes__key=entry.key).select_related("author", "revision")
    return list(rows.order_by("-pk"))
