"""The page of one metric: what it means, how it stands, what changed, what stands on it."""

import csv
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.choices import Kind
from catalog.models import Entry, Metric
from catalog.services.cards import follow as follow_entry
from catalog.services.cards import unfollow as unfollow_entry
from core import clock
from core.errors import EtalonError
from measurement.selectors.health import health_of, state_of
from measurement.selectors.values import read_values
from semantics.card import Words
from semantics.definition import DatasetSpec, MetricSpec, read_spec
from web import formatting
from web.entries import definition_lines, found_entry, found_version, frame_of, line_of
from web.exports import cell

RANGES = {
    "13w": ("13 weeks", 91),
    "26w": ("Half a year", 182),
    "1y": ("A year", 371),
    "all": ("All", 0),
}
MOST_LINES = 6
STYLES = ("", "2", "3", "4", "2", "3")
_STATE_NAMES = {
    "green": "on_track",
    "yellow": "at_risk",
    "red": "off_track",
    "no_data": "no_data",
}


@require_safe
def metric(request, key: str, number: int | None = None):
    """The overview; of an earlier version with a number."""
    entry = found_entry(key)
    if entry.kind != Kind.METRIC:
        return _other_kind(request, entry)
    subject = Metric.objects.select_related("domain", "current_version__definition").get(
        pk=entry.pk
    )
    version = found_version(entry, number)
    spec = read_spec(version.definition.spec)
    words = Words.model_validate(version.words)
    asked = _asked(request, spec, number)
    values = _values(subject, asked)
    context = {
        **frame_of(request, subject, "overview"),
        "version": version,
        "is_old": number is not None and version.pk != subject.current_version_id,
        "words": words,
        "unit": words.unit.model_dump(),
        "definition": definition_lines(spec),
        "asked": asked,
        "values": values,
        "spec": chart_of(subject, values, words, asked),
        "state": _state(subject),
        "stats": _stats(subject, values, words),
        "csv_url": f"/metrics/{key}.csv?{request.GET.urlencode()}",
        "grains": [(grain.value, grain.value.capitalize()) for grain in spec.grains],
        "ranges": [(name, label) for name, (label, _) in RANGES.items()],
        "dimensions": [
            (path, path.replace("__", " ").replace("_", " ")) for path in spec.dimensions
        ],
        "tree": _tree(subject),
    }
    return render(request, "catalog/metric.html", context)


def _asked(request, spec: MetricSpec, number: int | None) -> dict:
    """What the reader chose to see, with what makes sense in place of what does not."""
    grains = [grain.value for grain in spec.grains]
    wanted = request.GET.get("grain", "")
    grain = wanted if wanted in grains else ("week" if "week" in grains else grains[0])
    length = request.GET.get("range", "1y")
    length = length if length in RANGES else "1y"
    by = request.GET.get("by", "")
    return {
        "grain": grain,
        "range": length,
        "by": by if by in spec.dimensions else "",
        "line": "reported" if request.GET.get("line") == "reported" else "now",
        "version": number,
    }


def _values(subject: Metric, asked: dict):
    """Stored values; a refusal is shown in the place of the chart and the page goes on."""
    _, days = RANGES[asked["range"]]
    start = clock.today() - timedelta(days=days) if days else None
    try:
        return read_values(
            subject,
            grain=asked["grain"],
            group_by=asked["by"] or None,
            start=start,
            line=asked["line"],
            version=asked["version"],
        )
    except EtalonError as error:
        return {"refused": error.message}


def chart_of(subject: Metric, values, words: Words, asked: dict) -> dict | None:
    """What `components/chart.html` draws."""
    points = getattr(values, "points", [])
    if not points:
        return None
    if asked["by"]:
        series = _by_member(points)
    else:
        label = "As reported then" if asked["line"] == "reported" else "As defined now"
        series = [{"label": label, "style": "", "points": line_of(points)}]
        if values.second:
            series.append(
                {"label": "Older definition", "style": "old", "points": line_of(values.second)}
            )
    return {
        "title": subject.name,
        "grain": asked["grain"],
        "unit": words.unit.model_dump(),
        "kind": "lines",
        "series": series,
        "marks": [
            {
                "at": mark.on,
                "label": f"{mark.name} in effect",
                "url": f"/metrics/{subject.key}/compare?a={mark.previous}&b={mark.version}",
            }
            for mark in values.marks
            if mark.previous
        ],
        "target": {"value": float(subject.target), "label": "Target"}
        if subject.target is not None and not asked["by"]
        else None,
        "shades": [],
        "incomplete": not points[-1].is_complete,
    }


def _by_member(points) -> list[dict]:
    """The members that weigh most, each a line; how many were left out is said by the page."""
    lines: dict[str, list] = {}
    for point in points:
        lines.setdefault(point.members[0] if point.members[0] is not None else "None", []).append(
            point
        )
    weight = {
        name: sum(abs(point.value or 0) for point in members) for name, members in lines.items()
    }
    heaviest = sorted(lines, key=lambda name: -weight[name])[:MOST_LINES]
    return [
        {"label": name, "style": STYLES[position], "points": line_of(lines[name])}
        for position, name in enumerate(heaviest)
    ]


def _stats(subject: Metric, values, words: Words) -> list[dict]:
    health = health_of(subject)
    unit = words.unit.model_dump()
    complete = [point for point in getattr(values, "points", []) if point.is_complete]
    stats = []
    if complete and not values.group_by:
        last = complete[-1]
        before = complete[-2] if len(complete) > 1 else None
        note = last.label
        if before and before.value and last.value is not None:
            share = float(last.value / before.value - 1)
            arrow = "▲" if share > 0 else "▼" if share < 0 else "•"
            note = f"{arrow} {formatting.percent(abs(share), sign=False)} · {last.label}"
        stats.append(
            {
                "label": "Last complete " + values.grain,
                "value": formatting.with_unit(last.value, unit, compact=True),
                "note": note,
            }
        )
    if subject.target is not None:
        until = f"until {subject.target_until:%-d %b %Y}" if subject.target_until else ""
        stats.append(
            {
                "label": "Target",
                "value": formatting.with_unit(subject.target, unit, compact=True),
                "note": until,
            }
        )
    stats.append({"label": "Freshness", "value": _age(health), "note": health.freshness.sentence})
    passing = sum(check.is_passed for check in health.checks)
    if health.checks:
        stats.append(
            {"label": "Checks", "value": f"{passing} of {len(health.checks)}", "note": "passing"}
        )
    return stats


def _age(health) -> str:
    if health.freshness.age is None:
        return "No value"
    return formatting.duration(health.freshness.age)


def _state(subject: Metric) -> dict:
    state = state_of(subject)
    return {"name": _STATE_NAMES.get(state.name), "sentence": state.sentence}


def _tree(subject: Metric) -> dict:
    up = subject.parent_edges.select_related("parent").order_by("parent__name")
    down = subject.child_edges.select_related("child").order_by("child__name")
    return {"parents": list(up), "children": list(down)}


def _other_kind(request, entry: Entry):
    """A dataset or segment: what it says, without values."""
    version = found_version(entry, None)
    spec = read_spec(version.definition.spec)
    context = {
        **frame_of(request, entry, "overview"),
        "version": version,
        "words": Words.model_validate(version.words),
        "spec": spec,
        "is_dataset": isinstance(spec, DatasetSpec),
        "definition": [] if isinstance(spec, DatasetSpec) else definition_lines(spec),
    }
    return render(request, "catalog/entry.html", context)


@require_safe
@vary_on_headers("Cookie")
def values_csv(request, key: str):
    """The chart's values as CSV; each row says version and run. Cells cannot become formulas."""
    entry = found_entry(key)
    subject = Metric.objects.filter(pk=entry.pk).first()
    if subject is None:
        raise Http404("Only metrics have values.")
    spec = read_spec(subject.current_version.definition.spec)
    asked = _asked(request, spec, None)
    values = _values(subject, asked)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{key}-{asked['grain']}-{clock.today():%Y%m%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    member = [asked["by"]] if asked["by"] else []
    writer.writerow(
        [
            "period",
            *member,
            f"{key}@{subject.current_version.number}",
            "numerator",
            "denominator",
            "version",
            "run",
            "known_from",
            "complete",
        ]
    )
    for point in getattr(values, "points", []):
        writer.writerow(
            [
                point.period.isoformat(),
                *[cell(each) for each in point.members],
                *(_plain(n) for n in (point.value, point.numerator, point.denominator)),
                point.version,
                point.run or "live",
                point.known_from.isoformat() if point.known_from else "",
                "yes" if point.is_complete else "no",
            ]
        )
    return response


def _plain(number) -> str:
    return "" if number is None else format(number.normalize(), "f")


@require_POST
def follow(request, key: str):
    entry = found_entry(key)
    if request.POST.get("follow") == "0":
        unfollow_entry(entry, actor=request.user)
    else:
        follow_entry(entry, actor=request.user)
    return redirect("web:metric", key=key)
