"""Freezing a draft into a revision, with the approvals that policy asks for it at that moment."""

from __future__ import annotations

from django.db import transaction

from catalog.choices import Kind
from core import clock, jobs
from core.errors import Invalid, OutOfDate, StaleRevision, WrongState
from governance import policies
from governance.approvals import Requirement, policies_for
from governance.assessment import Assessment, assess
from governance.choices import Status
from governance.content import Content, hash_of_card, read_content
from governance.models import ChangeRequest, Draft, Revision
from governance.readiness import moved_on
from governance.services.common import locked, move, one_publish_at_a_time, permit, record, require
from governance.services.publishing import publish_ready
from measurement.services.previews import request_preview
from semantics.canonical import hash_of
from semantics.diff import ChangeClass
from semantics.problems import Problem


@transaction.atomic
def submit(
    request: ChangeRequest, *, actor, lock: int | None = None, via: str = "service"
) -> Revision:
    """Freeze the draft whose lock this is, and ask for its approvals.

    A draft in which nothing was written since the last revision makes no new one and voids no
    approval. Every problem that blocks is refused with its place. What policy lets pass without
    anybody's approval is published before this returns; a preview of what moves is started.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "submit")
    draft = Draft.objects.select_for_update().get(request=request)
    if lock is not None and draft.lock != lock:
        raise StaleRevision(
            f"{draft.saved_by} saved the draft again since you read it. Look at it, then submit.",
            lock=draft.lock,
            saved_by=str(draft.saved_by),
        )
    last = request.revision
    if last is not None and last.draft_lock == draft.lock:
        if request.status == Status.CHANGES_REQUESTED:
            raise WrongState(
                f"Nothing was changed since r{last.number}. Edit it, then submit.",
                status=request.status,
            )
        return last
    content = read_content(draft.content)
    assessment = assess(content)
    if stale := [line for line in moved_on(content, assessment) if not line.is_ok]:
        raise OutOfDate(stale[0].sentence, moved=[line.sentence for line in stale])
    if assessment.blocking:
        raise refusal(assessment.blocking)
    needs = requirements_for(assessment)
    is_free = not any(need.approvals for need in needs)
    if is_free and content.publish_when == "approved":
        one_publish_at_a_time()
    revision = _freeze(request, draft, _frozen(content, assessment), assessment, needs, actor)
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
    if items := assessment.preview_items:
        request_preview(items, actor=None, via=via)
    if not (is_free and publish_ready(request, actor=actor, via=via)):
        jobs.ring("governance.tasks.settle", request.pk)
    return revision


def _freeze(
    request: ChangeRequest,
    draft: Draft,
    content: Content,
    assessment: Assessment,
    needs: list[Requirement],
    actor,
) -> Revision:
    last = request.revision
    editors = {*draft.editors.values_list("pk", flat=True), request.author_id, actor.pk}
    # Text of earlier revisions is still in this one, and so are its writers.
    editors |= set(last.editors) if last else set()
    revision = Revision.objects.create(
        request=request,
        number=last.number + 1 if last else 1,
        content=content.as_json(),
        hash=content.hash,
        draft_lock=draft.lock,
        editors=sorted(editors),
        requirements=[need.as_json() for need in needs],
        change_class=assessment.change_class or "",
        submitted_by=actor,
        submitted_at=clock.now(),
    )
    move(
        request,
        "submit",
        actor=actor,
        revision=revision,
        change_class=str(assessment.change_class),
        submitted_at=request.submitted_at or revision.submitted_at,
    )
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
        spec, one = assessment.proposed[item.key], assessment.item(item.key)
        item.spec = spec.model_dump(mode="json")
        item.definition = hash_of(spec)
        if one.version_class != ChangeClass.RESTATING:
            # There is nothing whose past would have to be treated.
            item.treatment, item.keep_both_until = "", None
        elif item.kind != Kind.METRIC:
            # What stands on it has its values computed anew; it has no line of its own.
            item.treatment = "restate"
    frozen.stands_on = assessment.stands_on()
    frozen.cards = {
        item.key: hash_of_card(entry)
        for item in frozen.items
        if (entry := assessment.item(item.key).entry) and (item.stewardship or item.lifecycle)
    }
    return frozen


def requirements_for(assessment: Assessment) -> list[Requirement]:
    """What policy asks for each class of change in each item now.

    A change that moves an entry to another domain is asked for in both. A missing policy is a
    refusal, never zero approvals.
    """
    found, problems = [], []
    rules = policies_for()
    for one in assessment.items:
        for change_class in one.classes:
            for domain in one.domains:
                rule = rules(change_class, one.tier, is_new=one.is_new, domain=domain)
                if rule is None:
                    problems.append(_without_policy(one, change_class, domain))
                    continue
                found.append(
                    Requirement(
                        key=one.key,
                        change_class=str(change_class),
                        tier=one.tier,
                        is_new=one.is_new,
                        domain=domain.pk,
                        approvals=rule.approvals,
                        stewards=rule.stewards,
                        owner_counts=rule.owner_counts_as_steward,
                    )
                )
    if problems:
        raise refusal(problems)
    return found


def _without_policy(one, change_class, domain) -> Problem:
    what = f"{change_class} changes" if not one.is_new else f"new {one.kind}s"
    return Problem(
        f"items.{one.key}",
        "no_policy",
        f"No approval policy covers {what} of tier {int(one.tier)} in {domain}.",
        "Ask a steward to set one: without it nobody can agree.",
    )
