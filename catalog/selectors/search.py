"""Finding something in the catalog: words, misspelt words, facets with counts, pages.

With words, the best few hundred matches are ranked and counted; without, all entries are. The
database counts: once for all combinations of the facets that an entry has one value of, and once
for each facet of many values. A count is true of what the other facets leave over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Func,
    IntegerField,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Lower
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler

from accounts.models import Domain, User
from catalog.choices import Kind, Lifecycle, MetricRole, OwnershipRole, Tier
from catalog.models import Entry, Follow, Metric, Ownership
from core import clock
from core.errors import Invalid

# Of all that matches words, so many are ranked; nobody reads further.
MOST_RANKED = 500
MAX_QUERY = 200
# How alike a misspelt word and a known one must be, by Jaro and Winkler.
_ALIKE = 0.85
SORTS = ("relevance", "name", "changed")
_WITHIN = (7, 30, 90)


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
    nothing matched the words themselves. `facets` are empty when nobody asked for them."""

    rows: list[Entry]
    total: int
    facets: list[Facet]
    next_position: list[Any] | None
    is_fuzzy: bool = False
    meant: str = ""


FACETS = {
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
# What only a metric has.
METRIC_FACETS = ("role", "kpi", "timing", "category", "stage")
CHOICES: dict[str, dict[str, str]] = {
    "kind": {str(kind.value): str(kind.label) for kind in Kind},
    "tier": {str(tier.value): str(tier.label) for tier in Tier},
    "role": {str(role.value): str(role.label) for role in MetricRole},
    "kpi": {"yes": "KPI", "no": "Metric"},
    "lifecycle": {str(state.value): str(state.label) for state in Lifecycle},
    "changed": {str(days): f"{days} days" for days in _WITHIN},
    "mine": {"owned": "I own", "followed": "I follow"},
}
# Counts of these are read in their own order, not the largest first.
_IN_ORDER = ("tier", "changed", "role", "lifecycle", "mine")
# The columns of what an entry has one value of, and the value as facets write it.
_COLUMNS = {
    "domain": "domain",
    "kind": "kind",
    "tier": "tier",
    "role": "metric__role",
    "kpi": "metric__is_kpi",
    "timing": "metric__timing",
    "category": "metric__category",
    "stage": "metric__stage",
    "lifecycle": "lifecycle",
    "changed": "age",
}


def catalog_page(
    query: CatalogQuery, *, user: User | None = None, with_facets: bool = True
) -> CatalogPage:
    """One page of the catalog with the counts of all facets. A few queries, whatever its size."""
    _refuse_unknown(query)
    ranked, is_fuzzy, meant = _candidates(query.text)
    asked = _Asked(query, ranked, user)
    ids, next_position = asked.page()
    combinations = asked.combinations()
    return CatalogPage(
        rows=_in_full(ids),
        total=asked.total(combinations),
        facets=asked.facets(combinations) if with_facets else [],
        next_position=next_position,
        is_fuzzy=is_fuzzy,
        meant=meant,
    )


def suggestions(text: str, *, limit: int = 6) -> tuple[list[Entry], str]:
    """The best few for a field that is still being typed in, and what was meant if misspelt."""
    ranked, _, meant = _candidates(text)
    in_force = Entry.objects.filter(_among(ranked or []), current_version__isnull=False)
    left = set(in_force.values_list("pk", flat=True))
    best = [pk for pk in ranked or [] if pk in left][:limit]
    rows = Entry.objects.select_related("domain").defer("search").in_bulk(best)
    return [rows[pk] for pk in best], meant


def _refuse_unknown(query: CatalogQuery) -> None:
    problems = [
        {
            "place": name,
            "code": "unknown_facet",
            "message": f"There is no facet “{name}”. Choose among {', '.join(FACETS)}.",
        }
        for name in query.facets
        if name not in FACETS
    ]
    if query.sort not in SORTS:
        message = f"There is no order “{query.sort}”. Choose among {', '.join(SORTS)}."
        problems.append({"place": "sort", "code": "unknown_sort", "message": message})
    if problems:
        raise Invalid(problems[0]["message"], problems=problems)


# --- words ------------------------------------------------------------------------------------


def _candidates(text: str) -> tuple[list[int] | None, bool, str]:
    """Ids of what matches, best first; None without words. Misspelt words find what is alike.

    Words may be unfinished; a word behind a minus must not be there.
    """
    terms = re.findall(r"(?:(?<!\S)(-))?(\w+)", text[:MAX_QUERY])[:12]
    words = [word for minus, word in terms if not minus]
    if not words:
        return (None, False, "") if not text.strip() else ([], False, "")
    asked = SearchQuery(
        " & ".join(f"{'!' if minus else ''}{word}:*" for minus, word in terms),
        search_type="raw",
        config="english",
    )
    matches = Q(search=asked)
    if len(words) == len(terms):
        matches |= Q(key__startswith="_".join(word.lower() for word in words))
    if ids := _ranked(matches, asked, called=" ".join(words)):
        return ids, False, ""
    return _alike(words)


def _ranked(matches: Q, asked: SearchQuery, called: str = "") -> list[int]:
    """Best first; what has `called` as its name or key stands above all that contains it."""
    matching = Entry.objects.filter(matches).order_by().values_list("pk", flat=True)
    key = called.lower().replace(" ", "_")
    found = (
        Entry.objects.filter(_among(list(matching[:MOST_RANKED])) | Q(matches, key=key))
        .annotate(
            is_called=Case(When(Q(key=key) | Q(name__iexact=called), then=0), default=1),
            rank=SearchRank(F("search"), asked),
        )
        .order_by("is_called", "-rank", "tier", "name", "pk")
    )
    return list(found.values_list("pk", flat=True))


def _among(ids: list[int]) -> Func:
    """Whether it has one of these ids, all in one text: some hundred parameters in each of a
    page's queries cost more than the queries."""
    held = Value("{" + ",".join(map(str, ids)) + "}")
    return Func(
        F("pk"),
        held,
        template="%(expressions)s::bigint[])",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


# The stems of all names, keys, synonyms and tags.
_VOCABULARY = """
SELECT word FROM ts_stat(
    'SELECT search FROM catalog_entry WHERE current_version_id IS NOT NULL', 'ab'
)
"""


def _alike(words: list[str]) -> tuple[list[int], bool, str]:
    """What is found when each word is read as the nearest one that the catalog knows."""
    with connection.cursor() as cursor:
        cursor.execute(_VOCABULARY)
        known = [word for (word,) in cursor.fetchall()]
    nearest = [
        process.extractOne(
            word.lower(), known, scorer=JaroWinkler.normalized_similarity, score_cutoff=_ALIKE
        )
        for word in words
    ]
    stems = [
        "'{}'".format(one[0].replace("\\", "\\\\").replace("'", "''")) for one in nearest if one
    ]
    for joined in (" & ", " | "):
        asked = SearchQuery(joined.join(stems), search_type="raw", config="simple")
        if stems and (ids := _ranked(Q(search=asked), asked)):
            return ids, True, Entry.objects.values_list("name", flat=True).get(pk=ids[0])
    return [], False, ""


# --- facets and pages -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Combination:
    """So many entries have these values; of an age, all that it lies within."""

    values: dict[str, tuple[str, ...]]
    count: int


class _Asked:
    """One query of the catalog, asked for its page and for the counts of its facets."""

    def __init__(self, query: CatalogQuery, ranked: list[int] | None, user: User | None):
        self.query, self.ranked, self.user = query, ranked, user
        self.chosen = {name: list(values) for name, values in query.facets.items() if values}
        self.now = clock.now()
        self.domains = {row.pk: row for row in Domain.objects.all()}

    def rows(self, *, but: str = "", only: Sequence[str] | None = None) -> QuerySet[Entry]:
        """What the words and the chosen facets leave over, all facets or some of them."""
        found = Entry.objects.filter(current_version__isnull=False).order_by()
        if self.ranked is not None:
            found = found.filter(_among(self.ranked))
        if self.query.kinds:
            found = found.filter(kind__in=self.query.kinds)
        for name, values in self.chosen.items():
            if name != but and (only is None or name in only):
                found = found.filter(self._condition(name, values))
        return found

    def _condition(self, name: str, values: list[str]) -> Q:
        match name:
            case "domain":
                return Q(domain__in=[pk for pk, row in self.domains.items() if row.key in values])
            case "tier":
                return Q(tier__in=[tier for tier in Tier.values if str(tier) in values])
            case "kpi":
                return Q(metric__is_kpi__in=[value == "yes" for value in values])
            case "owner":
                held = Ownership.objects.filter(
                    role=OwnershipRole.OWNER, user__username__in=values
                ).order_by()
                return Q(pk__in=held.values("entry"))
            case "tag":
                found = Q(pk__in=[])
                for value in values:
                    found |= Q(tags__contains=[value])
                return found
            case "changed":
                days = [int(value) for value in values if value in CHOICES["changed"]]
                since = self.now - timedelta(days=max(days, default=0))
                return Q(changed_at__gte=since)
            case "mine":
                found = Q(pk__in=[])
                for value in values:
                    found |= Q(pk__in=self._mine(value))
                return found
        return Q(**{f"{_COLUMNS[name]}__in": values})

    def _mine(self, what: str) -> QuerySet:
        if not self._is_known():
            return Entry.objects.none().values("pk")
        if what == "owned":
            held = Ownership.objects.filter(user=self.user, role=OwnershipRole.OWNER)
            return held.order_by().values("entry")
        if what == "followed":
            return Follow.objects.filter(user=self.user).values("entry")
        return Entry.objects.none().values("pk")

    # --- the page ---

    def page(self) -> tuple[list[int], list[Any] | None]:
        """The ids of one page in order, and where the next one begins."""
        limit = self.query.limit
        if self.ranked is not None and self.query.sort == "relevance":
            rows = self._ranked_after()[: limit + 1]
        else:
            rows = self._sorted_after()[: limit + 1]
        more = [*rows[limit - 1]] if len(rows) > limit else None
        return [pk for _, pk in rows[:limit]], more

    def _ranked_after(self) -> list[tuple[int, int]]:
        left = set(self.rows().values_list("pk", flat=True))
        ranks = [(rank, pk) for rank, pk in enumerate(self.ranked or ()) if pk in left]
        if self.query.position is None:
            return ranks
        rank, pk = self._position(int)
        return [each for each in ranks if each > (rank, pk)]

    def _sorted_after(self) -> list[tuple[Any, int]]:
        limit = self.query.limit
        if self.query.sort == "changed":
            rows = self.rows().order_by("-changed_at", "-pk")
            if self.query.position is not None:
                at, pk = self._position(datetime.fromisoformat)
                rows = rows.filter(Q(changed_at__lt=at) | Q(changed_at=at, pk__lt=pk))
            found = rows.values_list("changed_at", "pk")[: limit + 1]
            return [(at.isoformat(), pk) for at, pk in found]
        rows = self.rows().annotate(small=Lower("name")).order_by("small", "pk")
        if self.query.position is not None:
            small, pk = self._position(_text)
            rows = rows.filter(Q(small__gt=small) | Q(small=small, pk__gt=pk))
        return list(rows.values_list("small", "pk")[: limit + 1])

    def _position(self, read) -> tuple[Any, int]:
        try:
            first, pk = tuple(self.query.position or ())
            return read(first), int(pk)
        except (TypeError, ValueError) as error:
            raise Invalid("This cursor belongs to another order. Start without one.") from error

    # --- the counts ---

    def combinations(self) -> list[_Combination]:
        """The values that entries have together, counted. What is chosen of a facet with many
        values narrows them already; the rest is left to who reads them."""
        ages = [
            When(changed_at__gte=self.now - timedelta(days=days), then=Value(days))
            for days in _WITHIN
        ]
        age = Case(*ages, default=Value(0), output_field=IntegerField())
        many = [name for name in self.chosen if name not in _COLUMNS]
        counted = self.rows(only=many).annotate(age=age).values_list(*_COLUMNS.values())
        return [
            _Combination(self._values(dict(zip(_COLUMNS, values, strict=True))), count)
            for *values, count in counted.annotate(count=Count("pk"))
        ]

    def _values(self, row: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        age, is_kpi = row.pop("changed"), row.pop("kpi")
        row["domain"] = self.domains[row["domain"]].key
        found: dict[str, tuple[str, ...]] = {
            name: (str(value),) if value not in (None, "") else () for name, value in row.items()
        }
        found["kpi"] = () if is_kpi is None else ("yes" if is_kpi else "no",)
        found["changed"] = tuple(str(days) for days in _WITHIN if age and age <= days)
        return found

    def _left(self, combinations: list[_Combination], *, but: str = "") -> list[_Combination]:
        single = {
            name: set(v) for name, v in self.chosen.items() if name in _COLUMNS and name != but
        }
        return [
            one
            for one in combinations
            if all(wanted.intersection(one.values[name]) for name, wanted in single.items())
        ]

    def total(self, combinations: list[_Combination]) -> int:
        return sum(one.count for one in self._left(combinations))

    def facets(self, combinations: list[_Combination]) -> list[Facet]:
        """Each facet's counts among what the other facets leave over."""
        found = []
        for name, label in FACETS.items():
            counts = self._counts(name, combinations)
            for value in self.chosen.get(name, ()):
                counts.setdefault(value, 0)
            if options := self._options(name, counts):
                found.append(Facet(name, label, options))
        return found

    def _counts(self, name: str, combinations: list[_Combination]) -> dict[str, int]:
        if name in _COLUMNS:
            counts: Counter[str] = Counter()
            for one in self._left(combinations, but=name):
                for value in one.values[name]:
                    counts[value] += one.count
            return dict(counts)
        rows = self.rows(but=name)
        if name == "owner":
            held = Ownership.objects.filter(role=OwnershipRole.OWNER, entry__in=rows.values("pk"))
            people = held.order_by().values_list("user__username")
            return dict(people.annotate(count=Count("pk")))
        if name == "tag":
            tags = Func(F("tags"), function="jsonb_array_elements_text", set_returning=True)
            return dict(rows.values_list(tags).annotate(count=Count("pk")))
        whose = CHOICES["mine"] if self._is_known() else ()
        mine = {value: rows.filter(pk__in=self._mine(value)).count() for value in whose}
        return {value: count for value, count in mine.items() if count}

    def _is_known(self) -> bool:
        return self.user is not None and self.user.is_authenticated

    def _options(self, name: str, counts: Mapping[str, int]) -> list[Option]:
        labels = self._labels(name, counts)
        chosen = self.chosen.get(name, ())
        options = [
            Option(value, labels.get(value) or _said(value), count, value in chosen)
            for value, count in counts.items()
        ]
        if name in _IN_ORDER:
            order = list(labels)
            return sorted(options, key=lambda one: _place(order, one.value))
        return sorted(options, key=lambda one: (-one.count, one.label))

    def _labels(self, name: str, counts: Mapping[str, int]) -> Mapping[str, str]:
        if name == "domain":
            return {row.key: row.name for row in self.domains.values()}
        if name == "tag":
            return {value: value for value in counts}
        if name == "owner":
            people = User.objects.filter(username__in=list(counts))
            return {person.username: str(person) for person in people}
        return CHOICES.get(name, {})


def _in_full(ids: list[int]) -> list[Entry]:
    """The entries of a page in its order, metrics as metrics, with what a row of a list shows."""
    owners = Prefetch("ownerships", Ownership.objects.select_related("user"))
    related = ("domain", "current_version__definition")
    found: dict[int, Entry] = {}
    metrics = Metric.objects.filter(pk__in=ids).select_related(*related, "served_resolution")
    for metric in metrics.defer("search").prefetch_related(owners):
        found[metric.pk] = metric
    if others := [pk for pk in ids if pk not in found]:
        rows = Entry.objects.filter(pk__in=others).select_related(*related)
        for row in rows.defer("search").prefetch_related(owners):
            found[row.pk] = row
    return [found[pk] for pk in ids]


def _place(order: list[str], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _said(value: str) -> str:
    return value.replace("_", " ").capitalize()
