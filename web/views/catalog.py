"""The catalog as a list with search and facets, and what the search field suggests."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from catalog.choices import Kind
from catalog.selectors.search import (
    FACETS,
    MAX_QUERY,
    SORTS,
    CatalogPage,
    CatalogQuery,
    catalog_page,
    suggestions,
)
from core.cursors import cursor_after, position_of
from core.errors import Invalid
from governance.selectors.requests import requests_page
from web.rows import entry_rows

PAGE = 50
# Everything is shown where words were searched for, metrics where one only looks around.
KINDS = (
    (Kind.METRIC, "Metrics"),
    (Kind.DATASET, "Datasets"),
    (Kind.SEGMENT, "Segments"),
    ("all", "Everything"),
)
_SORTS = {"relevance": "Best match", "name": "Name", "changed": "Last changed"}
_MOST_REQUESTS = 3


@require_safe
def catalog(request):
    """Everything in the catalog; the address says which facets are on and where one is."""
    text = request.GET.get("q", "").strip()[:MAX_QUERY]
    kind = _kind(request, text)
    chosen = {
        name: [value for value in request.GET.getlist(name) if value]
        for name in FACETS
        if name != "kind"
    }
    sort = request.GET.get("sort")
    query = CatalogQuery(
        text=text,
        facets={**chosen, "kind": [] if kind == "all" else [kind]},
        sort=sort if sort in SORTS else "relevance",
        limit=PAGE,
        position=None,
    )
    cursor = request.GET.get("cursor")
    try:
        if cursor:
            query = _from(query, position_of(cursor, request.path, request.GET.lists()))
        found = catalog_page(query, user=request.user)
    except Invalid:
        # A cursor that was cut or belongs to other filters: the list begins anew.
        return redirect(_address(request, without=("cursor",)))
    context = {
        "place": "catalog",
        "query": text,
        "search_text": text,
        "rows": entry_rows(found.rows, text=text),
        "total": found.total,
        "noun": _noun(kind, found.total),
        "meant": found.meant,
        "kind": kind,
        "tabs": _tabs(request, found, kind),
        "facets": [_shown(facet, chosen) for facet in found.facets if facet.name != "kind"],
        "chips": _chips(request, found, chosen),
        "clear_url": _address(request, only=("q", "kind")),
        "sort": query.sort,
        "sorts": _SORTS.items() if text else list(_SORTS.items())[1:],
        "next_cursor": found.next_position
        and cursor_after(found.next_position, request.path, request.GET.lists()),
        "is_later": query.position is not None,
    }
    return render(request, "catalog/list.html", context)


def _kind(request, text: str) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in dict(KINDS) else ("all" if text else Kind.METRIC)


def _from(query: CatalogQuery, position) -> CatalogQuery:
    return CatalogQuery(**{**vars(query), "position": position})


def _noun(kind: str, total: int) -> str:
    one = "entry" if kind == "all" else kind
    if total == 1:
        return one
    return "entries" if kind == "all" else f"{one}s"


def _address(request, *, without=(), only=None, **changes) -> str:
    """This page's address with other parameters. A cursor is good for one list alone."""
    asked = request.GET.copy()
    for name in list(asked):
        if name in (*without, "cursor") or (only is not None and name not in only):
            del asked[name]
    for name, value in changes.items():
        asked[name] = value
    return f"{request.path}?{asked.urlencode()}" if asked else request.path


def _tabs(request, found: CatalogPage, kind: str) -> list[dict]:
    counts = next((facet.options for facet in found.facets if facet.name == "kind"), [])
    by_kind = {option.value: option.count for option in counts}
    by_kind["all"] = sum(by_kind.values())
    return [
        {
            "label": label,
            "url": _address(request, kind=name),
            "count": by_kind.get(name, 0),
            "is_current": name == kind,
        }
        for name, label in KINDS
    ]


def _shown(facet, chosen: dict) -> dict:
    """A facet as the form draws it: the first ones unfolded, and whatever is in use."""
    return {
        "name": facet.name,
        "label": facet.label,
        "is_open": facet.name in ("domain", "tier", "role") or bool(chosen.get(facet.name)),
        "options": [
            {
                "value": option.value,
                "label": option.label,
                "count": option.count,
                "is_on": option.is_chosen,
            }
            for option in facet.options
        ],
    }


def _chips(request, found: CatalogPage, chosen: dict) -> list[dict]:
    labels = {
        (facet.name, option.value): option.label
        for facet in found.facets
        for option in facet.options
    }
    chips = []
    for name, values in chosen.items():
        for value in values:
            asked = request.GET.copy()
            asked.setlist(name, [each for each in values if each != value])
            asked.pop("cursor", None)
            said = labels.get((name, value), value)
            chips.append(
                {"label": f"{FACETS[name]}: {said}", "url": f"{request.path}?{asked.urlencode()}"}
            )
    return chips


@require_safe
def suggest(request):
    """The list below the search field, while somebody types in it."""
    text = request.GET.get("q", "").strip()[:MAX_QUERY]
    entries, meant = suggestions(text) if text else ([], "")
    requests = requests_page(request.user, text=text, limit=_MOST_REQUESTS).rows if text else []
    context = {
        "query": text,
        "entries": entries,
        "meant": meant,
        "requests": [row.request for row in requests],
        "count": len(entries) + len(requests),
    }
    return render(request, "catalog/_suggestions.html", context)
