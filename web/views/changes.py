"""Change requests: the list, and the page where one is read, discussed and decided."""

from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.models import Version
from core.errors import EtalonError, NotFound
from governance import policies
from governance.approvals import standings
from governance.assessment import assess
from governance.choices import MOVES, OPEN, Status, Verdict
from governance.content import read_content
from governance.evidence import evidence_of
from governance.models import ChangeRequest
from governance.readiness import readiness_of
from governance.selectors.requests import waiting_for
from governance.services import comments, publishing, requests, reviews
from semantics.card import Words
from semantics.definition import read_spec
from semantics.diff import differences, word_differences
from web.asked import whole
from web.requests import preview_chart, timeline_of

TABS = (
    ("open", "Open"),
    ("review", "Needs my review"),
    ("mine", "Mine"),
    ("scheduled", "Scheduled"),
    ("done", "Done"),
)
PAGE = 50


@require_safe
def changes(request):
    """The list by tabs; the address says which."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    rows = ChangeRequest.objects.select_related("author", "revision")
    if query := request.GET.get("q", "").strip():
        rows = rows.filter(Q(title__icontains=query) | Q(changes__key__icontains=query)).distinct()
    found = {
        "open": lambda: rows.filter(status__in=OPEN)[:PAGE],
        "review": lambda: [row.request for row in waiting_for(request.user)],
        "mine": lambda: rows.filter(author=request.user)[:PAGE],
        "scheduled": lambda: rows.filter(status=Status.SCHEDULED)[:PAGE],
        "done": lambda: rows.exclude(status__in=OPEN)[:PAGE],
    }[tab]()
    context = {
        "place": "changes",
        "requests": found,
        "tab": tab,
        "query": query,
        "tabs": [
            {"label": label, "url": f"/changes?tab={name}", "is_current": name == tab}
            for name, label in TABS
        ],
    }
    return render(request, "governance/changes.html", context)


def _found(pk: int) -> ChangeRequest:
    rows = ChangeRequest.objects.select_related("author", "revision", "draft")
    return get_object_or_404(rows, pk=pk)


@require_safe
@vary_on_headers("HX-Request")
def change(request, pk: int):
    """The page of one request: what and why, what is missing, what it does, who said what."""
    found = _found(pk)
    is_draft = found.revision is None and found.status == Status.DRAFT
    if is_draft and policies.why_not_edit(request.user, found) is None:
        return redirect("web:change-edit", pk=pk)
    context = _context(request, found)
    template = "governance/_decision.html" if request.htmx else "governance/change.html"
    return render(request, template, context)


def _context(request, found: ChangeRequest, **more) -> dict:
    document = found.revision.content if found.revision else found.draft.content
    content = read_content(document)
    is_open = found.is_open
    assessment = assess(content) if is_open else None
    readiness = readiness_of(found, content, assessment) if is_open else None
    run = _figures(found, assessment)
    user = request.user
    return {
        "place": "changes",
        "change": found,
        "content": content,
        "assessment": assessment,
        "readiness": readiness,
        "lines": [
            {"state": line.state, "text": line.sentence, "note": _ask(line)}
            for line in (readiness.lines if readiness else ())
        ],
        "items": _items(found, content, assessment),
        "headlines": _headlines(found, run),
        "charts": [preview_chart(figures) for figures in run.figures.values()] if run else [],
        "run": run,
        "reviews": found.reviews.select_related("reviewer", "revision"),
        "comments": found.comments.select_related("author"),
        "timeline": timeline_of(found),
        "requirements": [one.requirement.sentence for one in standings(found)],
        "needs_update": bool(
            readiness and any(line.name == "base" and not line.is_ok for line in readiness.lines)
        ),
        "versions": [
            row.version for row in found.changes.select_related("version__entry") if row.version
        ],
        "why_not_review": _why_not(
            found, "approve", policies.why_not_review(user, found, Verdict.APPROVE)
        ),
        "why_not_publish": _why_not(
            found, "start_publishing", policies.why_not_publish(user, found)
        )
        or (readiness.why_not if readiness else ""),
        "can_edit": _why_not(found, "edit", policies.why_not_edit(user, found)) is None,
        "can_withdraw": _why_not(found, "withdraw", policies.why_not_withdraw(user, found)) is None,
        "can_reject": _why_not(found, "reject", policies.why_not_reject(user, found)) is None,
        "has_newer_draft": is_open
        and found.revision is not None
        and {**found.draft.content, "items": None} != {**document, "items": None},
        **more,
    }


def _versions(found: ChangeRequest) -> list[Version]:
    rows = found.changes.exclude(version=None).select_related("version__entry")
    return [row.version for row in rows]


def _ask(line) -> str:
    return f"Ask {', '.join(line.who[:4])}." if line.who else ""


def _why_not(found: ChangeRequest, action: str, reason: str | None) -> str | None:
    """The policy's reason, or the state's."""
    if reason:
        return reason
    if found.status not in MOVES[action][0]:
        return f"It is {Status(found.status).label.lower()}."
    return None


def _figures(found: ChangeRequest, assessment):
    """The preview of this revision, while it is open; afterwards its versions tell."""
    return evidence_of(assessment) if assessment is not None else None


def _headlines(found: ChangeRequest, run) -> list[str]:
    if run:
        return [one.headline for one in run.figures.values() if one.headline]
    versions = [row.version for row in found.changes.select_related("version") if row.version]
    return [v.comparability["headline"] for v in versions if v.comparability.get("headline")]


def _items(found: ChangeRequest, content, assessment) -> list[dict]:
    """Each item with its differences: against what is in force, or once closed, its base."""
    rows = []
    by_key = {row.key: row for row in found.changes.select_related("entry", "version")}
    for item in content.items:
        row = by_key.get(item.key)
        if assessment is not None:
            one = assessment.item(item.key)
            found_differences = [
                *one.spec_differences,
                *one.word_differences,
                *one.card_differences,
            ]
            judged, reason = one.change_class, one.reason
        else:
            found_differences = _closed_differences(row, item)
            judged = row.version.change_class if row and row.version else found.change_class
            reason = ""
        rows.append(
            {
                "item": item,
                "entry": row.entry if row else None,
                "version": row.version if row else None,
                "change_class": judged,
                "reason": reason,
                "differences": found_differences,
            }
        )
    return rows


def _closed_differences(row, item) -> list:
    if row is None or row.entry is None or item.base is None:
        return []
    base = row.entry.versions.select_related("definition").filter(number=item.base).first()
    if base is None:
        return []
    return [
        *differences(read_spec(base.definition.spec), read_spec(item.spec)),
        *word_differences(Words.model_validate(base.words), item.words),
    ]


def _decided(request, found: ChangeRequest, act):
    """Run a verb; a refusal is shown on the page, with what was typed kept."""
    try:
        act()
    except EtalonError as error:
        fresh = _found(found.pk)
        context = _context(request, fresh, refused=error, kept=request.POST.get("comment", ""))
        template = "governance/_decision.html" if request.htmx else "governance/change.html"
        return render(request, template, context, status=error.status)
    if request.htmx:
        return render(request, "governance/_decision.html", _context(request, _found(found.pk)))
    return redirect("web:change", pk=found.pk)


@require_POST
def review(request, pk: int):
    """Approve, request changes or comment, on exactly the revision that was read."""
    found = _found(pk)
    return _decided(
        request,
        found,
        lambda: reviews.review(
            found,
            revision_hash=request.POST.get("revision", ""),
            verdict=request.POST.get("verdict", ""),
            comment=request.POST.get("comment", ""),
            actor=request.user,
            via="web",
        ),
    )


@require_POST
def publish(request, pk: int):
    found = _found(pk)
    return _decided(
        request,
        found,
        lambda: publishing.publish(
            found,
            revision_hash=request.POST.get("revision", ""),
            actor=request.user,
            via="web",
        ),
    )


@require_POST
def withdraw(request, pk: int):
    found = _found(pk)
    reason = request.POST.get("comment", "")
    return _decided(
        request,
        found,
        lambda: requests.withdraw(found, actor=request.user, reason=reason, via="web"),
    )


@require_POST
def reject(request, pk: int):
    found = _found(pk)
    reason = request.POST.get("comment", "")
    return _decided(
        request, found, lambda: requests.reject(found, actor=request.user, reason=reason, via="web")
    )


@require_POST
def comment(request, pk: int):
    found = _found(pk)
    text = request.POST.get("comment", "")
    return _decided(
        request, found, lambda: comments.comment(found, text=text, actor=request.user, via="web")
    )


@require_POST
def rebase(request, pk: int):
    """Bring an out-of-date request up to the versions in force, then look at it in the editor."""
    found = _found(pk)
    requests.rebase(found, actor=request.user, via="web")
    return redirect("web:change-edit", pk=pk)


@require_POST
def back(request, key: str):
    """Open the request that puts an earlier version into force again."""
    number = whole(request.POST.get("number"))
    rows = Version.objects.select_related("entry__current_version__definition", "definition")
    version = rows.filter(entry__key=key, number=number).first()
    if version is None:
        raise NotFound(f"There is no {key}@{number}.")
    opened = requests.back_to(version, actor=request.user, via="web")
    return redirect("web:change-edit", pk=opened.pk)
