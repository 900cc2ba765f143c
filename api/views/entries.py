from datetime import datetime

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema

from accounts.models import Domain
from api import paging, parameters, rows
from api.conditional import answer
from api.schemas.entries import (
    DatasetDetail,
    DatasetPage,
    MetricDetail,
    MetricPage,
    SegmentDetail,
    SegmentPage,
    VersionDetail,
    VersionPage,
)
from api.schemas.shared import PAGING, asks, reads
from api.views.base import EtalonView
from catalog.choices import Kind, Lifecycle, MetricRole
from catalog.models import Dataset, Entry, Metric, Ownership, Segment, Version
from catalog.selectors.history import EntryThen, entry_as_of, resolution_then
from catalog.selectors.search import (
    CHOICES,
    FACETS,
    MAX_QUERY,
    METRIC_FACETS,
    SORTS,
    CatalogQuery,
    catalog_page,
)
from core.errors import NotFound
from measurement.selectors import health
from measurement.selectors.official import served_as_of
from semantics.definition import DatasetSpec
from semantics.problems import nearest

_MODELS = {Kind.METRIC: Metric, Kind.DATASET: Dataset, Kind.SEGMENT: Segment}
# The address says the kind already.
_METRIC_FACETS = tuple(name for name in FACETS if name != "kind")
_FACETS = tuple(name for name in _METRIC_FACETS if name not in METRIC_FACETS)


def find(kind: str, key: str) -> Entry:
    """The entry of one kind with all that answers read of it, or NotFound with the nearest."""
    model = _MODELS[kind]
    found = _whole(model.objects.filter(key=key)).first()
    if found is None:
        near = nearest(key, model.objects.values_list("key", flat=True))
        raise NotFound(f"There is no {kind} “{key}”. {near}".strip(), key=key)
    return found


# JSON is written with numbers of 64 bits at most.
_LARGEST = 2**63 - 1


def find_version(entry: Entry, number: int) -> Version:
    found = entry.versions.select_related("definition", "entry").filter(number=number).first()
    if found is None:
        last = entry.versions.order_by("-number").values_list("number", flat=True).first()
        reach = f" The last one is {entry.key}@{last}." if last else ""
        raise NotFound(
            f"There is no version {entry.key}@{number}.{reach}", version=min(number, _LARGEST)
        )
    return found


def _whole(found: QuerySet) -> QuerySet:
    owners = Prefetch("ownerships", Ownership.objects.select_related("user"))
    return (
        found.select_related("domain", "current_version__definition", "successor")
        .defer("search")
        .prefetch_related(owners)
    )


class _List(EtalonView):
    kind: Kind
    facets: tuple[str, ...] = _FACETS

    def listed(self, request):
        parameters.only(request, [*self.facets, "q", "sort", "facets", "cursor", "limit"])
        wants_counts = parameters.flag(request, "facets")
        query = CatalogQuery(
            text=_text(request),
            facets={name: self._chosen(request, name) for name in self.facets},
            sort=parameters.choice(request, "sort", SORTS, "relevance"),
            limit=paging.limit_of(request),
            position=paging.cursor_of(request),
            kinds=[self.kind],
        )
        found = catalog_page(query, user=request.user, with_facets=wants_counts)
        listed = [rows.entry_row(entry) for entry in found.rows]
        body = paging.page(request, listed, found.next_position)
        body |= {"total": found.total, "meant": found.meant or None, "facets": None}
        if wants_counts:
            counts = {facet.name: facet.options for facet in found.facets}
            body["facets"] = {
                name: {option.value: option.count for option in counts.get(name, ())}
                for name in self.facets
            }
        return answer(request, lambda: body)

    def _chosen(self, request, name: str) -> list[str]:
        if name not in request.query_params:
            return []
        if name == "domain":
            known = list(Domain.objects.order_by("key").values_list("key", flat=True))
            return parameters.several(request, name, known)
        return parameters.several(request, name, CHOICES.get(name))


def _text(request) -> str:
    text = request.query_params.get("q", "").strip()
    if len(text) > MAX_QUERY:
        raise parameters.Refused("q", f"Search for at most {MAX_QUERY} characters.")
    return text


_ASKS = [
    asks("q", "Words or their beginnings; with a minus in front, a word that must not be there."),
    asks("domain", "Only of these domains; several with commas."),
    asks("tier", "Only of these tiers: 1, 2, 3, or 9 for local."),
    asks("lifecycle", f"Only in these states: {', '.join(Lifecycle.values)}."),
    asks("owner", "Only what these people own, by username."),
    asks("tag", "Only what has one of these tags."),
    asks("changed", "Only what changed in the last so many days.", enum=list(CHOICES["changed"])),
    asks("mine", "Only what you own or follow.", enum=list(CHOICES["mine"])),
    asks("sort", "By rank with words, else by name, unless told.", enum=list(SORTS)),
    asks("facets", "Count the values of every facet, too.", enum=["true", "false"]),
    *PAGING,
]
_METRIC_ASKS = [
    asks("role", f"Only in these roles: {', '.join(MetricRole.values)}."),
    asks("kpi", "Only KPIs, or only what is none.", enum=list(CHOICES["kpi"])),
    asks("timing", "Only leading, or only lagging."),
    asks("category", "Only of these categories."),
    asks("stage", "Only of these stages."),
]
_AS_OF = asks("as_of", "As it stood at this instant, or at the end of this day in UTC.")


class Metrics(_List):
    """All metrics by name, or by rank when something is searched."""

    kind, facets = Kind.METRIC, _METRIC_FACETS

    @extend_schema(
        operation_id="list_metrics",
        summary="Metrics: search and facets",
        parameters=[*_METRIC_ASKS, *_ASKS],
        responses=reads(MetricPage),
    )
    def get(self, request):
        return self.listed(request)


class Datasets(_List):
    """Tables and queries of the sources, with their entities, dimensions and time."""

    kind = Kind.DATASET

    @extend_schema(
        operation_id="list_datasets",
        summary="Datasets: search and facets",
        parameters=_ASKS,
        responses=reads(DatasetPage),
    )
    def get(self, request):
        return self.listed(request)


class Segments(_List):
    """Named, governed filters that definitions refer to."""

    kind = Kind.SEGMENT

    @extend_schema(
        operation_id="list_segments",
        summary="Segments: search and facets",
        parameters=_ASKS,
        responses=reads(SegmentPage),
    )
    def get(self, request):
        return self.listed(request)


class _One(EtalonView):
    kind: Kind

    def detailed(self, request, key: str):
        parameters.only(request, ["as_of"])
        instant = parameters.instant(request, "as_of")
        entry = find(self.kind, key)
        if instant is not None:
            then = entry_as_of(key, instant)
            return answer(request, lambda: self.body_then(entry, then, instant))
        return answer(request, lambda: self.body(entry, entry.current_version))

    def body_then(self, entry: Entry, then: EntryThen, instant: datetime) -> dict:
        """As it stood; what is known of today alone is left out."""
        return rows.entry_then(then, instant)

    def body(self, entry: Entry, version: Version | None) -> dict:
        return rows.entry_detail(entry, version)


class MetricView(_One):
    """One metric: its card, the version in force, what it stands on, and how it is."""

    kind = Kind.METRIC

    @extend_schema(
        operation_id="get_metric",
        summary="One metric",
        parameters=[_AS_OF],
        responses=reads(MetricDetail),
    )
    def get(self, request, key: str):
        return self.detailed(request, key)

    def body_then(self, entry: Metric, then: EntryThen, instant: datetime) -> dict:
        return {
            **super().body_then(entry, then, instant),
            "resolution": rows.resolution_row(resolution_then(then)),
            "served": rows.resolution_row(served_as_of(entry, then.told)),
            "health": None,
            "state": None,
        }

    def body(self, entry: Metric, version: Version | None) -> dict:
        found = health.health_of(entry)
        state = health.state_of(entry)
        return {
            **super().body(entry, version),
            "resolution": rows.resolution_row(entry.current_resolution),
            "served": rows.resolution_row(entry.served_resolution),
            "health": {
                "freshness": found.freshness.sentence,
                "is_late": found.freshness.is_late,
                "complete_until": found.freshness.complete_until,
                "doubt": found.doubt,
                "trouble": found.trouble
                and {
                    "code": found.trouble.code,
                    "sentence": found.trouble.sentence,
                    "backfill": found.trouble.run.pk,
                },
                "kept": found.kept,
                "checks": [
                    {
                        "name": str(one.check),
                        "outcome": one.run.outcome if one.run else None,
                        "sentence": one.sentence,
                    }
                    for one in found.checks
                ],
                "running_backfills": [backfill.pk for backfill in found.running],
            },
            "state": {
                "name": state.name,
                "sentence": state.sentence,
                "value": state.value,
                "target": state.target,
                "period": state.period,
            },
        }


class DatasetView(_One):
    """One dataset, with the dimensions that its rows can be told apart by."""

    kind = Kind.DATASET

    @extend_schema(
        operation_id="get_dataset",
        summary="One dataset",
        parameters=[_AS_OF],
        responses=reads(DatasetDetail),
    )
    def get(self, request, key: str):
        return self.detailed(request, key)

    def body_then(self, entry: Entry, then: EntryThen, instant: datetime) -> dict:
        source = then.spec.source if isinstance(then.spec, DatasetSpec) else ""
        return {**super().body_then(entry, then, instant), "source": source}

    def body(self, entry: Entry, version: Version | None) -> dict:
        spec = rows.spec_of(version) if version else None
        source = spec.source if isinstance(spec, DatasetSpec) else ""
        return {**super().body(entry, version), "source": source}


class SegmentView(_One):
    """One segment with its filter."""

    kind = Kind.SEGMENT

    @extend_schema(
        operation_id="get_segment",
        summary="One segment",
        parameters=[_AS_OF],
        responses=reads(SegmentDetail),
    )
    def get(self, request, key: str):
        return self.detailed(request, key)


class _Versions(EtalonView):
    kind: Kind

    def listed(self, request, key: str):
        parameters.only(request, ["cursor", "limit"])
        limit, before = paging.limit_of(request), paging.cursor_of(request)
        entry = find(self.kind, key)
        found = entry.versions.select_related("entry").order_by("-number")
        if before is not None:
            found = found.filter(number__lt=before)
        page = list(found[: limit + 1])
        more = page[limit - 1].number if len(page) > limit else None
        listed = rows.version_rows(page[:limit], current=entry.current_version_id)
        return answer(request, lambda: paging.page(request, listed, more))


class MetricVersions(_Versions):
    """Every version that was ever published, newest first."""

    kind = Kind.METRIC

    @extend_schema(
        operation_id="list_metric_versions",
        summary="Versions of a metric",
        parameters=PAGING,
        responses=reads(VersionPage),
    )
    def get(self, request, key: str):
        return self.listed(request, key)


class DatasetVersions(_Versions):
    """Every version that was ever published, newest first."""

    kind = Kind.DATASET

    @extend_schema(
        operation_id="list_dataset_versions",
        summary="Versions of a dataset",
        parameters=PAGING,
        responses=reads(VersionPage),
    )
    def get(self, request, key: str):
        return self.listed(request, key)


class SegmentVersions(_Versions):
    """Every version that was ever published, newest first."""

    kind = Kind.SEGMENT

    @extend_schema(
        operation_id="list_segment_versions",
        summary="Versions of a segment",
        parameters=PAGING,
        responses=reads(VersionPage),
    )
    def get(self, request, key: str):
        return self.listed(request, key)


class _OneVersion(EtalonView):
    kind: Kind

    def detailed(self, request, key: str, number: int):
        parameters.only(request, [])
        version = find_version(find(self.kind, key), number)
        return answer(request, lambda: rows.version_detail(version))


class MetricVersion(_OneVersion):
    """`key@n`: words, definition, and who agreed to it. It never changes."""

    kind = Kind.METRIC

    @extend_schema(
        operation_id="get_metric_version",
        summary="One version of a metric",
        responses=reads(VersionDetail),
    )
    def get(self, request, key: str, number: int):
        return self.detailed(request, key, number)


class DatasetVersion(_OneVersion):
    """`key@n`: words, definition, and who agreed to it. It never changes."""

    kind = Kind.DATASET

    @extend_schema(
        operation_id="get_dataset_version",
        summary="One version of a dataset",
        responses=reads(VersionDetail),
    )
    def get(self, request, key: str, number: int):
        return self.detailed(request, key, number)


class SegmentVersion(_OneVersion):
    """`key@n`: words, definition, and who agreed to it. It never changes."""

    kind = Kind.SEGMENT

    @extend_schema(
        operation_id="get_segment_version",
        summary="One version of a segment",
        responses=reads(VersionDetail),
    )
    def get(self, request, key: str, number: int):
        return self.detailed(request, key, number)
