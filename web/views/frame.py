"""Small pages and switches of the frame itself."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from web.context import THEME_COOKIE, THEMES
from web.views.session import safe_target

YEAR = 365 * 24 * 3600


@login_not_required
@require_POST
def theme(request):
    """Remember light or dark in this browser; anything else follows the system."""
    chosen = request.POST.get("theme", "")
    if request.headers.get("X-Requested-With") == "fetch":
        response = HttpResponse(status=204)
    else:
        response = redirect(safe_target(request, request.POST.get("next", "")))
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE, chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure()
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


@require_safe
def more(request):
    """What the bottom bar of a phone has no room for."""
    return render(request, "accounts/more.html", {"place": "more"})


@require_safe
def shortcuts(request):
    return render(request, "accounts/shortcuts.html")
