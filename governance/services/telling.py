"""Who is told of what happens to a request. Notices are rows, made once an event and person."""

from __future__ import annotations

from accounts.models import User
from catalog.choices import OwnershipRole
from catalog.models import Follow, Ownership
from catalog.selectors.entries import dependants_of
from core.notices import tell
from governance.approvals import candidates_for, standings
from governance.models import ChangeRequest, Comment


def _url(request: ChangeRequest) -> str:
    return f"/{request}"


def tell_reviewers(request: ChangeRequest) -> None:
    """Ask those whose approval is missing."""
    missing = [one for one in standings(request) if not one.is_met]
    candidates = candidates_for([one.requirement for one in missing])
    editors = set(request.submitted.editors)
    people = {
        person
        for one in missing
        for person in candidates(one.requirement, {given.pk for given in one.approvers} | editors)
    }
    tell(
        people,
        key=f"review:{request.pk}:{request.submitted.number}",
        kind="review",
        text=f"{request.author} asks you to approve {request}: {request.title}",
        url=_url(request),
    )


def tell_author(request: ChangeRequest, *, event: str, text: str) -> None:
    tell([request.author], key=f"{event}:{request.pk}", kind="change", text=text, url=_url(request))


def tell_of_comment(said: Comment) -> None:
    """Everybody who has a part in the request, but for the one who spoke."""
    request = said.request
    people = {request.author_id, *request.draft.editors.values_list("pk", flat=True)}
    people |= set(request.comments.values_list("author", flat=True))
    people |= set(request.reviews.values_list("reviewer", flat=True))
    tell(
        User.objects.filter(pk__in=people - {said.author_id}, is_active=True),
        key=f"comment:{said.pk}",
        kind="comment",
        text=f"{said.author} on {request}: {said.text}"[:400],
        url=_url(request),
    )


def tell_of_publication(request: ChangeRequest) -> None:
    """Followers, owners and the owners of what stands on it learn what changed, and by how much."""
    entries = [change.entry_id for change in request.changes.all() if change.entry_id]
    below = [found.pk for found in dependants_of(entries)]
    owners = Ownership.objects.filter(
        entry__in=[*entries, *below], role__in=[OwnershipRole.OWNER, OwnershipRole.BACKUP]
    ).values("user")
    followers = Follow.objects.filter(entry__in=entries).values("user")
    people = User.objects.filter(is_active=True).filter(pk__in=owners) | User.objects.filter(
        is_active=True
    ).filter(pk__in=followers)
    versions = [change.version for change in request.changes.all() if change.version]
    names = ", ".join(str(version) for version in versions) or request.title
    headline = next(
        (v.comparability["headline"] for v in versions if v.comparability.get("headline")), ""
    )
    tell(
        people.distinct(),
        key=f"published:{request.pk}",
        kind="published",
        text=f"Published: {names}. {headline or request.title}"[:400],
        url=_url(request),
    )
