"""Where a proposal begins: something that exists is chosen, or something new is named."""

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Domain
from catalog.models import Entry
from catalog.selectors.entries import entry_by_key, specs_in_force
from core.errors import EtalonError, NotAllowed
from governance import policies
from governance.content import Content
from governance.models import ChangeRequest
from governance.services.requests import item_of, open_request
from semantics.definition import DatasetSpec
from web import starts
from web.formulas import names_for_filters

MOST_ENTRIES = 30


@require_http_methods(["GET", "HEAD", "POST"])
def new(request):
    """Choose what to change, or name something new. A POST opens the draft."""
    why_not = policies.why_not_propose(request.user)
    if request.method != "POST":
        return render(request, "governance/new.html", _context(request, request.GET, why_not))
    if why_not:
        raise NotAllowed(why_not)
    try:
        if key := request.POST.get("entry"):
            opened = _open_for(entry_by_key(key), request.user)
        else:
            opened = _open_new(request)
    except EtalonError as error:
        context = _context(request, request.POST, None) | {"refused": error}
        return render(request, "governance/new.html", context, status=error.status)
    return redirect("web:change-edit", pk=opened.pk)


def _context(request, asked, why_not: str | None) -> dict:
    kind = asked.get("new")
    known = specs_in_force()
    entries = _found_entries(request.GET.get("q", ""), request.GET.get("entry", ""))
    return {
        "place": "changes",
        "why_not": why_not,
        "asked": asked,
        "kind": kind if kind in starts.KINDS else "metric",
        "kinds": starts.KINDS,
        "types": starts.TYPES,
        "domains": Domain.objects.all(),
        "entries": entries[:MOST_ENTRIES],
        "has_more": len(entries) > MOST_ENTRIES,
        "sources": starts.tables_by_source() if kind == "dataset" else [],
        "datasets": sorted(k for k, s in known.items() if isinstance(s, DatasetSpec)),
        "names": names_for_filters(known) if kind == "segment" else [],
    }


def _found_entries(query: str, chosen: str) -> list[Entry]:
    """By name, since that is how one looks along a list; one more than is shown."""
    rows = Entry.objects.live().select_related("domain").order_by("name", "pk")
    if chosen:
        rows = rows.filter(key=chosen)
    elif query:
        rows = rows.filter(Q(name__icontains=query) | Q(key__icontains=query))
    return list(rows[: MOST_ENTRIES + 1])


def _open_for(entry: Entry, user) -> ChangeRequest:
    """The person's own draft about this entry if there is one, else a new one."""
    mine = ChangeRequest.objects.filter(author=user, status="draft").about(entry.key).first()
    if mine:
        return mine
    item = item_of(entry)
    content = Content(title=f"Change {entry.name}"[:160], items=[item])
    return open_request(content=content.as_json(), actor=user, via="web")


def _open_new(request) -> ChangeRequest:
    content, left_out = starts.new_content(request.POST, request.user)
    opened = open_request(content=content, actor=request.user, via="web")
    if left_out:
        names = ", ".join(left_out[:12])
        messages.warning(
            request,
            f"Left out, since a definition cannot name them as they are written: {names}.",
        )
    return opened
