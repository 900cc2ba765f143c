"""Who may do what to a change request.

Each rule answers with a sentence that says why not, or with None. A button is drawn, an endpoint
opened and a service run on the same answer. Whether the request is in a state for it is asked
elsewhere (`governance.choices.MOVES`): not allowed and wrong state are different refusals.
"""

from __future__ import annotations

from accounts.choices import Role
from accounts.models import Domain, User
from accounts.policies import has_role, may_approve_in
from catalog.choices import OwnershipRole
from catalog.models import Ownership
from governance.approvals import requirements_of
from governance.choices import Verdict
from governance.models import ChangeRequest

_SIGN_IN = "Sign in first."


def why_not_propose(user: User | None) -> str | None:
    if user is None:
        return None
    if not user.is_authenticated or not user.is_active:
        return _SIGN_IN
    if not has_role(user, Role.CONTRIBUTOR):
        return "You need the role Contributor in some domain to propose a change."
    return None


def why_not_edit(user: User | None, request: ChangeRequest) -> str | None:
    """Whoever may propose may help: a co-editor, who then cannot approve."""
    return why_not_propose(user)


why_not_comment_on = why_not_edit


def why_not_review(
    user: User, request: ChangeRequest, verdict: str = Verdict.APPROVE
) -> str | None:
    if not user.is_authenticated or not user.is_active:
        return _SIGN_IN
    if verdict == Verdict.COMMENT:
        if has_role(user, Role.VIEWER):
            return None
        return "You need a role in some domain to comment."
    if request.author_id == user.pk:
        return "Authors cannot review their own change."
    if request.revision and user.pk in request.revision.editors:
        return "You have written a part of this revision, so your verdict cannot count."
    if not _approves_somewhere(user, request):
        return "Only reviewers and stewards of its domain, or owners, may review this change."
    return None


def _approves_somewhere(user: User, request: ChangeRequest) -> bool:
    if request.revision is None:
        return has_role(user, Role.REVIEWER)
    needs = requirements_of(request.revision)
    domains = Domain.objects.in_bulk({need.domain for need in needs})
    if any(may_approve_in(user, domain) for domain in domains.values()):
        return True
    owned = [need.key for need in needs if need.owner_counts]
    return Ownership.objects.filter(
        entry__key__in=owned, user=user, role=OwnershipRole.OWNER
    ).exists()


def why_not_publish(user: User | None, request: ChangeRequest) -> str | None:
    """Press the button once everything is met. The system, without a user, may always."""
    if user is None:
        return None
    if not user.is_authenticated or not user.is_active:
        return _SIGN_IN
    if request.author_id == user.pk or _approves_somewhere(user, request):
        return None
    return "Only its author, and reviewers and stewards of its domain, may publish this change."


def why_not_withdraw(user: User | None, request: ChangeRequest) -> str | None:
    if user is None or request.author_id == user.pk:
        return None
    return "Only its author can withdraw this change. A steward can reject it."


def why_not_reject(user: User | None, request: ChangeRequest) -> str | None:
    if user is None:
        return None
    domains = request.domains()
    if domains and all(has_role(user, Role.STEWARD, domain) for domain in domains):
        return None
    return "Only a steward of its domain can reject this change."


def why_not_set_policy(user: User | None) -> str | None:
    if user is None or has_role(user, Role.STEWARD):
        return None
    return "Only stewards and admins set approval policies."
