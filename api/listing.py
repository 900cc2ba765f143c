"""Search and pages of the catalog: full text first, beginnings of words when that finds nothing."""

import re

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, F, FloatField, Q, QuerySet
from django.db.models.functions import Cast

from api import paging, parameters
from catalog.choices import OwnershipRole

MAX_QUERY = 200
_CONFIG = "english"


def searched(rows: QuerySet, text: str) -> QuerySet:
    """The entries that a text finds, with their `rank`."""
    if len(text) > MAX_QUERY:
        raise parameters.Refused("q", f"Search for at most {MAX_QUERY} characters.")
    query = SearchQuery(text, config=_CONFIG, search_type="websearch")
    if not rows.filter(search=query).exists():
        query = _beginnings(text)
        if query is None:
            return rows.none().annotate(rank=Cast(F("tier"), FloatField()))
    rank = Cast(SearchRank(F("search"), query), FloatField())
    return rows.filter(search=query).annotate(rank=rank)


def _beginnings(text: str) -> SearchQuery | None:
    words = re.findall(r"\w+", text)
    if not words:
        return None
    raw = " & ".join(f"'{word}':*" for word in words)
    return SearchQuery(raw, config=_CONFIG, search_type="raw")


def page_of_entries(request, rows: QuerySet) -> tuple[list, object]:
    """One page by name, or by rank when something was searched; and where the next begins."""
    limit, position = paging.limit_of(request), paging.cursor_of(request)
    text = request.query_params.get("q", "").strip()
    if text:
        rows = searched(rows, text).order_by("-rank", "name", "pk")
    else:
        rows = rows.order_by("name", "pk")
    if position is not None:
        rows = rows.filter(_after(position))
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], [getattr(last, "rank", None), last.name, last.pk]


def _after(position) -> Q:
    rank, name, pk = position
    later = Q(name__gt=name) | Q(name=name, pk__gt=pk)
    return later if rank is None else Q(rank__lt=rank) | (Q(rank=rank) & later)


def facets_of(rows: QuerySet, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """How many of the rows have each value of each facet."""
    paths = {"domain": "domain__key", "owner": "ownerships__user__username"}
    found = {}
    for name in names:
        path = paths.get(name, name)
        counted = rows.filter(ownerships__role=OwnershipRole.OWNER) if name == "owner" else rows
        counts = counted.order_by().values_list(path).annotate(Count("pk"))
        found[name] = {str(value): count for value, count in sorted(counts) if value != ""}
    return found
