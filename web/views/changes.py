"""Change requests: the list, and the page where one is read, discussed and decided."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import (
    HttpResponseClientRefresh,
    HttpResponseStopPolling,
    trigger_client_event,
)

from catalog.models import Version
from core.errors import EtalonError, NotFound
from governance import policies
from governance.choices import Status, Verdict
from governance.content import read_content
from governance.models import ChangeRequest, Comment, Review
from governance.reading import read, why_not_cancel
from governance.request_page import RequestPage, moment_of
from governance.selectors.requests import requests_page
from governance.services import comments, publishing, requests, returning, reviews
from governance.services.previews import ask_for_preview
from web.asked import whole
from web.timeline import events_of

TABS = {
    "open": "Open",
    "review": "Needs my review",
    "mine": "Mine",
    "scheduled": "Scheduled",
    "done": "Done",
}
_MOST_LINES = 40


@require_safe
def changes(request):
    """The list by tabs, newest first; the address says which."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in TABS else "open"
    query = request.GET.get("q", "").strip()
    before = whole(request.GET.get("cursor")) or None
    page = requests_page(request.user, tab=tab, text=query, before=before)
    context = {
        "place": "changes",
        "rows": page.rows,
        "total": page.total,
        "next_cursor": page.next_before,
        "tab": tab,
        "query": query,
        "tabs": [
            {
                "label": label,
                "url": f"/changes?{urlencode({'tab': name, **({'q': query} if query else {})})}",
                "is_current": name == tab,
                "count": page.counts[name],
            }
            for name, label in TABS.items()
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
    if request.htmx and (seen := request.GET.get("seen")):
        return _news(request, pk, seen)
    found = _found(pk)
    is_draft = found.revision is None and found.status == Status.DRAFT
    if is_draft and policies.why_not_edit(request.user, found) is None:
        return redirect("web:change-edit", pk=pk)
    context = _context(request, found)
    template = "governance/_decision.html" if request.htmx else "governance/change.html"
    return render(request, template, context)


def _news(request, pk: int, seen: str) -> HttpResponse:
    """Nothing, while the request is where its reader saw it. Who waits for the publication is
    shown it when it is there; else it is said, since a page that reloads takes what is typed
    with it."""
    moment = moment_of(pk)
    if seen == moment:
        return HttpResponse(status=204)
    is_due = "is_due" in request.GET
    if is_due and moment.split(".")[0] != seen.split(".")[0]:
        return HttpResponseClientRefresh()
    said = f"CR-{pk} has moved on since you opened this page. Load it again to see what is new."
    # Who waits for the publication goes on to ask for it.
    answer = HttpResponse(status=204) if is_due else HttpResponseStopPolling()
    return trigger_client_event(answer, "toast", {"text": said})


def _context(request, found: ChangeRequest, **more) -> dict:
    moment = moment_of(found.pk)  # Before the rest is read, so that nothing falls between.
    by = request.POST.get("by") or request.GET.get("by", "")
    part = whole(request.GET.get("items"), 1)
    seen = read(found, request.user, by=by, part=part)
    page = seen.page
    lines = page.lines[:_MOST_LINES]  # Unmet ones come first.
    return {
        "place": "changes",
        "change": found,
        "page": page,
        "content": page.content,
        "reading": seen,
        "past": seen.past,
        "page_url": _address(found.pk, items=seen.part if seen.part > 1 else ""),
        "lines": [
            {"state": line.state, "text": line.sentence, "note": _ask(line)} for line in lines
        ],
        "more_lines": len(page.lines) - len(lines),
        "comments": [
            (said, policies.why_not_resolve(request.user, said) is None) for said in page.comments
        ],
        "timeline": events_of(seen.timeline),
        "requirements": page.must_agree,
        "verdict": _verdict_of(request.user, page),
        "is_due": seen.is_due,
        "moment": moment,
        "why_not_cancel": why_not_cancel(request.user, seen.past),
        **more,
    }


def _address(pk: int, **asked) -> str:
    """The page of a request; what is empty is not asked."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('web:change', args=[pk])}{f'?{query}' if query else ''}"


def _verdict_of(person, page: RequestPage) -> Review | None:
    """What this person last said of the revision that is open, unless it was only a comment."""
    mine = [
        one
        for one in page.reviews
        if one.reviewer_id == person.pk
        and one.revision_id == page.request.revision_id
        and one.verdict != Verdict.COMMENT
    ]
    return max(mine, key=lambda one: one.pk, default=None)


def _ask(line) -> str:
    return f"Ask {', '.join(line.who[:4])}." if line.who else ""


def _decided(request, found: ChangeRequest, act, **said):
    """Run a verb; a refusal is shown on the page, with what was typed kept."""
    try:
        act()
    except EtalonError as error:
        fresh = _found(found.pk)
        context = _context(request, fresh, refused=error, kept=request.POST.get("comment", ""))
        template = "governance/_decision.html" if request.htmx else "governance/change.html"
        return render(request, template, context, status=error.status)
    if request.htmx:
        context = _context(request, _found(found.pk), **said)
        return render(request, "governance/_decision.html", context)
    return redirect(_address(found.pk, by=request.POST.get("by", "")))


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
        is_new_verdict=True,
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
def resolve_comment(request, pk: int, said: int):
    found, comment = _comment(pk, said)
    return _decided(
        request, found, lambda: comments.resolve_comment(comment, actor=request.user, via="web")
    )


@require_POST
def reopen_comment(request, pk: int, said: int):
    found, comment = _comment(pk, said)
    return _decided(
        request, found, lambda: comments.reopen_comment(comment, actor=request.user, via="web")
    )


def _comment(pk: int, said: int) -> tuple[ChangeRequest, Comment]:
    found = _found(pk)
    return found, get_object_or_404(Comment, pk=said, request=found)


@require_POST
def compare(request, pk: int):
    """Compute what the revision at hand does to the past, in total and by a dimension."""
    found = _found(pk)
    content = found.submitted.content if found.revision else found.draft.content
    by = request.POST.get("by", "")
    try:
        ask_for_preview(read_content(content), dimension=by or None, actor=request.user, via="web")
    except EtalonError as error:
        context = _context(request, _found(pk), past_refused=error.message)
        template = "governance/_decision.html" if request.htmx else "governance/change.html"
        return render(request, template, context, status=error.status)
    if request.htmx:
        return render(request, "governance/_decision.html", _context(request, _found(pk)))
    return redirect(_address(pk, by=by))


@require_POST
def split(request, pk: int):
    """Move the ticked items into a request of their own, and show it."""
    found = _found(pk)
    return _led_to(
        request,
        found,
        lambda: requests.split_request(
            found, keys=request.POST.getlist("key"), actor=request.user, via="web"
        ),
    )


@require_POST
def undo(request, pk: int):
    """Open the request that takes a published one back. Policy decides how it goes on."""
    found = _found(pk)
    return _led_to(request, found, lambda: returning.undo(found, actor=request.user, via="web"))


def _led_to(request, found: ChangeRequest, act):
    """Run a verb that opens another request, and go there; a refusal is shown on this page."""
    try:
        opened = act()
    except EtalonError as error:
        context = _context(request, _found(found.pk), refused=error)
        return render(request, "governance/change.html", context, status=error.status)
    return redirect("web:change", pk=opened.pk)


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
