"""A person's API tokens: made, shown once, listed, revoked."""

from datetime import timedelta

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.choices import Scope
from core import clock
from web.forms import TokenForm, errors_shown_on
from web.views.profile import tabs

_MADE = "token_made"
# A secret that its maker never came to see is not shown later to whoever sits there.
_SHOWN_FOR = timedelta(minutes=5)


@sensitive_variables("secret")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """List the tokens and make new ones. The secret is shown once, after the redirect, so that
    loading the page again makes no second token."""
    form = TokenForm(request.POST or None)
    if form.is_bound and form.is_valid():
        with errors_shown_on(form):
            made, secret = services.create_token(
                request.user, actor=request.user, **form.cleaned_data
            )
        if not form.errors:
            return _shown_next(request, made, secret)
    made, secret = _just_made(request)
    context = {
        "form": form,
        "made": made,
        "secret": secret,
        "tokens": [_row(token) for token in request.user.tokens.all()],
        "tabs": tabs("tokens"),
        "origin": request.build_absolute_uri("/").rstrip("/"),
    }
    response = render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)
    response.delete_cookie(_MADE, path=request.path, samesite="Strict")
    return response


@sensitive_variables("secret")
def _shown_next(request, made, secret: str):
    """To the page that shows the secret. It travels in a cookie of this browser alone: a session
    is a row, and no secret is ever kept in one."""
    response = redirect("web:tokens")
    response.set_signed_cookie(
        _MADE,
        f"{made.pk} {secret}",
        max_age=_SHOWN_FOR,
        path=request.path,
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


@sensitive_variables("secret")
def _just_made(request):
    """The token made a moment ago, with its secret."""
    pk, _, secret = request.get_signed_cookie(_MADE, "", max_age=_SHOWN_FOR).partition(" ")
    return (request.user.tokens.filter(pk=pk).first() if pk else None), secret


@require_POST
def revoke(request, pk):
    token = get_object_or_404(request.user.tokens, pk=pk)
    services.revoke_token(token, actor=request.user)
    messages.success(request, f"Token “{token.name}” is revoked. What used it is refused from now.")
    return redirect("web:tokens")


def _row(token) -> dict:
    state = "active"
    if token.revoked_at:
        state = "revoked"
    elif token.expires_at <= clock.now():
        state = "expired"
    return {"token": token, "state": state, "scopes": [Scope(s).label for s in token.scopes]}
