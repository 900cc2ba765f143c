"""Whose approvals count, and what is still missing: evaluated when read, never stored.

The database demands the same when versions are written (see the migration
`versions_need_consent`); here it is said in words before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from accounts.choices import Role
from accounts.models import Domain, RoleGrant, User
from catalog.choices import OwnershipRole, Tier
from catalog.models import Ownership
from governance.choices import Verdict
from governance.models import ApprovalPolicy, ChangeRequest, Review, Revision


@dataclass(frozen=True)
class Requirement:
    """What one class of change in an item needs, as it was asked when it was submitted."""

    key: str
    change_class: str
    tier: int
    is_new: bool
    domain: int
    approvals: int
    stewards: int
    owner_counts: bool

    def as_json(self) -> dict:
        return dict(vars(self))

    @property
    def sentence(self) -> str:
        """“2 approvals, one of them by a steward, because Restating + Tier 1”."""
        because = f"because {self.change_class.capitalize()} + {Tier(self.tier).label}"
        if not self.approvals:
            return f"no approval, {because}"
        plural = "" if self.approvals == 1 else "s"
        if not self.stewards:
            return f"{self.approvals} approval{plural}, {because}"
        whom = "a steward or owner" if self.owner_counts else "a steward"
        if self.stewards == self.approvals == 1:
            return f"1 approval by {whom}, {because}"
        return f"{self.approvals} approvals, {self.stewards} of them by {whom}, {because}"


@dataclass(frozen=True)
class Standing:
    """How far the approvals of one item have come."""

    requirement: Requirement
    approvers: list[User] = field(default_factory=list)
    stewards: list[User] = field(default_factory=list)

    @property
    def missing_approvals(self) -> int:
        return max(0, self.requirement.approvals - len(self.approvers))

    @property
    def missing_stewards(self) -> int:
        return max(0, self.requirement.stewards - len(self.stewards))

    @property
    def is_met(self) -> bool:
        return not (self.missing_approvals or self.missing_stewards)


def who_must_agree(needs: list[Requirement]) -> list[str]:
    """What has to be approved and why, each sentence once, the strictest first."""
    asked = sorted(needs, key=lambda need: (-need.approvals, -need.stewards, need.tier))
    return list(dict.fromkeys(need.sentence for need in asked))


def policy_for(
    *, change_class: str, tier: int, is_new: bool, domain: Domain
) -> ApprovalPolicy | None:
    """The row in force: the domain's own before the general one. None is never zero."""
    return policies_for()(change_class, tier, is_new=is_new, domain=domain)


def policies_for():
    """The same question for many items, with the rows read once."""
    rows = {
        (row.change_class, row.tier, row.is_new, row.domain_id): row
        for row in ApprovalPolicy.objects.all()
    }

    def rule(
        change_class: str, tier: int, *, is_new: bool, domain: Domain
    ) -> ApprovalPolicy | None:
        asked = (str(change_class), int(tier), is_new)
        return rows.get((*asked, domain.pk)) or rows.get((*asked, None))

    return rule


def requirements_of(revision: Revision) -> list[Requirement]:
    return [Requirement(**row) for row in revision.requirements]


def standings(request: ChangeRequest) -> list[Standing]:
    """What the revision at hand was asked for, with the approvals that count at this moment.

    An approval counts while its author is active, still has the role, and has written none of
    the revision.
    """
    return standings_of([request]).get(request.pk, [])


def standings_of(requests: Sequence[ChangeRequest]) -> dict[int, list[Standing]]:
    """The same of many requests, by their ids, in three queries."""
    revisions = {request.revision_id: request.revision for request in requests if request.revision}
    reviews = (
        Review.objects.filter(revision__in=revisions)
        .exclude(verdict=Verdict.COMMENT)
        .order_by("revision_id", "reviewer_id", "-pk")
        .distinct("revision_id", "reviewer_id")
        .select_related("reviewer")
    )
    approving: dict[int, list[User]] = {}
    for given in reviews:
        revision = revisions[given.revision_id]
        counts = (
            given.verdict == Verdict.APPROVE
            and given.revision_hash == revision.hash
            and given.reviewer.is_active
            and given.reviewer_id not in revision.editors
        )
        if counts:
            approving.setdefault(given.revision_id, []).append(given.reviewer)
    duties = _duties_of({person for people in approving.values() for person in people})
    return {
        request.pk: [
            _standing(need, approving.get(request.revision.pk, []), duties)
            for need in requirements_of(request.revision)
        ]
        for request in requests
        if request.revision
    }


@dataclass(frozen=True)
class _Duties:
    """What people hold: roles by domain (None for all), and what they own."""

    roles: set[tuple[int, str, int | None]]
    owners: set[tuple[int, str]]

    def holds(self, person: User, role: Role, domain: int) -> bool:
        return bool({(person.pk, role, domain), (person.pk, role, None)} & self.roles)


def _duties_of(people: set[User]) -> _Duties:
    if not people:
        return _Duties(set(), set())
    grants = RoleGrant.objects.filter(user__in=people)
    owned = Ownership.objects.filter(user__in=people, role=OwnershipRole.OWNER)
    return _Duties(
        set(grants.values_list("user_id", "role", "domain_id")),
        set(owned.values_list("user_id", "entry__key")),
    )


def _standing(need: Requirement, approving: list[User], duties: _Duties) -> Standing:
    stewards, approvers = [], []
    for person in approving:
        is_owner = need.owner_counts and (person.pk, need.key) in duties.owners
        is_steward = is_owner or duties.holds(person, Role.STEWARD, need.domain)
        if is_steward:
            stewards.append(person)
        if is_steward or duties.holds(person, Role.REVIEWER, need.domain):
            approvers.append(person)
    return Standing(need, approvers, stewards)


def is_approved(request: ChangeRequest) -> bool:
    """Whether every item has what it needs. A revision without requirements never has."""
    found = standings(request)
    return bool(found) and all(one.is_met for one in found)


def candidates_for(
    needs: Sequence[Requirement],
) -> Callable[[Requirement, Collection[int]], list[User]]:
    """Who could still give an approval that counts to one of these, by name, without some.

    Roles and owners are read once: a request may ask for the same people a thousand times.
    """
    roles = [Role.STEWARD, Role.REVIEWER]
    grants = RoleGrant.objects.filter(role__in=roles, user__is_active=True).select_related("user")
    holders: dict[tuple[int | None, str], list[User]] = {}
    for grant in grants:
        holders.setdefault((grant.domain_id, grant.role), []).append(grant.user)
    owners: dict[str, list[User]] = {}
    if keys := {need.key for need in needs if need.owner_counts}:
        owned = Ownership.objects.filter(
            entry__key__in=keys, role=OwnershipRole.OWNER, user__is_active=True
        )
        for one in owned.select_related("user", "entry"):
            owners.setdefault(one.entry.key, []).append(one.user)

    def people(need: Requirement, without: Collection[int]) -> list[User]:
        counting = [Role.STEWARD] if need.stewards == need.approvals else roles
        found = [
            person
            for domain in (need.domain, None)
            for role in counting
            for person in holders.get((domain, role), [])
        ]
        if need.owner_counts:
            found += owners.get(need.key, [])
        return sorted({one for one in found if one.pk not in without}, key=str)

    return people
