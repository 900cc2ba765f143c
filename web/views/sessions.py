"""Where a person is signed in, and ending what one does not know or need."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import Session
from web.agents import browser_of
from web.views.profile import tabs


@never_cache
@require_safe
def sessions(request):
    rows = [
        {
            "session": session,
            "browser": browser_of(session.agent),
            "is_this": session.session_key == request.session.session_key,
        }
        for session in _live(request)
    ]
    context = {
        # The one at hand first, then as they were last seen.
        "rows": sorted(rows, key=lambda row: not row["is_this"]),
        "others": sum(not row["is_this"] for row in rows),
        "tabs": tabs("sessions"),
    }
    return render(request, "accounts/sessions.html", context)


@require_POST
def end(request):
    """End one session, by its handle, or with `others` all but the one at hand."""
    asked = request.POST.get("session", "")
    if asked == "others":
        kept = request.session.session_key
        ended = services.end_other_sessions(request.user, kept=kept, actor=request.user)
        said = "Nobody else was signed in." if not ended else "All other sessions have ended."
        messages.success(request, said)
        return redirect("web:sessions")
    found = next((one for one in _live(request) if one.handle == asked), None)
    if found is None:
        raise Http404("That session has ended, or is not yours.")
    services.end_session(found, actor=request.user)
    if found.session_key == request.session.session_key:
        request.session.flush()
        return redirect("web:sign-in")
    messages.success(request, f"The session of {browser_of(found.agent)} has ended.")
    return redirect("web:sessions")


def _live(request):
    live = Session.objects.filter(user=request.user, expire_date__gt=timezone.now())
    return live.order_by("-seen_at")
