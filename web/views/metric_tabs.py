"""The other tabs of an entry's page: its history, lineage, checks and changes."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.choices import Kind
from catalog.models import Metric, Version
from catalog.selectors.entries import dependants_of, edges_among, in_force, upstreams_of
from core.errors import EtalonError
from governance.models import ChangeRequest
from measurement.selectors.values import read_values
from semantics.card import Words
from semantics.definition import DatasetSpec, Grain, read_spec
from semantics.diff import differences, word_differences
from web.asked import whole
from web.entries import found_entry, found_version, frame_of, line_of


@require_safe
def history(request, key: str):
    """Every version, newest first; any two can be compared."""
    entry = found_entry(key)
    versions = list(
        entry.versions.select_related("definition", "change__request").order_by("-number")
    )
    rows = []
    for position, version in enumerate(versions):
        before = versions[position + 1] if position + 1 < len(versions) else None
        rows.append(
            {
                "version": version,
                "request": version.change.request,
                "before": before,
                "headline": version.comparability.get("headline", ""),
                "differences": _differences(before, version)[:6],
            }
        )
    context = {
        **frame_of(request, entry, "history"),
        "rows": rows,
        "numbers": [v.number for v in versions],
    }
    return render(request, "catalog/history.html", context)


def _differences(old: Version | None, new: Version) -> list:
    """Definition and words, of a first version nothing: it is all new."""
    if old is None:
        return []
    return [
        *differences(read_spec(old.definition.spec), read_spec(new.definition.spec)),
        *word_differences(Words.model_validate(old.words), Words.model_validate(new.words)),
    ]


@require_safe
def compare(request, key: str):
    """Two versions side by side: what differs in meaning, and in values."""
    entry = found_entry(key)
    numbers = list(entry.versions.order_by("number").values_list("number", flat=True))
    a = _number(request.GET.get("a"), numbers, numbers[0])
    b = _number(request.GET.get("b"), numbers, numbers[-1])
    old, new = found_version(entry, a), found_version(entry, b)
    words = Words.model_validate(new.words)
    context = {
        **frame_of(request, entry, "history"),
        "old": old,
        "new": new,
        "numbers": numbers,
        "differences": _differences(old, new),
        "headline": new.comparability.get("headline", "") if b == a + 1 else "",
    }
    if entry.kind == Kind.METRIC:
        context |= _compared_values(Metric.objects.get(pk=entry.pk), a, b, words)
    return render(request, "catalog/compare.html", context)


def _number(given: str | None, numbers: list[int], default: int) -> int:
    return number if (number := whole(given)) in numbers else default


def _compared_values(subject: Metric, a: int, b: int, words: Words) -> dict:
    spec = read_spec(subject.current_version.definition.spec)
    grain = Grain.WEEK if Grain.WEEK in spec.grains else spec.grains[0]
    sides = {}
    for number in (a, b):
        try:
            sides[number] = read_values(subject, grain=grain, version=number).points
        except EtalonError:
            sides[number] = []
    if not sides[a] or not sides[b]:
        return {"spec": None, "rows": []}
    was = {point.period: point for point in sides[a]}
    rows = [
        {
            "label": point.label,
            "old": was[point.period].value,
            "new": point.value,
            "pct": _pct(was[point.period].value, point.value),
        }
        for point in sides[b]
        if point.period in was and point.is_complete
    ]
    chart = {
        "title": f"{subject.name}, v{a} and v{b}",
        "grain": grain,
        "unit": words.unit.model_dump(),
        "series": [
            {"label": f"v{b}", "style": "", "points": line_of(sides[b])},
            {"label": f"v{a}", "style": "old", "points": line_of(sides[a])},
        ],
        "incomplete": not sides[b][-1].is_complete,
    }
    return {"spec": chart, "rows": rows[::-1], "unit": words.unit.model_dump()}


def _pct(old, new):
    return float(new / old - 1) if old and new is not None else None


@require_safe
def lineage(request, key: str):
    """What it is computed from and what is computed from it: a list first, then a picture."""
    entry = found_entry(key)
    up, down = upstreams_of([entry.pk]), dependants_of([entry.pk])
    ids = [entry.pk, *(found.pk for found in up), *(found.pk for found in down)]
    nodes = [
        {
            "key": found.key,
            "label": found.name,
            "kind": found.kind,
            "url": f"/metrics/{found.key}",
        }
        for found in [*up, *down]
    ]
    nodes.append({"key": entry.key, "label": entry.name, "kind": entry.kind, "is_self": True})
    edges = [
        {"upstream": edge["source"], "downstream": edge["target"]} for edge in edges_among(ids)
    ]
    standing = in_force([key]).specs
    context = {
        **frame_of(request, entry, "lineage"),
        "up": up,
        "down": down,
        "nodes": nodes,
        "edges": edges,
        "edge_rows": edges_among(ids),
        "tables": sorted(
            {
                spec.relation.name
                for spec in standing.values()
                if isinstance(spec, DatasetSpec) and spec.relation.kind == "table"
            }
            | {
                table
                for spec in standing.values()
                if isinstance(spec, DatasetSpec) and spec.relation.kind == "query"
                for table in spec.relation.tables
            }
        ),
    }
    return render(request, "catalog/lineage.html", context)


@require_safe
def checks(request, key: str):
    """What its data must meet, and what came of it lately."""
    entry = found_entry(key)
    subject = Metric.objects.filter(pk=entry.pk).first()
    if subject is None:
        raise Http404("Checks are shown on metrics.")
    context = frame_of(request, entry, "checks")
    context["rows"] = [
        {
            "state": state,
            "runs": list(state.check.runs.all()[:30])[::-1],
            "name": "passed"
            if state.is_passed
            else (state.run.outcome if state.run else "missing"),
        }
        for state in context["health"].checks
    ]
    return render(request, "catalog/checks.html", context)


@require_safe
def changes(request, key: str):
    """Every change request about it."""
    entry = found_entry(key)
    context = {
        **frame_of(request, entry, "changes"),
        "requests": ChangeRequest.objects.about(key).select_related("author", "revision"),
    }
    return render(request, "catalog/changes.html", context)
