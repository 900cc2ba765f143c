"""The catalog as a list with search and facets, and as a tree."""

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, F, Q
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.choices import Kind, MetricRole, Tier
from catalog.models import Entry, HierarchyEdge, Metric
from measurement.selectors.health import latest_points, states_of
from semantics.card import Words
from web import formatting

PAGE = 50
STATE_NAMES = {"green": "on_track", "yellow": "at_risk", "red": "off_track", "no_data": "no_data"}
# Of all that matches, so many are ranked.
MOST_RANKED = 500


def searched(rows, query: str):
    """Rows that match, best first. Words are stemmed; the last one may be unfinished."""
    words = [word for word in query.replace("'", " ").split() if word.strip(":&|!()*<>\\")]
    if not words:
        return rows.order_by("tier", "name")
    cleaned = [word.strip(":&|!()*<>\\") for word in words]
    text = " & ".join(f"'{word}':*" for word in cleaned)
    asked = SearchQuery(text, search_type="raw", config="english")
    found = rows.filter(Q(search=asked) | Q(key__icontains=query.replace(" ", "_")))
    best = found.values("pk")[:MOST_RANKED]
    return (
        rows.filter(pk__in=best)
        .annotate(rank=SearchRank(F("search"), asked))
        .order_by("-rank", "tier", "name")
    )


FACETS = (
    ("domain", "Domain", "domain__key", "domain__name"),
    ("tier", "Tier", "tier", "tier"),
    ("role", "Level", "metric__role", "metric__role"),
    ("lifecycle", "Lifecycle", "lifecycle", "lifecycle"),
    ("kind", "Kind", "kind", "kind"),
)
_LABELS = {
    "tier": {str(value): label for value, label in Tier.choices},
    "role": dict(MetricRole.choices),
}


@require_safe
def catalog(request):
    """Everything in the catalog; the address says which facets are on."""
    query = request.GET.get("q", "").strip()[:200]
    chosen = {name: request.GET.getlist(name) for name, *_ in FACETS}
    rows = Entry.objects.filter(current_version__isnull=False)
    base = searched(rows, query) if query else rows.order_by("tier", "name")
    narrowed = base
    for name, _, column, _ in FACETS:
        if chosen[name]:
            narrowed = narrowed.filter(**{f"{column}__in": chosen[name]})
    if not any(chosen.values()) and not query:
        narrowed = narrowed.filter(kind=Kind.METRIC)
    total = narrowed.count()
    start = _whole(request.GET.get("from"))
    shown = list(narrowed.select_related("domain", "current_version")[start : start + PAGE])
    metrics = list(
        Metric.objects.filter(
            pk__in=[row.pk for row in shown if row.kind == Kind.METRIC]
        ).select_related("domain", "current_version")
    )
    by_pk = {row.pk: row for row in metrics}
    subjects = [by_pk.get(row.pk, row) for row in shown]
    context = {
        "place": "catalog",
        "query": query,
        "rows": metric_rows(subjects, states_of(metrics), latest_points(metrics)),
        "total": total,
        "facets": _facets(base, chosen),
        "chips": _chips(request, chosen),
        "next_from": start + PAGE if start + PAGE < total else None,
        "previous_from": max(0, start - PAGE) if start else None,
        "start": start,
    }
    return render(request, "catalog/list.html", context)


def _whole(given: str | None) -> int:
    return int(given) if given and given.isdigit() else 0


def _facets(rows, chosen: dict) -> list[dict]:
    """Counts of each facet among what the search found."""
    ids = rows.order_by().values("pk")
    found = []
    for name, label, column, shown in FACETS:
        counts = (
            Entry.objects.filter(pk__in=ids)
            .values_list(column, shown)
            .annotate(count=Count("pk"))
            .order_by(shown)
        )
        options = [
            {
                "value": str(value),
                "label": _LABELS.get(name, {}).get(
                    str(value), str(text).replace("_", " ").capitalize()
                ),
                "count": count,
                "is_on": str(value) in chosen[name],
            }
            for value, text, count in counts
            if value not in (None, "")
        ]
        if options:
            found.append({"name": name, "label": label, "options": options})
    return found


def _chips(request, chosen: dict) -> list[dict]:
    chips = []
    for name, values in chosen.items():
        for value in values:
            without = request.GET.copy()
            without.setlist(name, [each for each in values if each != value])
            label = _LABELS.get(name, {}).get(value, value.replace("_", " ").capitalize())
            chips.append({"label": label, "url": f"/metrics?{without.urlencode()}"})
    return chips


def metric_rows(subjects, states: dict, points: dict) -> list[dict]:
    """What a row of a list shows of each entry: last value, how it stands, a small curve."""
    rows = []
    for subject in subjects:
        series = [value for _, value in points.get(subject.pk, []) if value is not None]
        words = Words.model_validate(subject.current_version.words)
        unit = words.unit.model_dump()
        state = states.get(subject.pk)
        rows.append(
            {
                "entry": subject,
                "role": getattr(subject, "role", ""),
                "value": formatting.with_unit(series[-1], unit, compact=True) if series else "",
                "curve": [float(value) for value in series],
                "state": STATE_NAMES.get(state.name) if state else None,
            }
        )
    return rows


@require_safe
def tree(request):
    """North star, key results and inputs as an outline; guardrails beside what they guard."""
    edges = list(HierarchyEdge.objects.select_related("parent", "child").order_by("child__name"))
    metrics = list(
        Metric.objects.filter(
            Q(child_edges__isnull=False) | Q(parent_edges__isnull=False) | Q(role="north_star")
        )
        .distinct()
        .select_related("domain", "current_version")
    )
    rows = {
        row["entry"].pk: row
        for row in metric_rows(metrics, states_of(metrics), latest_points(metrics))
    }
    below: dict[int, list] = {}
    for edge in edges:
        below.setdefault(edge.parent_id, []).append(edge)
    children = {edge.child_id for edge in edges if edge.kind != "guardrail"}
    tops = sorted(
        (m for m in metrics if m.pk not in children and m.pk in below or m.role == "north_star"),
        key=lambda m: (m.role != "north_star", m.name),
    )
    lines: list[dict] = []
    for top in tops:
        _descend(top.pk, None, 0, rows, below, lines, frozenset())
    context = {"place": "tree", "lines": lines}
    return render(request, "catalog/tree.html", context)


def _descend(pk, edge, depth, rows, below, lines, above) -> None:
    if pk in above or pk not in rows:
        return
    lines.append({**rows[pk], "edge": edge, "depth": depth})
    for child in below.get(pk, []):
        _descend(child.child_id, child, depth + 1, rows, below, lines, above | {pk})
