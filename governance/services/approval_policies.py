"""The rows that say who must agree, and the ones an installation starts with."""

from __future__ import annotations

from django.db import transaction
from simple_history.utils import bulk_create_with_history

from catalog.choices import Tier
from core import audit
from core.errors import Invalid
from core.row_history import sign
from governance import policies
from governance.models import ApprovalPolicy
from governance.services.common import permit
from semantics.diff import ChangeClass

C = ChangeClass
MOST_APPROVALS = 9
_TIERS = (Tier.ONE, Tier.TWO, Tier.THREE)
Numbers = tuple[int, int, bool]
# (class, is_new) -> for tiers 1, 2 and 3: approvals, stewards among them, an owner counts as one.
DEFAULTS: dict[tuple[ChangeClass, bool], tuple[Numbers, Numbers, Numbers]] = {
    # A typo on a lower tier is put right at once, with notice and undo.
    (C.EDITORIAL, False): ((1, 0, True), (0, 0, False), (0, 0, False)),
    # Somebody else has to nod.
    (C.MEANING, False): ((1, 0, True), (1, 0, True), (1, 0, True)),
    # A steward, or an owner.
    (C.ADDITIVE, False): ((1, 1, True), (1, 1, True), (1, 1, True)),
    (C.STEWARDSHIP, False): ((1, 1, False), (1, 1, False), (1, 1, False)),
    (C.RESTATING, False): ((2, 1, False), (1, 0, True), (1, 0, True)),
    (C.RETIRING, False): ((2, 1, False), (1, 1, False), (1, 1, False)),
    # There is nothing yet that a new metric could be compared with.
    (C.ADDITIVE, True): ((1, 1, False), (1, 0, False), (1, 0, False)),
}
# The Local tier is unreviewed by its own declaration.
_LOCAL = (0, 0, False)


@transaction.atomic
def seed_default_policies(*, actor=None, via: str = "cli") -> int:
    """Write the default rows that are missing; rows that somebody set stay. Returns how many."""
    permit(policies.why_not_set_policy(actor, None))
    wanted = {
        (change_class, tier, is_new): numbers
        for (change_class, is_new), tiers in DEFAULTS.items()
        for tier, numbers in zip(_TIERS, tiers, strict=True)
    }
    for change_class in C:
        wanted.setdefault((change_class, Tier.LOCAL, False), _LOCAL)
    wanted[(C.ADDITIVE, Tier.LOCAL, True)] = _LOCAL
    there = set(
        ApprovalPolicy.objects.filter(domain=None).values_list("change_class", "tier", "is_new")
    )
    rows = [
        _with_numbers(
            ApprovalPolicy(change_class=change_class, tier=tier, is_new=is_new), numbers, actor
        )
        for (change_class, tier, is_new), numbers in wanted.items()
        if (change_class, tier, is_new) not in there
    ]
    rows = bulk_create_with_history(rows, ApprovalPolicy)
    audit.record_each("policy.set", [(row, _said(row)) for row in rows], actor=actor, via=via)
    return len(rows)


def _with_numbers(row: ApprovalPolicy, numbers: Numbers, actor) -> ApprovalPolicy:
    row.approvals, row.stewards, row.owner_counts_as_steward = numbers
    return sign(row, actor=actor, reason="policy set")


def _said(row: ApprovalPolicy) -> dict:
    """What the audit log keeps of a row that was set."""
    return {
        "change_class": str(row.change_class),
        "tier": int(row.tier),
        "is_new": row.is_new,
        "domain": str(row.domain or "all"),
        "approvals": row.approvals,
        "stewards": row.stewards,
        "owner_counts": row.owner_counts_as_steward,
    }


@transaction.atomic
def set_policy(
    *, change_class: str, tier: int, is_new: bool, domain, numbers, actor, via: str = "service"
) -> ApprovalPolicy:
    """Set who must agree. Requests that were submitted before keep what was asked of them."""
    permit(policies.why_not_set_policy(actor, domain))
    approvals, stewards, _ = numbers
    if change_class not in list(C):
        known = ", ".join(C)
        raise Invalid(f"“{change_class}” is no class of change. Choose among {known}.", problems=[])
    if tier not in Tier.values:
        known = ", ".join(str(value) for value in Tier.values)
        raise Invalid(f"There is no tier {tier}. Choose among {known}.", problems=[])
    if not 0 <= stewards <= approvals <= MOST_APPROVALS:
        raise Invalid(
            f"Ask for 0 to {MOST_APPROVALS} approvals, of which some or all can be a steward's.",
            problems=[],
        )
    row = ApprovalPolicy.objects.select_for_update().filter(
        change_class=change_class, tier=tier, is_new=is_new, domain=domain
    ).first() or ApprovalPolicy(change_class=change_class, tier=tier, is_new=is_new, domain=domain)
    _with_numbers(row, numbers, actor).save()
    audit.record("policy.set", row, actor=actor, via=via, **_said(row))
    return row
