"""Compute a range of a metric again: the form, what it would do, and the start of the run."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from catalog.models import Metric
from core.errors import EtalonError, Invalid, NotAllowed
from measurement import policies
from measurement.selectors.ranges import OfficialLine, RangePlan, official_line, range_plan
from measurement.services.backfills import plan_by_hand
from web.entries import dimension_name, found_entry, frame_of
from web.forms import RangeForm

# What the form holds when it is opened: the days that a late delivery is mostly about.
DAYS = 7


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def compute(request, key: str):
    """Ask for days, parts and a reason; show the plan as they change; start on POST."""
    entry = found_entry(key)
    metric = Metric.objects.filter(pk=entry.pk).first()
    if metric is None:
        raise Http404("Only metrics are computed.")
    why_not = policies.why_not_backfill(request.user, metric)
    if request.method == "POST":
        if why_not:
            raise NotAllowed(why_not)
        return _started(request, entry, metric, official_line(metric))
    try:
        line = official_line(metric)
    except Invalid as error:
        return _page(request, entry, why_not=why_not, nothing=error.message)
    if why_not:
        return _page(request, entry, why_not=why_not)
    asked = request.GET if "first" in request.GET else _opening(line)
    form = RangeForm(asked, line=line, is_started=False)
    plan, refused = _planned(metric, form)
    if request.htmx:
        context = {"plan": plan, "refused": refused, **_told(line, plan)}
        return render(request, "catalog/_compute_plan.html", context)
    return _page(request, entry, form=form, plan=plan, refused=refused, line=line)


def _started(request, entry, metric: Metric, line: OfficialLine):
    """Start the run, or show the form again with what was refused and the plan as it is now."""
    is_started = "only_plan" not in request.POST
    form = RangeForm(request.POST, line=line, is_started=is_started)
    refused, status = None, 422
    if form.is_valid() and not is_started:
        status = 200
    elif form.is_valid():
        try:
            run = plan_by_hand(
                metric,
                start=form.start,
                until=form.until,
                dimensions=form.cleaned_data.get("dimensions"),
                reason=form.cleaned_data["reason"],
                pin=form.cleaned_data["pin"],
                actor=request.user,
                via="web",
            )
        except EtalonError as error:
            refused, status = error, error.status
        else:
            messages.success(request, f"{run} is planned. A worker takes it up.")
            return redirect("web:backfill", run.pk)
    plan, again = _planned(metric, form)
    return _page(
        request,
        entry,
        form=form,
        plan=plan,
        refused=refused or again,
        line=line,
        status=status,
    )


def _opening(line: OfficialLine) -> dict:
    first = max(line.first_day, line.today - timedelta(days=DAYS - 1))
    return {"first": first, "last": line.today, "dimensions": line.dimensions}


def _planned(metric: Metric, form: RangeForm) -> tuple[RangePlan | None, EtalonError | None]:
    """The plan of what the form says, where its days and parts make one."""
    form.is_valid()
    if form.start is None or form.until is None or form.errors.get("dimensions"):
        return None, None
    wanted = form.cleaned_data.get("dimensions")
    try:
        plan = range_plan(metric, start=form.start, until=form.until, dimensions=wanted)
    except EtalonError as error:
        return None, error
    return plan, None


def _page(request, entry, *, line=None, plan=None, status: int = 200, **more):
    context = {**frame_of(request, entry, "checks"), "plan": plan, **_told(line, plan), **more}
    return render(request, "catalog/compute.html", context, status=status)


def _told(line: OfficialLine | None, plan: RangePlan | None) -> dict:
    """The plan in the words of its panel."""
    if line is None or plan is None:
        return {}
    last: date = plan.until - timedelta(days=1)
    return {
        "last": last,
        "days": (plan.until - plan.start).days,
        "parts": [dimension_name(name) for name in plan.dimensions],
        "left_out": [
            dimension_name(name) for name in line.dimensions if name not in plan.dimensions
        ],
    }
