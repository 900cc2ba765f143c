"""Runs: the list, and one run with its windows, as it goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.models import Metric
from catalog.selectors.search import MAX_QUERY
from core.cursors import cursor_after, position_of
from core.errors import EtalonError, Invalid
from measurement import policies
from measurement.choices import (
    BACKFILL_MOVES,
    PASSING,
    UNFINISHED,
    BackfillStatus,
    Purpose,
)
from measurement.models import Backfill
from measurement.selectors.backfills import difference_so_far, progress_of, runs_page, windows_of
from measurement.services import backfills as services
from web import formatting
from web.views.session import safe_target

PAGE = 50
_MOST_METRICS = 50
SHOWS = {
    "": ("All", None),
    "open": ("Under way", UNFINISHED),
    "stuck": ("Held or failed", (BackfillStatus.HELD, BackfillStatus.FAILED)),
}
# Previews and questions are of those who asked; they are shown when they are asked for.
PURPOSES = {
    "": ("All but previews", tuple(set(Purpose) - PASSING)),
    **{purpose.value: (purpose.label, (purpose,)) for purpose in Purpose},
    "all": ("Everything", None),
}


@dataclass(frozen=True)
class Move:
    """What people do to a run. One that has a `question` is asked again before it is done."""

    label: str
    deed: Callable[..., Backfill]
    question: str = ""
    says: str = ""
    tone: str = ""
    wants_reason: bool = False


MOVES = {
    "pause": Move("Pause", services.pause_backfill),
    "resume": Move("Resume", services.resume_backfill),
    "retry": Move("Retry failed", services.retry_backfill),
    "release": Move(
        "Release",
        services.release_backfill,
        "Show the values although a check failed?",
        "The run goes on, and readers are shown what it computed. Your reason is kept in the audit "
        "log.",
        wants_reason=True,
    ),
    "cancel": Move(
        "Cancel the run",
        services.cancel_backfill,
        "Cancel this run for good?",
        "What it has computed is thrown away. Readers keep the values that they have.",
        "bad",
    ),
}


@require_safe
def backfills(request):
    show = request.GET.get("show", "")
    show = show if show in SHOWS else ""
    purpose = request.GET.get("purpose", "")
    purpose = purpose if purpose in PURPOSES else ""
    text = request.GET.get("metric", "").strip()[:MAX_QUERY]
    metrics = _metrics(text) if text else None
    cursor = request.GET.get("cursor")
    try:
        before = position_of(cursor, request.path, request.GET.lists()) if cursor else None
    except Invalid:
        # A cursor that was cut or belongs to other filters: the list begins anew.
        return redirect(_address(request))
    rows, more = runs_page(
        statuses=SHOWS[show][1],
        purposes=PURPOSES[purpose][1],
        metrics=None if metrics is None else [one.pk for one in metrics],
        before=before,
        limit=PAGE,
    )
    one = metrics[0] if metrics and len(metrics) == 1 else None
    context = {
        "place": "backfills",
        "rows": rows,
        "tabs": [
            {"label": label, "url": _address(request, show=name), "is_current": name == show}
            for name, (label, _) in SHOWS.items()
        ],
        "show": show,
        "purpose": purpose,
        "purposes": [(name, label) for name, (label, _) in PURPOSES.items()],
        "text": text,
        "is_narrowed": bool(show or purpose or text),
        "metric": one,
        "may_compute": one is not None and policies.why_not_backfill(request.user, one) is None,
        "next_cursor": more and cursor_after(more, request.path, request.GET.lists()),
        "is_later": before is not None,
    }
    return render(request, "measurement/backfills.html", context)


def _metrics(text: str) -> list[Metric]:
    """The metric of that key, or else those whose key or name holds the words."""
    if exact := Metric.objects.filter(key=text).first():
        return [exact]
    named = Metric.objects.filter(key__icontains=text) | Metric.objects.filter(name__icontains=text)
    return list(named.order_by("name")[:_MOST_METRICS])


def _address(request, **changes) -> str:
    """This page's address with other filters, from its first page on."""
    asked = request.GET.copy()
    asked.pop("cursor", None)
    for name, value in changes.items():
        asked[name] = value
        if not value:
            del asked[name]
    return f"{request.path}?{asked.urlencode()}" if asked else request.path


@require_safe
@vary_on_headers("HX-Request")
def backfill(request, pk: int):
    """One run. `ask` names a move that is asked again on the page itself, for want of a dialog."""
    run = get_object_or_404(Backfill.objects.prefetch_related("targets__metric"), pk=pk)
    template = "measurement/_run.html" if request.htmx else "measurement/backfill.html"
    context = _context(request, run)
    asked = request.GET.get("ask", "")
    context["asked"] = next((row for row in context["questions"] if row["name"] == asked), None)
    return render(request, template, context)


def _context(request, run: Backfill, refused: EtalonError | None = None) -> dict:
    progress = progress_of(run)
    windows = list(windows_of(run))
    why_not = policies.why_not_operate(request.user, run)
    why_not_release = policies.why_not_release(request.user, run)
    refusals = dict.fromkeys(MOVES, why_not) | {"release": why_not_release}
    allowed = [name for name, refusal in refusals.items() if refusal is None]
    is_held = run.status == BackfillStatus.HELD
    metrics = {target.metric for target in run.targets.all() if target.metric}
    return {
        "place": "backfills",
        "crumbs": [("Backfills", reverse("web:backfills"))],
        "run": run,
        "metrics": sorted(metrics, key=lambda metric: metric.name),
        "proposed": sorted({one.key for one in run.targets.all() if one.metric is None}),
        "progress": progress,
        "note": _note(progress),
        "windows": windows,
        "difference": difference_so_far(run) if run.status in UNFINISHED else None,
        "is_open": run.status in UNFINISHED,
        "is_held": is_held,
        "moves": [(name, MOVES[name]) for name in allowed if run.status in BACKFILL_MOVES[name][0]],
        # All that may ever be asked: the panel is renewed while the page stays.
        "questions": [
            {
                "name": name,
                "move": MOVES[name],
                "url": reverse("web:backfill-move", args=[run.pk, name]),
            }
            for name in allowed
            if MOVES[name].question
            and run.status not in (BackfillStatus.DONE, BackfillStatus.CANCELLED)
        ],
        "why_not": why_not if run.status in BACKFILL_MOVES["cancel"][0] else None,
        "why_not_release": why_not_release if is_held else None,
        "refused": refused,
    }


def _note(progress) -> str:
    if progress.is_waiting_for_worker:
        return "No heartbeat for 60 s, waiting to resume"
    if progress.eta_seconds is not None and progress.share >= 0.05:
        return f"about {formatting.duration(progress.eta_seconds)} left"
    return ""


@require_POST
def move(request, pk: int, verb: str):
    """Pause, resume, retry, release or cancel. What is shown now stays, but for a release."""
    run = get_object_or_404(Backfill, pk=pk)
    given = {"reason": request.POST.get("reason", "")[:8000]}
    try:
        MOVES[verb].deed(run, actor=request.user, via="web", **given)
    except EtalonError as error:
        run.refresh_from_db()
        context = _context(request, run, error)
        # The question stays open below what was wrong with its answer.
        if isinstance(error, Invalid):
            rows = context["questions"]
            context["asked"] = next((row for row in rows if row["name"] == verb), None)
        return render(request, "measurement/backfill.html", context, status=error.status)
    if verb == "release":
        messages.success(request, f"{run} is released. Its values are shown when it ends.")
    target = request.POST.get("next", "")
    return redirect(safe_target(request, target) if target else reverse("web:backfill", args=[pk]))
