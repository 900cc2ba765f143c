"""Who may do what to runs. Each rule answers with a sentence that says why not, or with None."""

from accounts.choices import Role
from accounts.models import User
from accounts.policies import has_role
from catalog.models import Entry, Metric, Ownership
from measurement.choices import PASSING
from measurement.models import Backfill, Check


def why_not_operate(user: User | None, backfill: Backfill) -> str | None:
    """Pause, resume, retry and cancel. The system, which has no user, may."""
    if user is None:
        return None
    if backfill.purpose in PASSING and backfill.actor_id == user.pk and user.is_active:
        return None
    metrics = [target.metric for target in backfill.targets.all() if target.metric]
    if has_role(user, Role.ADMIN) or any(_answers_for(user, metric) for metric in metrics):
        return None
    return (
        "Only owners and stewards of its metrics, and admins, may pause, resume, retry or "
        "cancel this run."
    )


def why_not_release(user: User | None, backfill: Backfill) -> str | None:
    """Let a run go on although a check failed: the judgement of a steward."""
    if user is None:
        return None
    metrics = [target.metric for target in backfill.targets.all() if target.metric]
    if metrics and all(has_role(user, Role.STEWARD, metric.domain) for metric in metrics):
        return None
    return "Only a steward may let a run go on that a check holds back."


def why_not_backfill(user: User | None, metric: Metric) -> str | None:
    """Start a run by hand."""
    if user is None or has_role(user, Role.ADMIN) or _answers_for(user, metric):
        return None
    return f"Only owners and stewards of {metric.name}, and admins, may start a run of it."


def why_not_configure(user: User | None) -> str | None:
    """Change a source or a check: they decide what every value is made of."""
    if user is None or has_role(user, Role.ADMIN):
        return None
    return "Only people with the admin role may change sources and checks."


def why_not_look(user: User | None) -> str | None:
    """See what columns a table of a source has: for who may describe it as a dataset."""
    if user is None or has_role(user, Role.CONTRIBUTOR):
        return None
    return "You need the role Contributor in some domain to look into a source."


def why_not_ask(user: User | None, check: Check) -> str | None:
    """Have a check run now, which asks its source."""
    if user is None or has_role(user, Role.ADMIN) or _answers_for(user, check.dataset):
        return None
    return f"Only owners and stewards of {check.dataset.name}, and admins, may run its checks."


def why_not_preview(user: User | None) -> str | None:
    if user is None or has_role(user, Role.VIEWER):
        return None
    return "You need a role in some domain to compute a preview."


def _answers_for(user: User, entry: Entry) -> bool:
    if not user.is_active:
        return False
    owns = Ownership.objects.filter(entry=entry, user=user).exists()
    return owns or has_role(user, Role.STEWARD, entry.domain)
