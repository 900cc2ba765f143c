"""Which requests wait for a person."""

from __future__ import annotations

from accounts.models import User
from governance.approvals import candidates, standings
from governance.models import ChangeRequest


def waiting_for(user: User) -> list[ChangeRequest]:
    """Requests in review on which this person's approval is missing and would count."""
    found = []
    for request in ChangeRequest.objects.in_review().select_related("author", "revision"):
        if user.pk == request.author_id or user.pk in request.revision.editors:
            continue
        for one in standings(request):
            without = [person.pk for person in one.approvers] + list(request.revision.editors)
            if not one.is_met and user in candidates(one.requirement, without=without):
                found.append(request)
                break
    return found
