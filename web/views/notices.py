"""What a person should know: the bell and its page."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from core import notices as service
from web.views.session import safe_target

LATEST = 6
PAGE = 40

ICONS = {"change": "changes", "backfill": "backfills", "check": "warning"}


@require_safe
@vary_on_headers("HX-Request")
def notices(request):
    """All notices by pages; with `?latest=1`, the few under the bell as a panel."""
    mine = request.user.notices.all()
    if request.htmx and "latest" in request.GET:
        context = {"notices": [_row(notice) for notice in mine[:LATEST]]}
        return render(request, "accounts/_latest_notices.html", context)
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        mine = mine.filter(read_at=None)
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(notice) for notice in page],
        "only_unread": only_unread,
        "tabs": [
            {"label": "All", "url": reverse("web:notices"), "is_current": not only_unread},
            {
                "label": "Unread",
                "url": f"{reverse('web:notices')}?show=unread",
                "is_current": only_unread,
            },
        ],
    }
    return render(request, "accounts/notices.html", context)


@require_POST
def read_all(request):
    count = service.mark_read(request.user)
    messages.success(request, f"{count} {'notice is' if count == 1 else 'notices are'} read.")
    return redirect("web:notices")


@require_POST
def open_notice(request, pk):
    """Mark a notice read and go to what it is about."""
    notice = get_object_or_404(request.user.notices, pk=pk)
    service.mark_one_read(notice)
    return redirect(safe_target(request, notice.url) if notice.url else "web:notices")


def _row(notice) -> dict:
    family = notice.kind.partition(".")[0].partition("_")[0]
    return {"notice": notice, "icon": ICONS.get(family, "bell"), "is_unread": not notice.read_at}
