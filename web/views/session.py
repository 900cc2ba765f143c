"""Signing in and out. Attempts are counted by name and by address."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login, logout
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import (
    HttpResponseClientRedirect,
    HttpResponseStopPolling,
    reswap,
    trigger_client_event,
)

from accounts import services
from accounts.sessions import note_origin
from core.errors import NotAllowed, TooManyAttempts
from web.forms import SignInForm


@sensitive_post_parameters("password")
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request):
    """Ask who is there. A panel whose session has ended gets the whole page here instead; one that
    asks by itself says so and leaves the page as it is, with what is typed in it."""
    if request.htmx and (request.htmx.trigger or "").startswith("poll-"):
        said = "Your session has ended. Copy what you have typed, then load the page and sign in."
        told = trigger_client_event(HttpResponseStopPolling(), "toast", {"text": said})
        return reswap(told, "none")
    if request.htmx:
        return HttpResponseClientRedirect(f"{settings.LOGIN_URL}?next={_page_of_panel(request)}")
    target = safe_target(request, request.POST.get(REDIRECT_FIELD_NAME) or _asked_for(request))
    if request.user.is_authenticated and request.method != "POST":
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                user = _checked(request, form)
            except TooManyAttempts as error:
                form.add_error(None, error.message)
                user, status = None, error.status
            if user is not None:
                login(request, user)
                agent = request.headers.get("User-Agent", "")
                note_origin(request.session, address=address_of(request), agent=agent)
                return redirect(target)
    context = {"form": form, "next": target}
    return render(request, "accounts/sign_in.html", context, status=status)


@login_not_required
@never_cache
def admin_sign_in(request):
    """The admin's own door leads here, so that all attempts are counted in one place."""
    if request.user.is_authenticated:
        raise NotAllowed("The admin is for reviewers, stewards and administrators.")
    return redirect(f"{settings.LOGIN_URL}?{urlencode({REDIRECT_FIELD_NAME: _asked_for(request)})}")


@login_not_required
@require_POST
def sign_out(request):
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def safe_target(request, url: str) -> str:
    """An address of this site, else the home page: nobody is sent elsewhere after signing in."""
    hosts = {request.get_host()}
    if url.startswith("/") and url_has_allowed_host_and_scheme(
        url, hosts, require_https=request.is_secure()
    ):
        return url
    return settings.LOGIN_REDIRECT_URL


def address_of(request) -> str:
    """Where a request comes from. A proxy's word counts only when we stand behind one."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded[:45]
    return request.META.get("REMOTE_ADDR", "")[:45]


def _checked(request, form):
    attempt = services.begin_sign_in(form.cleaned_data["username"], address=address_of(request))
    user = form.user_of(request)
    if user is not None:
        services.finish_sign_in(attempt)
    return user


def _asked_for(request) -> str:
    return request.GET.get(REDIRECT_FIELD_NAME, "")


def _page_of_panel(request) -> str:
    return request.htmx.current_url_abs_path or settings.LOGIN_REDIRECT_URL
