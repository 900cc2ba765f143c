"""Verdicts on one revision, by the web page, the admin and the API alike."""

from __future__ import annotations

from django.db import transaction

from core import clock, jobs
from core.errors import Invalid
from governance import policies
from governance.approvals import is_approved
from governance.choices import Verdict
from governance.models import ChangeRequest, Review
from governance.services.common import locked, move, permit, record, require, require_revision


@transaction.atomic
def review(
    request: ChangeRequest,
    *,
    revision_hash: str,
    verdict: str,
    actor,
    revision_number: int | None = None,
    comment: str = "",
    via: str = "service",
) -> ChangeRequest:
    """Record a verdict on exactly the revision that was read.

    Permission, state and revision are checked on the locked row, so two reviewers who press the
    button together are served one after the other. The approval that completes what policy asks
    for rings the publish, which evaluates everything again. Giving the same verdict twice leaves
    one.
    """
    if verdict not in Verdict.values:
        raise Invalid(f"“{verdict}” is no verdict. Choose among {', '.join(Verdict.values)}.")
    request = locked(request)
    permit(policies.why_not_review(actor, request, verdict))
    require_revision(request, revision_hash, number=revision_number)
    require(request, verdict)
    comment = comment.strip()
    if verdict != Verdict.APPROVE and not comment:
        missing = "Write something." if verdict == Verdict.COMMENT else "Say what should differ."
        raise Invalid(missing, problems=[])
    last = request.reviews.filter(revision=request.revision, reviewer=actor).order_by("-pk").first()
    if last and (last.verdict, last.comment) == (verdict, comment):
        return request
    Review.objects.create(
        request=request,
        revision=request.submitted,
        revision_hash=request.submitted.hash,
        reviewer=actor,
        author_id=request.author_id,
        verdict=verdict,
        comment=comment,
        via=via,
        reviewed_at=clock.now(),
    )
    record(
        verdict,
        request,
        actor=actor,
        via=via,
        reason=comment,
        revision=request.submitted.number,
        hash=request.submitted.hash,
    )
    if verdict == Verdict.REQUEST_CHANGES:
        move(request, "request_changes", actor=actor)
        jobs.ring("governance.tasks.tell_of_changes_requested", request.pk)
    elif verdict == Verdict.APPROVE and is_approved(request):
        jobs.ring("governance.tasks.settle", request.pk)
    return request
