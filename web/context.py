"""What every page is given: where it is, who reads it, and how it looks."""

from django.utils.functional import SimpleLazyObject

from accounts.models import RoleGrant
from core.models import Notice
from web import navigation

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


def frame(request):
    """Asked only when a template uses it, so that a panel costs no query for the frame."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "places": navigation.PLACES,
        "place": navigation.place_of(request.path),
        "search_url": navigation.SEARCH_URL,
        "propose_url": navigation.PROPOSE_URL,
        "tree_url": navigation.TREE_URL,
        "theme": theme if theme in THEMES else "",
        "unread_notices": SimpleLazyObject(lambda: _unread(request)),
        "role_lines": SimpleLazyObject(lambda: _role_lines(request)),
    }


def _unread(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    return Notice.objects.filter(recipient=user, read_at=None).count()


def _role_lines(request):
    """A person's roles in sentences: `Reviewer in Growth, Finance`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    where: dict[str, list[str]] = {}
    for grant in RoleGrant.objects.filter(user=user).select_related("domain"):
        where.setdefault(grant.get_role_display(), []).append(
            grant.domain.name if grant.domain else "all domains"
        )
    return [f"{role} in {', '.join(sorted(names))}" for role, names in where.items()]
