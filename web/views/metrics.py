"""The page of one metric: what it means, how it stands, what changed, what stands on it."""

import csv
from dataclasses import replace

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.choices import Kind
from catalog.models import Entry, Metric
from catalog.selectors.history import EntryThen
from catalog.services.cards import follow as follow_entry
from catalog.services.cards import unfollow as unfollow_entry
from core import clock
from measurement.selectors.health import health_of, state_of
from measurement.values import Values
from semantics.card import Words
from semantics.definition import DatasetSpec, read_spec
from web import formatting
from web.asked import whole
from web.entries import (
    definition_lines,
    dimension_name,
    found_entry,
    found_version,
    frame_of,
    instant_of,
    then_of,
)
from web.rows import STATE_NAMES
from web.series import (
    LINES,
    MOST_ROWS,
    RANGES,
    asked_of,
    chart_of,
    csv_rows,
    line_name,
    multiples_of,
    newest_first,
    table_of,
    values_of,
)


@require_safe
def metric(request, key: str, number: int | None = None):
    """The overview; of an earlier version with a number, as it was then with `?as_of=`."""
    entry = found_entry(key)
    then = then_of(request, entry) if number is None else None
    if entry.kind != Kind.METRIC:
        return _other_kind(request, entry, number, then)
    subject = Metric.objects.select_related("domain", "current_version__definition").get(
        pk=entry.pk
    )
    version = then.version if then else found_version(entry, number)
    spec = read_spec(version.definition.spec)
    words = Words.model_validate(version.words)
    asked = asked_of(request, spec, number, instant_of(request) if then else None)
    values, refused = values_of(subject, asked)
    table = newest_first(table_of(values, asked))
    context = {
        **frame_of(request, subject, "overview", then),
        "version": version,
        "is_old": number is not None and version.pk != subject.current_version_id,
        "words": words,
        "unit": words.unit.model_dump(),
        "definition": definition_lines(spec),
        "dataset": getattr(spec, "dataset", ""),
        "asked": asked,
        "values": values,
        "refused": refused,
        "spec": chart_of(values, words, asked),
        "multiples": multiples_of(values, words, asked),
        "table": table[:MOST_ROWS],
        "row_count": len(table),
        "by_label": dimension_name(asked.by),
        "state": None if then else _state(subject),
        "stats": _stats(subject, values, words, then),
        "csv_url": _csv_url(request, key, number),
        "grains": [(grain.value, grain.value.capitalize()) for grain in spec.grains],
        "ranges": [(name, label) for name, (label, _) in RANGES.items()],
        "line_names": [
            (name, line_name(replace(asked, line=name, version=None))) for name in LINES
        ],
        "dimensions": [(path, dimension_name(path)) for path in spec.dimensions],
        "tree": None if then else _tree(subject),
    }
    return render(request, "catalog/metric.html", context)


def _csv_url(request, key: str, number: int | None) -> str:
    asked = request.GET.copy()
    if number is not None:
        asked["version"] = number
    return f"/metrics/{key}.csv?{asked.urlencode()}" if asked else f"/metrics/{key}.csv"


def _stats(
    subject: Metric, values: Values | None, words: Words, then: EntryThen | None
) -> list[dict]:
    unit = words.unit.model_dump()
    stats = []
    complete = [point for point in values.points if point.is_complete] if values else []
    if values is not None and complete and not values.group_by:
        last = complete[-1]
        before = complete[-2] if len(complete) > 1 else None
        note = formatting.period(last.period, values.grain)
        if before and before.value and last.value is not None:
            share = float(last.value / before.value - 1)
            arrow = "▲" if share > 0 else "▼" if share < 0 else "•"
            note = f"{arrow} {formatting.percent(abs(share), sign=False)} · {note}"
        stats.append(
            {
                "label": f"Last complete {values.grain}",
                "value": formatting.with_unit(last.value, unit, compact=True),
                "note": note,
            }
        )
    card = then.card if then else subject
    if card.target is not None:
        until = f"until {formatting.day(card.target_until)}" if card.target_until else ""
        target = formatting.with_unit(card.target, unit, compact=True)
        stats.append({"label": "Target", "value": target, "note": until})
    if then is not None:
        day = formatting.day(then.version.published_at)
        stats.append({"label": "Version then", "value": f"v{then.version.number}", "note": day})
        return stats
    return stats + _standing(subject)


def _standing(subject: Metric) -> list[dict]:
    """Whether the values of today can be relied on."""
    health = health_of(subject)
    age = health.freshness.age
    fresh = formatting.duration(age) if age is not None else "No value"
    stats = [{"label": "Freshness", "value": fresh, "note": health.freshness.sentence}]
    passing = sum(check.is_passed for check in health.checks)
    if health.checks:
        stats.append(
            {"label": "Checks", "value": f"{passing} of {len(health.checks)}", "note": "passing"}
        )
    return stats


def _state(subject: Metric) -> dict:
    state = state_of(subject)
    return {"name": STATE_NAMES.get(state.name), "sentence": state.sentence}


def _tree(subject: Metric) -> dict:
    up = subject.parent_edges.select_related("parent").order_by("parent__name")
    down = subject.child_edges.select_related("child").order_by("child__name")
    return {"parents": list(up), "children": list(down)}


def _other_kind(request, entry: Entry, number: int | None, then: EntryThen | None):
    """A dataset or segment: what it says, without values."""
    version = then.version if then else found_version(entry, number)
    spec = read_spec(version.definition.spec)
    context = {
        **frame_of(request, entry, "overview", then),
        "version": version,
        "is_old": number is not None and version.pk != entry.current_version_id,
        "words": Words.model_validate(version.words),
        "spec": spec,
        "is_dataset": isinstance(spec, DatasetSpec),
        "definition": [] if isinstance(spec, DatasetSpec) else definition_lines(spec),
    }
    return render(request, "catalog/entry.html", context)


@require_safe
@vary_on_headers("Cookie")
def values_csv(request, key: str):
    """The table's values as CSV; each row says version and run. Cells cannot become formulas."""
    entry = found_entry(key)
    subject = Metric.objects.filter(pk=entry.pk).first()
    if subject is None:
        raise Http404("Only metrics have values.")
    number = whole(request.GET.get("version")) or None
    then = then_of(request, entry) if number is None else None
    version = then.version if then else found_version(entry, number)
    spec = read_spec(version.definition.spec)
    asked = asked_of(request, spec, number, instant_of(request) if then else None)
    values, _ = values_of(subject, asked)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{key}-{asked.grain}-{clock.today():%Y%m%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows(csv_rows(values, asked, f"{key}@{version.number}"))
    return response


@require_POST
def follow(request, key: str):
    entry = found_entry(key)
    if request.POST.get("follow") == "0":
        unfollow_entry(entry, actor=request.user)
    else:
        follow_entry(entry, actor=request.user)
    return redirect("web:metric", key=key)
