from datetime import datetime

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema

from accounts.models import Domain
from api import paging, parameters, rows
from api.conditional import answer
from api.listing import facets_of, page_of_entries, searched
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
from catalog.choices import Kind, Lifecycle, MetricRole, Tier
from catalog.models import Dataset, Entry, Metric, Ownership, Segment, Version
from core.errors import NotFound
from measurement.selectors import health
from semantics.definition import DatasetSpec
from semantics.problems import nearest

_MODELS = {Kind.METRIC: Metric, Kind.DATASET: Dataset, Kind.SEGMENT: Segment}
_TIERS = [str(tier) for tier in Tier.values]
_ROLES = MetricRole.values
_FACETS = ("domain", "tier", "lifecycle", "owner")
_METRIC_FACETS = ("domain", "tier", "role", "lifecycle", "owner")


def find(kind: str, key: str) -> Entry:
    """The entry of one kind with all that answers read of it, or NotFound with the nearest."""
    model = _MODELS[kind]
    found = _whole(model.objects.filter(key=key)).first()
    if found is None:
        near = nearest(key, model.objects.values_list("key", flat=True))
        raise NotFound(f"There is no {kind} “{key}”. {near}".strip(), key=key)
    return found


def find_version(entry: Entry, number: int) -> Version:
    found = entry.versions.select_related("definition", "entry").filter(number=number).first()
    if found is None:
        last = entry.versions.order_by("-number").values_list("number", flat=True).first()
        reach = f" The last one is {entry.key}@{last}." if last else ""
        raise NotFound(f"There is no version {entry.key}@{number}.{reach}", version=number)
    return found


def version_as_of(entry: Entry, instant: datetime | None) -> Version | None:
    """The current version; or the one in force on an instant's day, of those known by then."""
    versions = entry.versions.select_related("definition", "entry")
    if instant is None:
        return versions.filter(pk=entry.current_version_id).first()
    known = versions.filter(recorded_at__lte=instant, effective_from__lte=instant.date())
    return known.order_by("-effective_from", "-number").first()


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
        parameters.only(request, [*self.facets, "q", "tag", "facets", "cursor", "limit"])
        found = self._filtered(request)
        page, following = page_of_entries(request, _whole(found))
        body = paging.page(request, [rows.entry_row(entry) for entry in page], following)
        body["facets"] = None
        if parameters.flag(request, "facets"):
            text = request.query_params.get("q", "").strip()
            body["facets"] = facets_of(searched(found, text) if text else found, self.facets)
        return answer(request, lambda: body)

    def _filtered(self, request) -> QuerySet:
        found = _MODELS[self.kind].objects.all()
        if tiers := parameters.several(request, "tier", _TIERS):
            found = found.filter(tier__in=tiers)
        if states := parameters.several(request, "lifecycle", Lifecycle.values):
            found = found.filter(lifecycle__in=states)
        if "domain" in request.query_params:
            known = list(Domain.objects.order_by("key").values_list("key", flat=True))
            found = found.filter(domain__key__in=parameters.several(request, "domain", known))
        if owners := parameters.several(request, "owner"):
            owned = Ownership.objects.filter(user__username__in=owners, role="owner")
            found = found.filter(pk__in=owned.values("entry"))
        if "role" in self.facets and (roles := parameters.several(request, "role", _ROLES)):
            found = found.filter(role__in=roles)
        for tag in parameters.several(request, "tag"):
            found = found.filter(tags__contains=[tag])
        return found


_ASKS = [
    asks("q", "Words to search for; the beginnings of words when no whole word is found."),
    asks("domain", "Only of these domains; several with commas."),
    asks("tier", "Only of these tiers: 1, 2, 3, or 9 for local."),
    asks("lifecycle", f"Only in these states: {', '.join(Lifecycle.values)}."),
    asks("owner", "Only what these people own, by username."),
    asks("tag", "Only what has all these tags."),
    asks("facets", "Count the values of every facet, too.", enum=["true", "false"]),
    *PAGING,
]
_AS_OF = asks("as_of", "As it was in force and known at this instant, or at the end of this day.")


class Metrics(_List):
    """All metrics by name, or by rank when something is searched."""

    kind, facets = Kind.METRIC, _METRIC_FACETS

    @extend_schema(
        operation_id="list_metrics",
        summary="Metrics: search and facets",
        parameters=[asks("role", f"Only in these roles: {', '.join(_ROLES)}."), *_ASKS],
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
        version = version_as_of(entry, instant)
        if instant is not None and version is None:
            raise NotFound(f"No version of {entry.key} was in force and known then.", key=key)
        return answer(request, lambda: self.body(entry, version))

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
