"""Freezing a draft into a revision, with the approvals that policy asks for it at that moment."""

from __future__ import annotations

from django.db import transaction

from core import clock, jobs
from core.errors import Invalid, StaleRevision
from governance import policies
from governance.approvals import Requirement, policy_for
from governance.assessment import Assessment, assess
from governance.content import Content, read_content
from governance.evidence import preview_items
from governance.models import ChangeRequest, Draft, Revision
from governance.services.common import locked, move, permit, record, require
from measurement.services.previews import request_preview
from semantics.canonical import hash_of
from semantics.problems import Problem


@transaction.atomic
def submit(request: ChangeRequest, *, lock: int, actor, via: str = "service") -> Revision:
    """Freeze the draft whose lock this is, and ask for its approvals.

    Content equal to the last revision makes no new one and voids no approval. Every problem that
    blocks is refused with its place. A preview of what moves is started by itself.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "submit")
    draft = Draft.objects.select_for_update().get(request=request)
    if draft.lock != lock:
        raise StaleRevision(
            "The draft was saved again since you read it. Look at it, then submit.",
            lock=draft.lock,
        )
    content = read_content(draft.content)
    assessment = assess(content)
    if assessment.blocking:
        raise refusal(assessment.blocking)
    content = _frozen(content, assessment)
    last = request.revisions.order_by("-number").first()
    if last and last.hash == content.hash:
        if request.revision_id == last.pk and request.status != "in_review":
            move(request, "submit", actor=actor)
            record("submit", request, actor=actor, via=via, revision=last.number)
        return last
    editors = set(draft.editors.values_list("pk", flat=True)) | {request.author_id, actor.pk}
    if last:
        editors |= set(last.editors)
    revision = Revision.objects.create(
        request=request,
        number=last.number + 1 if last else 1,
        content=content.as_json(),
        hash=content.hash,
        editors=sorted(editors),
        requirements=[need.as_json() for need in requirements_for(assessment)],
        change_class=assessment.change_class,
        submitted_by=actor,
        submitted_at=clock.now(),
    )
    move(
        request,
        "submit",
        actor=actor,
        revision=revision,
        change_class=assessment.change_class,
        submitted_at=request.submitted_at or revision.submitted_at,
    )
    record(
        "submit",
        request,
        actor=actor,
        via=via,
        reason=content.reason,
        revision=revision.number,
        hash=revision.hash,
        change_class=str(assessment.change_class),
    )
    if items := preview_items(assessment):
        request_preview(items, actor=None, via=via)
    jobs.ring("governance.tasks.settle", request.pk)
    return revision


def refusal(problems: list[Problem]) -> Invalid:
    """All that is wrong, each with its place and a way out."""
    first = problems[0]
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return Invalid(f"{first.message}{more}", problems=[problem.as_dict() for problem in problems])


def _frozen(content: Content, assessment: Assessment) -> Content:
    """The content as it will be published: specs re-rendered, each named by its hash."""
    frozen = content.model_copy(deep=True)
    for item in frozen.items:
        spec = assessment.proposed[item.key]
        item.spec = spec.model_dump(mode="json")
        item.definition = hash_of(spec)
    return frozen


def requirements_for(assessment: Assessment) -> list[Requirement]:
    """What policy asks for each item now. A missing policy is a refusal, never zero approvals."""
    found, problems = [], []
    for one in assessment.items:
        if one.change_class is None:
            continue
        rule = policy_for(
            change_class=one.change_class, tier=one.tier, is_new=one.is_new, domain=one.domain
        )
        if rule is None:
            what = f"{one.change_class} changes on tier {one.tier} in {one.domain}"
            problems.append(
                Problem(
                    f"items.{one.key}",
                    "no_policy",
                    f"No approval policy covers {what}.",
                    "Ask a steward to set one.",
                )
            )
            continue
        found.append(
            Requirement(
                key=one.key,
                change_class=str(one.change_class),
                tier=one.tier,
                is_new=one.is_new,
                domain=one.domain.pk,
                approvals=rule.approvals,
                stewards=rule.stewards,
                owner_counts=rule.owner_counts_as_steward,
            )
        )
    if problems:
        raise refusal(problems)
    return found
