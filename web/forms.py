"""Forms of accounts, runs by hand and checks, and the manners that all forms of the web share."""

from contextlib import contextmanager
from datetime import date, timedelta
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.choices import Scope
from accounts.services import MAX_TOKEN_DAYS
from core.errors import EtalonError
from measurement.choices import CheckKind
from measurement.models import Check
from measurement.selectors.ranges import OfficialLine
from measurement.services.checks import DEFAULTS, LIMITS
from web.entries import dimension_name


@contextmanager
def errors_shown_on(form):
    """Show what a service refuses as an error of the form that asked for it."""
    try:
        yield
    except EtalonError as error:
        form.add_error(None, error.message)


class SignInForm(forms.Form):
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
        error_messages={"required": "Enter your user name."},
    )
    password = forms.CharField(
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password."},
    )

    def user_of(self, request):
        """The person whose password this is, or None with the error said on the form."""
        user = authenticate(request, **self.cleaned_data)
        if user is None:
            self.add_error(None, "This user name and password do not belong together. Check both.")
        return user


class ProfileForm(forms.Form):
    full_name = forms.CharField(
        label="Your name",
        max_length=120,
        required=False,
        help_text="As colleagues see it beside what you propose and decide.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=60,
        help_text="Times are shown in it. Days of a metric are those of its data.",
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    single_keys = forms.BooleanField(
        label="Single-key shortcuts",
        required=False,
        help_text="Keys such as / and ? act at once, outside of fields.",
    )

    def clean_time_zone(self):
        zone = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(
                "There is no such time zone. Choose one of the list, e.g. Europe/Berlin."
            )
        return zone


class PasswordForm(forms.Form):
    current = forms.CharField(
        label="Current password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_current(self):
        if not self.user.check_password(self.cleaned_data["current"]):
            raise forms.ValidationError("This is not your current password.")
        return self.cleaned_data["current"]

    def clean_new(self):
        validate_password(self.cleaned_data["new"], self.user)
        return self.cleaned_data["new"]


class TokenForm(forms.Form):
    name = forms.CharField(
        label="What will use it",
        max_length=80,
        help_text="So that you know later what stops working when you revoke it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        help_text="A token can never do more than you, and its scopes cannot be widened later.",
        error_messages={"required": "Choose at least one thing that the token may do."},
    )
    days = forms.IntegerField(
        label="Days until it expires",
        initial=90,
        min_value=1,
        max_value=MAX_TOKEN_DAYS,
        help_text=f"At most {MAX_TOKEN_DAYS}.",
    )


class RangeForm(forms.Form):
    """Days of a metric to compute again. People name the last day; `until` is the one after it."""

    first = forms.DateField(
        label="First day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day like 2026-03-31."},
    )
    last = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day like 2026-03-31."},
    )
    dimensions = forms.MultipleChoiceField(
        label="Beside the total, by",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What is left out keeps its values, and may no longer add up to the total.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Kept with the run and in the audit log.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why the range is computed again."},
    )
    pin = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, asked, *, line: OfficialLine, is_started: bool = True):
        super().__init__(asked)
        for name in ("first", "last"):
            self.fields[name].widget.attrs |= {"min": line.first_day, "max": line.today}
        self.fields["dimensions"].choices = [
            (name, dimension_name(name)) for name in line.dimensions
        ]
        self.is_started = is_started
        if not line.dimensions:
            del self.fields["dimensions"]

    def clean(self):
        if not self.is_started:
            # Whoever only looks at the plan need not say why.
            self._errors.pop("reason", None)
        return super().clean()

    @property
    def start(self) -> date | None:
        return self.cleaned_data.get("first")

    @property
    def until(self) -> date | None:
        last = self.cleaned_data.get("last")
        return last + timedelta(days=1) if last and last < date.max else None


class CheckForm(forms.Form):
    """What a check allows; of a row count people say percent, and a share is kept."""

    limit = forms.FloatField()
    is_blocking = forms.BooleanField(
        label="Hold runs back when it fails",
        required=False,
        help_text="Otherwise metrics only say that their data is in doubt.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Kept with the check and in the audit log.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why the check is changed."},
    )

    def __init__(self, sent, *, check: Check):
        name, least, most = LIMITS[CheckKind(check.kind)]
        self.scale = 1 if check.kind == CheckKind.FRESHNESS else 100
        value = float(check.parameters.get(name, DEFAULTS[CheckKind(check.kind)][name]))
        initial = {"limit": f"{value * self.scale:g}", "is_blocking": check.is_blocking}
        super().__init__(sent, initial=initial)
        field = self.fields["limit"]
        field.label, field.help_text = _LIMIT_SAYS[CheckKind(check.kind)]
        low, high = least * self.scale, most * self.scale
        field.validators += [MinValueValidator(low), MaxValueValidator(high)]
        field.widget.attrs |= {"min": f"{low:g}", "max": f"{high:g}"}

    @property
    def kept_limit(self) -> float:
        return round(self.cleaned_data["limit"] / self.scale, 6)


_LIMIT_SAYS = {
    CheckKind.FRESHNESS: (
        "Hours that the newest row may be old",
        "Weekends and holidays without rows count, too.",
    ),
    CheckKind.ROW_COUNT: (
        "Percent below the usual that a day may lie",
        "As far above it is the other way round: at 50, half or twice as many. Days that varied "
        "more by themselves are allowed to go on doing so.",
    ),
}
