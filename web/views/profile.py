"""What people set about themselves."""

from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services
from web.forms import PasswordForm, ProfileForm, errors_shown_on


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request):
    person = request.user
    initial = {name: getattr(person, name) for name in ProfileForm.base_fields}
    form = ProfileForm(request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        with errors_shown_on(form):
            services.change_profile(person, actor=person, **form.cleaned_data)
        if not form.errors:
            messages.success(request, "Your profile is saved.")
            return redirect("web:profile")
    context = {"form": form, "zones": sorted(available_timezones()), "tabs": tabs("profile")}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request):
    form = PasswordForm(request.POST or None, user=request.user)
    if form.is_bound and form.is_valid():
        with errors_shown_on(form):
            services.change_password(
                request.user, password=form.cleaned_data["new"], actor=request.user
            )
        if not form.errors:
            # The session at hand goes on; all others of this person have ended.
            update_session_auth_hash(request, request.user)
            messages.success(request, "Your password is changed. Other sessions have ended.")
            return redirect("web:profile")
    context = {"form": form, "tabs": tabs("password")}
    return render(request, "accounts/password.html", context, status=422 if form.errors else 200)


def tabs(current: str) -> list[dict]:
    places = (
        ("profile", "Profile"),
        ("password", "Password"),
        ("sessions", "Sessions"),
        ("tokens", "API tokens"),
    )
    return [
        {"label": label, "url": reverse(f"web:{key}"), "is_current": key == current}
        for key, label in places
    ]
