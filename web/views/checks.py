"""One check: its rule, what it found lately, and those who may change it or have it run now."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import NotAllowed
from measurement import policies
from measurement.choices import CheckKind
from measurement.models import Check
from measurement.services.checks import DEFAULTS, LIMITS, ask_check, change_check
from web import formatting
from web.forms import CheckForm, errors_shown_on

_MOST_RUNS, _MOST_CHANGES = 30, 20


@require_http_methods(["GET", "HEAD", "POST"])
def check(request, pk: int):
    """Show a check; a POST changes what it allows."""
    found = _found(pk)
    why_not = policies.why_not_configure(request.user)
    form = None if why_not else CheckForm(request.POST or None, check=found)
    if request.method == "POST":
        if form is None:
            raise NotAllowed(why_not)
        form = form if form.is_bound else CheckForm({}, check=found)
        if form.is_valid():
            with errors_shown_on(form):
                change_check(
                    found,
                    limit=form.kept_limit,
                    is_blocking=form.cleaned_data["is_blocking"],
                    reason=form.cleaned_data["reason"],
                    actor=request.user,
                    via="web",
                )
        if not form.errors:
            messages.success(request, f"{found} is changed. It runs by its new rule now.")
            return redirect("web:check", found.pk)
    context = {
        "place": "catalog",
        "check": found,
        "crumbs": [
            ("Catalog", reverse("web:catalog")),
            (found.dataset.name, reverse("web:metric", args=[found.dataset.key])),
        ],
        "rule": rule_of(found.kind, found.parameters),
        "runs": [(run, _band(found, run)) for run in found.runs.order_by("-pk")[:_MOST_RUNS]],
        "changes": _changes(found),
        "form": form,
        "why_not": why_not,
        "why_not_ask": policies.why_not_ask(request.user, found),
        "is_asked": found.asked_at is not None,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "measurement/check.html", context, status=status)


@require_POST
def run_now(request, pk: int):
    """Have a worker run it; what it finds is on its page a moment later."""
    found = ask_check(_found(pk), actor=request.user, via="web")
    messages.success(request, f"{found} runs in a moment. Load the page again to see the outcome.")
    return redirect("web:check", found.pk)


def _found(pk: int) -> Check:
    return get_object_or_404(Check.objects.select_related("dataset__domain"), pk=pk)


def rule_of(kind: str, parameters: dict) -> str:
    """What a check asks of the rows, as a sentence."""
    name = LIMITS[CheckKind(kind)][0]
    limit = float(parameters.get(name, DEFAULTS[CheckKind(kind)][name]))
    if kind == CheckKind.FRESHNESS:
        days = f" ({limit / 24:g} days)" if limit >= 72 and limit % 24 == 0 else ""
        return f"The newest row is at most {limit:g} hours old{days}."
    return (
        "Yesterday has about as many rows as the same weekday of the eight weeks before: at most "
        f"{limit * 100:g}{formatting.GLUE}% fewer than their median, or as far from it as they "
        "varied."
    )


def _band(check: Check, run) -> str:
    """What was allowed when a run measured, in the unit of its kind."""
    if run.high is None:
        return ""
    if check.kind == CheckKind.FRESHNESS:
        return f"{run.measured:.0f} h of {run.high:g} h"
    return f"{formatting.plain(run.low)} to {formatting.plain(run.high)}"


def _changes(check: Check) -> list[dict]:
    """Who changed it and why, newest first; the first row is how it was made."""
    rows = check.history.select_related("history_user").order_by("-history_id")
    return [
        {
            "rule": rule_of(row.kind, row.parameters),
            "is_blocking": row.is_blocking,
            "who": row.history_user,
            "why": row.history_change_reason or "",
            "at": row.history_date,
        }
        for row in rows[:_MOST_CHANGES]
    ]
