"""What is said about a request beside the verdicts: opened, settled, opened again."""

from __future__ import annotations

from django.db import transaction

from core import clock, jobs
from core.errors import Invalid
from governance import policies
from governance.models import ChangeRequest, Comment
from governance.services.common import locked, permit, record


@transaction.atomic
def comment(
    request: ChangeRequest, *, text: str, actor, place: str = "", via: str = "service"
) -> Comment:
    """Say something about the request, or about one place of it. It is no verdict."""
    request = locked(request)
    permit(policies.why_not_review(actor, request, "comment"))
    if not text.strip():
        raise Invalid("Write something first.")
    said = Comment.objects.create(
        request=request, author=actor, text=text.strip(), place=place, created_at=clock.now()
    )
    record("comment", request, actor=actor, via=via, place=place, comment=said.pk)
    jobs.ring("governance.tasks.tell_of_comment", said.pk)
    return said


@transaction.atomic
def resolve_comment(said: Comment, *, actor, via: str = "service") -> Comment:
    """Mark what was said as settled. Doing it twice changes nothing."""
    said = _locked_comment(said, actor)
    if said.resolved_at is None:
        said.resolved_at, said.resolved_by = clock.now(), actor
        said.save(update_fields=["resolved_at", "resolved_by"])
        record("comment_resolved", said.request, actor=actor, via=via, comment=said.pk)
    return said


@transaction.atomic
def reopen_comment(said: Comment, *, actor, via: str = "service") -> Comment:
    """What was settled is open again. Doing it twice changes nothing."""
    said = _locked_comment(said, actor)
    if said.resolved_at is not None:
        said.resolved_at = said.resolved_by = None
        said.save(update_fields=["resolved_at", "resolved_by"])
        record("comment_reopened", said.request, actor=actor, via=via, comment=said.pk)
    return said


def _locked_comment(said: Comment, actor) -> Comment:
    rows = Comment.objects.select_for_update(of=("self",)).select_related("request", "author")
    said = rows.get(pk=said.pk)
    permit(policies.why_not_resolve(actor, said))
    return said
