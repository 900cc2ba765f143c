"""Runs: the list, and one run with its windows, as it goes on."""

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from core.errors import EtalonError
from measurement import policies
from measurement.choices import BACKFILL_MOVES, UNFINISHED, WindowState
from measurement.models import Backfill
from measurement.selectors.backfills import difference_so_far, progress_of, windows_of
from measurement.services.backfills import (
    cancel_backfill,
    pause_backfill,
    resume_backfill,
    retry_backfill,
)
from web import formatting
from web.views.session import safe_target

MOVES = {
    "pause": ("Pause", pause_backfill),
    "resume": ("Resume", resume_backfill),
    "retry": ("Retry failed", retry_backfill),
    "cancel": ("Cancel", cancel_backfill),
}
PAGE = 60


@require_safe
def backfills(request):
    rows = (
        Backfill.objects.annotate(
            total=Count("windows"), done=Count("windows", filter=Q(windows__state=WindowState.DONE))
        )
        .prefetch_related("targets")
        .order_by("-pk")
    )
    show = request.GET.get("show", "")
    if show == "open":
        rows = rows.filter(status__in=UNFINISHED)
    context = {
        "place": "backfills",
        "rows": [
            {"run": run, "keys": sorted({target.key for target in run.targets.all()})}
            for run in rows[:PAGE]
        ],
        "tabs": [
            {"label": "All", "url": "/backfills", "is_current": show != "open"},
            {"label": "Running", "url": "/backfills?show=open", "is_current": show == "open"},
        ],
    }
    return render(request, "measurement/backfills.html", context)


@require_safe
@vary_on_headers("HX-Request")
def backfill(request, pk: int):
    run = get_object_or_404(Backfill.objects.prefetch_related("targets"), pk=pk)
    template = "measurement/_run.html" if request.htmx else "measurement/backfill.html"
    return render(request, template, _context(request, run))


def _context(request, run: Backfill, refused: EtalonError | None = None) -> dict:
    progress = progress_of(run)
    windows = list(windows_of(run))
    why_not = policies.why_not_operate(request.user, run)
    return {
        "place": "backfills",
        "run": run,
        "keys": sorted({target.key for target in run.targets.all()}),
        "progress": progress,
        "note": _note(progress),
        "windows": windows,
        "failing": [window for window in windows if window.error],
        "difference": difference_so_far(run) if run.status in UNFINISHED else None,
        "is_open": run.status in UNFINISHED,
        "moves": []
        if why_not
        else [
            (name, label)
            for name, (label, _) in MOVES.items()
            if run.status in BACKFILL_MOVES[name][0]
        ],
        "why_not": why_not,
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
    """Pause, resume, retry or cancel. Published values stay whatever happens."""
    run = get_object_or_404(Backfill, pk=pk)
    try:
        MOVES[verb][1](run, actor=request.user, via="web")
    except EtalonError as error:
        run.refresh_from_db()
        context = _context(request, run, error)
        return render(request, "measurement/backfill.html", context, status=error.status)
    target = request.POST.get("next", "")
    return redirect(safe_target(request, target) if target else reverse("web:backfill", args=[pk]))
