"""The other tabs of an entry's page: its history, lineage, checks and changes."""

from datetime import UTC, timedelta

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.choices import Kind
from catalog.models import Metric, Version
from catalog.selectors.entries import dependants_of, edges_among, in_force, upstreams_of
from core.errors import EtalonError
from governance.choices import Verdict
from governance.models import ChangeRequest, Review
from governance.selectors.requests import changes_of, rows_of
from measurement import policies
from measurement.models import Check, CheckRun
from measurement.selectors.values import read_values
from semantics.card import Words
from semantics.definition import DatasetSpec, Grain, read_spec
from semantics.diff import differences, word_differences
from web import formatting
from web.asked import whole
from web.entries import found_entry, found_version, frame_of, then_of
from web.series import line_of


@require_safe
def history(request, key: str):
    """Every version, newest first; any two can be compared."""
    entry = found_entry(key)
    then = then_of(request, entry)
    related = ("definition", "change__request__author", "change__request__revision")
    versions = list(entry.versions.select_related(*related).order_by("-number"))
    if then is not None:
        versions = [version for version in versions if version.number <= then.version.number]
    approvers = _approvers([version.change.request for version in versions])
    rows = []
    for position, version in enumerate(versions):
        before = versions[position + 1] if position + 1 < len(versions) else None
        rows.append(
            {
                "version": version,
                "request": version.change.request,
                "before": before,
                "headline": version.comparability.get("headline", ""),
                "reason": _reason(version),
                "differences": _differences(before, version)[:6],
                "approvers": approvers.get(version.change.request_id, []),
                "as_of": _just_after(version),
            }
        )
    context = {
        **frame_of(request, entry, "history", then),
        "rows": rows,
        "numbers": [v.number for v in versions],
    }
    return render(request, "catalog/history.html", context)


def _just_after(version: Version) -> str:
    """An instant at which the version and its card were there, for an address."""
    at = version.recorded_at
    if at - version.published_at > timedelta(days=1):  # told of a history that was loaded
        at = version.published_at
    at += timedelta(seconds=1)
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _reason(version: Version) -> str:
    """Why it was asked for, in the words of its author."""
    return version.change.request.revision.content.get("reason", "")


def _approvers(requests: list[ChangeRequest]) -> dict[int, list]:
    """Who agreed to what was published in the end, by request."""
    given = Review.objects.filter(
        request__in=requests, revision=F("request__revision"), verdict=Verdict.APPROVE
    )
    found: dict[int, list] = {}
    for review in given.select_related("reviewer").order_by("pk"):
        found.setdefault(review.request_id, []).append(review.reviewer)
    return found


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
        "numbers": numbers[::-1],
        "differences": _differences(old, new),
        "headline": new.comparability.get("headline", "") if b == a + 1 else "",
        "reason": _reason(new) if b == a + 1 else "",
        "request": new.change.request,
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
            "label": formatting.period(point.period, grain),
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
    edge_rows = edges_among(ids)
    edges = [{"upstream": edge["source"], "downstream": edge["target"]} for edge in edge_rows]
    read = [found.key for found in up if found.kind == Kind.DATASET]
    standing = {name: spec for name, spec in in_force([key]).specs.items() if name in (*read, key)}
    context = {
        **frame_of(request, entry, "lineage"),
        "up": up,
        "down": down,
        "nodes": nodes,
        "edges": edges,
        "columns": [
            (edge["source"], edge["columns"])
            for edge in edge_rows
            if edge["target"] == entry.key and edge["columns"]
        ],
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
    context["may_compute"] = policies.why_not_backfill(request.user, subject) is None
    lately = _lately([state.check for state in context["health"].checks])
    context["rows"] = [
        {
            "state": state,
            **_ribbon(lately.get(state.check.pk, [])),
            "name": "passed"
            if state.is_passed
            else (state.run.outcome if state.run else "missing"),
        }
        for state in context["health"].checks
    ]
    return render(request, "catalog/checks.html", context)


_MOST_RUNS = 30


def _lately(checks: list[Check]) -> dict[int, list[str]]:
    """The last outcomes of each check, oldest first, in one query."""
    place = Window(RowNumber(), partition_by="check_rule", order_by="-pk")
    runs = CheckRun.objects.filter(check_rule__in=checks).annotate(place=place)
    found: dict[int, list[str]] = {}
    for check, outcome in (
        runs.filter(place__lte=_MOST_RUNS).order_by("pk").values_list("check_rule", "outcome")
    ):
        found.setdefault(check, []).append(outcome)
    return found


def _ribbon(outcomes: list[str]) -> dict:
    passed = outcomes.count("passed")
    return {
        "bars": [_BARS.get(outcome, "warn") for outcome in outcomes],
        "bars_label": f"{passed} of the last {len(outcomes)} runs passed",
    }


_BARS = {"passed": "good", "failed": "bad"}


@require_safe
def changes(request, key: str):
    """Every change request about it."""
    entry = found_entry(key)
    context = {
        **frame_of(request, entry, "changes"),
        "rows": rows_of(changes_of(entry)),
    }
    return render(request, "catalog/changes.html", context)
