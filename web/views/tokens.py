"""A person's API tokens: made, shown once, listed, revoked."""

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


@sensitive_variables("secret")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """List the tokens and make new ones. The secret is in the one answer that makes it."""
    form, made, secret = TokenForm(request.POST or None), None, ""
    if form.is_bound and form.is_valid():
        with errors_shown_on(form):
            made, secret = services.create_token(
                request.user, actor=request.user, **form.cleaned_data
            )
            form = TokenForm()
    context = {
        "form": form,
        "made": made,
        "secret": secret,
        "tokens": [_row(token) for token in request.user.tokens.all()],
        "tabs": tabs("tokens"),
        "origin": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


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
