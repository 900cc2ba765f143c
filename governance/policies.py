"""Who may do what to a change request.

Each rule answers with a sentence that says why not, or with None. A button is drawn, an endpoint
opened and a service run on the same answer. Whether the request is in a state for it is asked
elsewhere (`governance.choices.MOVES`): not allowed and wrong state are different refusals.
"""

from __future__ import annotations

from datetime import timedelta

from accounts.choices import Role
from accounts.models import Domain, User
from accounts.policies import has_role, has_role_everywhere, may_approve_in
from catalog.choices import Lifecycle, OwnershipRole
from catalog.models import Ownership
from core import clock
from governance.approvals import requirements_of
from governance.choices import Status, Verdict
from governance.models import ChangeRequest, Comment

_SIGN_IN = "Sign in first."
UNDO_WITHIN = timedelta(days=7)


def why_not_propose(user: User | None) -> str | None:
    if user is None or not user.is_authenticated or not user.is_active:
        return _SIGN_IN
    if not has_role(user, Role.CONTRIBUTOR):
        return "You need the role Contributor in some domain to propose a change."
    return None


def why_not_edit(user: User | None, request: ChangeRequest) -> str | None:
    """Contributors of its domains may help: as co-editors, who then cannot approve."""
    why = why_not_propose(user)
    if why or user is None:
        return why
    if request.author_id == user.pk or request.draft.editors.filter(pk=user.pk).exists():
        return None
    if any(has_role(user, Role.CONTRIBUTOR, domain) for domain in request.domains()):
        return None
    return "Only its author, and contributors of its domain, can edit this change."


def why_not_review(
    user: User | None, request: ChangeRequest, verdict: str = Verdict.APPROVE
) -> str | None:
    """Comment: whoever may look. Approve and request changes: whose approval would count."""
    if user is None or not user.is_authenticated or not user.is_active:
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
    owned = {need.key for need in needs if need.owner_counts}
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
    if user is None or (request.author_id == user.pk and user.is_active):
        return None
    return "Only its author can withdraw this change. A steward can reject it."


def why_not_reject(user: User | None, request: ChangeRequest) -> str | None:
    """A steward of any domain that would have to agree can also refuse for good."""
    if user is None:
        return None
    if any(has_role(user, Role.STEWARD, domain) for domain in request.domains()):
        return None
    return "Only a steward of its domain can reject this change."


def why_not_resolve(user: User | None, said: Comment) -> str | None:
    """A thread is settled by who began it, by the request's author, or by a steward."""
    if user is None or not user.is_authenticated or not user.is_active:
        return _SIGN_IN
    if user.pk in (said.author_id, said.request.author_id) or has_role(user, Role.STEWARD):
        return None
    return "Only who wrote it, the author of the change, and stewards can settle this."


def why_cannot_undo(request: ChangeRequest) -> str | None:
    """What stands in the way of taking a published request back in one click, whoever asks."""
    if request.status != Status.PUBLISHED:
        return "Only what was published can be undone."
    if request.closed_at and request.closed_at + UNDO_WITHIN < clock.now():
        return "It was published more than seven days ago: go back to an earlier version instead."
    for change in request.changes.select_related("entry", "version"):
        if change.entry is None or change.version is None:
            continue
        if change.entry.current_version_id != change.version_id:
            return f"{change.entry.name} was changed since: go back to an earlier version instead."
        if change.version.number == 1 and change.entry.lifecycle == Lifecycle.RETIRED:
            return f"{change.entry.name} was new with it, and is retired already."
    return None


def why_not_undo(user: User | None, request: ChangeRequest) -> str | None:
    return why_not_propose(user) or why_cannot_undo(request)


def why_not_set_policy(user: User | None, domain: Domain | None = None) -> str | None:
    """A domain's own rows are set by its stewards, those for all domains by stewards of all."""
    if user is None:
        return None
    if domain is not None:
        if has_role(user, Role.STEWARD, domain):
            return None
        return f"Only stewards of {domain.name}, and admins, set its approval policies."
    if has_role_everywhere(user, Role.STEWARD):
        return None
    return (
        "Only stewards of all domains, and admins, set what holds in all of them. Set a row for "
        "your own domain."
    )


def why_not_set_any_policy(user: User) -> str | None:
    """Whether there is a domain in which somebody may."""
    if has_role(user, Role.STEWARD):
        return None
    return "Only stewards and admins set approval policies."
