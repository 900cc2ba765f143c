"""Finding something in the catalog: words, misspelt words, facets with counts, pages.

With words, the best few hundred matches are ranked and counted; without, all entries are. What
the facets count is read in one pass, so that every count is true of what the others leave over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, Q
from rapidfuzz import fuzz, process

from accounts.models import User
from catalog.choices import Kind, Lifecycle, MetricRole, OwnershipRole, Tier
from catalog.models import Entry, Follow, Metric, Ownership
from core import clock
from core.errors import Invalid

# Of all that matches words, so many are ranked; nobody reads further.
MOST_RANKED = 500
# How alike a misspelt word and a name must be, of 100.
_ALIKE = 72
SORTS = ("relevance", "name", "changed")
_WITHIN = {"7": 7, "30": 30, "90": 90}


@dataclass(frozen=True)
class CatalogQuery:
    """What is asked. Values of one facet are alternatives, facets narrow each other.

    `position` is where the last page left off, as the page before said it.
    """

    text: str = ""
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = "relevance"
    limit: int = 50
    position: list[Any] | None = None
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    name: str
    label: str
    options: list[Option]


@dataclass(frozen=True)
class CatalogPage:
    """`rows` are metrics in full and other entries as they are. `meant` is the nearest name when
    nothing matched the words themselves."""

    rows: list[Entry]
    total: int
    facets: list[Facet]
    next_position: list[Any] | None
    is_fuzzy: bool = False
    meant: str = ""


@dataclass(frozen=True)
class _Row:
    """What is counted and sorted of one entry."""

    pk: int
    rank: int
    name: str
    changed_at: datetime
    values: dict[str, tuple[str, ...]]


_FACETS = {
    "domain": "Domain",
    "kind": "Kind",
    "tier": "Tier",
    "role": "Level",
    "kpi": "KPI",
    "timing": "Leading or lagging",
    "category": "Category",
    "stage": "Stage",
    "lifecycle": "Lifecycle",
    "owner": "Owner",
    "tag": "Tag",
    "changed": "Changed in the last",
    "mine": "Mine",
}
_LABELS: dict[str, dict[str, str]] = {
    "kind": dict(Kind.choices),
    "tier": {str(tier.value): str(tier.label) for tier in Tier},
    "role": dict(MetricRole.choices),
    "kpi": {"yes": "KPI", "no": "Metric"},
    "lifecycle": dict(Lifecycle.choices),
    "changed": {days: f"{days} days" for days in _WITHIN},
    "mine": {"owned": "I own", "followed": "I follow"},
}
# Counts of these are read in their own order, not the largest first.
_IN_ORDER = ("tier", "changed", "role", "lifecycle")


def catalog_page(query: CatalogQuery, *, user: User | None = None) -> CatalogPage:
    """One page of the catalog with the counts of all facets. A few queries, whatever its size."""
    _refuse_unknown(query)
    ranked, is_fuzzy, meant = _candidates(query.text)
    rows = _rows(ranked, query.kinds, user)
    chosen = {name: set(values) for name, values in query.facets.items() if values}
    found = [row for row in rows if _matches(row, chosen)]
    key, is_relevance = _order(query)
    found.sort(key=key)
    following = _after(found, query.position, key)
    page = following[: query.limit]
    next_position = list(key(page[-1])) if len(following) > query.limit else None
    if is_relevance and next_position:
        next_position = [page[-1].rank, page[-1].pk]
    return CatalogPage(
        rows=_in_full([row.pk for row in page]),
        total=len(found),
        facets=_counted(rows, chosen),
        next_position=next_position,
        is_fuzzy=is_fuzzy,
        meant=meant,
    )


def _refuse_unknown(query: CatalogQuery) -> None:
    problems = [
        {
            "place": name,
            "code": "unknown_facet",
            "message": f"There is no facet “{name}”. Choose among {', '.join(_FACETS)}.",
        }
        for name in query.facets
        if name not in _FACETS
    ]
    if query.sort not in SORTS:
        message = f"There is no order “{query.sort}”. Choose among {', '.join(SORTS)}."
        problems.append({"place": "sort", "code": "unknown_sort", "message": message})
    if problems:
        raise Invalid(problems[0]["message"], problems=problems)


def _candidates(text: str) -> tuple[list[int] | None, bool, str]:
    """Ids of what matches, best first; None without words. Misspelt words find what is alike."""
    words = re.findall(r"\w+", text)[:12]
    if not words:
        return None, False, ""
    asked = SearchQuery(
        " & ".join(f"{word}:*" for word in words), search_type="raw", config="english"
    )
    like_key = Q(key__startswith="_".join(word.lower() for word in words))
    matching = Entry.objects.filter(Q(search=asked) | like_key).values("pk")[:MOST_RANKED]
    found = (
        Entry.objects.filter(pk__in=list(matching.values_list("pk", flat=True)))
        .annotate(rank=SearchRank(F("search"), asked))
        .order_by("-rank", "tier", "name", "pk")
        .values_list("pk", flat=True)
    )
    if ids := list(found):
        return ids, False, ""
    return _alike(" ".join(words))


def _alike(text: str) -> tuple[list[int], bool, str]:
    """Entries whose names, keys or synonyms look like a text in which nothing was found."""
    spellings: dict[str, int] = {}
    names: dict[int, str] = {}
    for pk, name, key, synonyms in Entry.objects.values_list("pk", "name", "key", "synonyms"):
        names[pk] = name
        for spelling in (name, key.replace("_", " "), *synonyms):
            spellings.setdefault(spelling.lower(), pk)
    matches = process.extract(
        text.lower(), list(spellings), scorer=fuzz.WRatio, score_cutoff=_ALIKE, limit=25
    )
    ids = list(dict.fromkeys(spellings[spelling] for spelling, _, _ in matches))
    return ids, bool(ids), names[ids[0]] if ids else ""


_COLUMNS = (
    *("pk", "name", "kind", "tier", "lifecycle", "tags", "changed_at"),
    *("domain__key", "metric__role", "metric__is_kpi", "metric__timing"),
    *("metric__category", "metric__stage"),
)


def _rows(ranked: list[int] | None, kinds: Sequence[str], user: User | None) -> list[_Row]:
    entries = Entry.objects.filter(current_version__isnull=False)
    if ranked is not None:
        entries = entries.filter(pk__in=ranked)
    if kinds:
        entries = entries.filter(kind__in=kinds)
    ranks = {pk: position for position, pk in enumerate(ranked or ())}
    owners = _owners(ranked)
    mine = _mine(user)
    now = clock.now()
    found = []
    for pk, name, kind, tier, lifecycle, tags, changed_at, domain, *metric in entries.values_list(
        *_COLUMNS
    ):
        role, is_kpi, timing, category, stage = metric
        age = now - changed_at
        found.append(
            _Row(
                pk=pk,
                rank=ranks.get(pk, 0),
                name=name.lower(),
                changed_at=changed_at,
                values={
                    "domain": (domain,),
                    "kind": (kind,),
                    "tier": (str(tier),),
                    "role": (role,) if role else (),
                    "kpi": () if is_kpi is None else ("yes" if is_kpi else "no",),
                    "timing": (timing,) if timing else (),
                    "category": (category,) if category else (),
                    "stage": (stage,) if stage else (),
                    "lifecycle": (lifecycle,),
                    "owner": owners.get(pk, ()),
                    "tag": tuple(tags),
                    "changed": tuple(
                        name for name, days in _WITHIN.items() if age <= timedelta(days=days)
                    ),
                    "mine": mine.get(pk, ()),
                },
            )
        )
    return found


def _owners(ranked: list[int] | None) -> dict[int, tuple[str, ...]]:
    rows = Ownership.objects.filter(role=OwnershipRole.OWNER).order_by()
    if ranked is not None:
        rows = rows.filter(entry__in=ranked)
    found: dict[int, tuple[str, ...]] = {}
    for entry_id, username in rows.values_list("entry_id", "user__username"):
        found[entry_id] = (*found.get(entry_id, ()), username)
    return found


def _mine(user: User | None) -> dict[int, tuple[str, ...]]:
    if user is None or not user.is_authenticated:
        return {}
    owned = Ownership.objects.filter(user=user, role=OwnershipRole.OWNER)
    ids = owned.values_list("entry_id", flat=True)
    found: dict[int, tuple[str, ...]] = dict.fromkeys(ids, ("owned",))
    for pk in Follow.objects.filter(user=user).values_list("entry_id", flat=True):
        found[pk] = (*found.get(pk, ()), "followed")
    return found


def _matches(row: _Row, chosen: Mapping[str, set[str]], *, but: str = "") -> bool:
    return all(
        values.intersection(row.values[name]) for name, values in chosen.items() if name != but
    )


def _order(query: CatalogQuery) -> tuple[Callable[[_Row], tuple], bool]:
    if query.sort == "changed":
        return lambda row: (-row.changed_at.timestamp(), -row.pk), False
    if query.sort == "name" or not query.text.strip():
        return lambda row: (row.name, row.pk), False
    return lambda row: (row.rank, row.pk), True


def _after(
    rows: list[_Row], position: list[Any] | None, key: Callable[[_Row], tuple]
) -> list[_Row]:
    if position is None:
        return rows
    last = tuple(position)
    try:
        return [row for row in rows if key(row) > last]
    except TypeError as error:
        raise Invalid("This cursor belongs to another order. Start without one.") from error


def _in_full(ids: list[int]) -> list[Entry]:
    """The entries of a page in its order, metrics as metrics, with what a row of a list shows."""
    related = ("domain", "current_version__definition")
    metrics = Metric.objects.select_related(*related).in_bulk(ids)
    others = Entry.objects.select_related(*related).in_bulk([pk for pk in ids if pk not in metrics])
    found = {**others, **metrics}
    return [found[pk] for pk in ids]


def _counted(rows: list[_Row], chosen: Mapping[str, set[str]]) -> list[Facet]:
    """Each facet's counts among what the other facets leave over."""
    found = []
    labels = _labels(rows)
    for name, label in _FACETS.items():
        counts: Counter[str] = Counter()
        for row in rows:
            if _matches(row, chosen, but=name):
                counts.update(row.values[name])
        for value in chosen.get(name, ()):
            counts.setdefault(value, 0)
        options = [
            Option(
                value, labels[name].get(value, _said(value)), count, value in chosen.get(name, ())
            )
            for value, count in counts.items()
        ]
        if name in _IN_ORDER:
            order = list(labels[name])
            options.sort(key=lambda option: _place(order, option.value))
        else:
            options.sort(key=lambda option: (-option.count, option.label))
        if options:
            found.append(Facet(name, label, options))
    return found


def _place(order: list[str], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _labels(rows: list[_Row]) -> dict[str, dict[str, str]]:
    owners = {name for row in rows for name in row.values["owner"]}
    people = User.objects.filter(username__in=owners)
    domains = dict(Entry.objects.order_by().values_list("domain__key", "domain__name").distinct())
    named = {"domain": domains, "owner": {person.username: str(person) for person in people}}
    return {name: named.get(name) or _LABELS.get(name, {}) for name in _FACETS}


def _said(value: str) -> str:
    return value.replace("_", " ").capitalize()
