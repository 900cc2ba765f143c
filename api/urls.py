from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import api.converters  # noqa: F401 - the addresses below are written with them
from api.views import backfills, changes, entries, previews, readings, returning, verbs
from api.views.audit import AuditEvents
from api.views.base import NoSuchAddress
from api.views.sources import Sources

app_name = "api"

_ONE = "change-requests/<int:pk>"

urlpatterns = [
    path("metrics/<slug:key>/back", returning.MetricBack.as_view()),
    path("metrics", entries.Metrics.as_view(), name="metrics"),
    path("metrics/<slug:key>", entries.MetricView.as_view(), name="metric"),
    path("metrics/<slug:key>@<int:number>", entries.MetricVersion.as_view(), name="metric-version"),
    path("metrics/<slug:key>/versions", entries.MetricVersions.as_view(), name="metric-versions"),
    path("metrics/<slug:key>/values", readings.MetricValues.as_view(), name="metric-values"),
    path("metrics/<slug:key>/sql", readings.MetricSql.as_view(), name="metric-sql"),
    path("metrics/<slug:key>/lineage", readings.MetricLineage.as_view(), name="metric-lineage"),
    path(
        "metrics/<slug:key>/dimensions",
        readings.MetricDimensions.as_view(),
        name="metric-dimensions",
    ),
    path("datasets/<slug:key>/back", returning.DatasetBack.as_view()),
    path("datasets", entries.Datasets.as_view(), name="datasets"),
    path("datasets/<slug:key>", entries.DatasetView.as_view(), name="dataset"),
    path(
        "datasets/<slug:key>@<int:number>",
        entries.DatasetVersion.as_view(),
        name="dataset-version",
    ),
    path(
        "datasets/<slug:key>/versions", entries.DatasetVersions.as_view(), name="dataset-versions"
    ),
    path("segments/<slug:key>/back", returning.SegmentBack.as_view()),
    path("segments", entries.Segments.as_view(), name="segments"),
    path("segments/<slug:key>", entries.SegmentView.as_view(), name="segment"),
    path(
        "segments/<slug:key>@<int:number>",
        entries.SegmentVersion.as_view(),
        name="segment-version",
    ),
    path(
        "segments/<slug:key>/versions", entries.SegmentVersions.as_view(), name="segment-versions"
    ),
    path("sources", Sources.as_view(), name="sources"),
    path("change-requests", changes.ChangeRequests.as_view(), name="change-requests"),
    path(_ONE, changes.ChangeRequestView.as_view(), name="change-request"),
    path(f"{_ONE}/preview", previews.ChangeRequestPreview.as_view(), name="preview"),
    path(
        f"{_ONE}/preview/cancel",
        previews.ChangeRequestPreviewCancel.as_view(),
        name="preview-cancel",
    ),
    *(path(f"{_ONE}/{verb}", view.as_view()) for verb, view in verbs.VIEWS.items()),
    path("backfills", backfills.Backfills.as_view(), name="backfills"),
    path("backfills/<int:pk>", backfills.BackfillView.as_view(), name="backfill"),
    path("backfills/<int:pk>/<move:move>", backfills.BackfillMove.as_view(), name="move"),
    path("audit-events", AuditEvents.as_view(), name="audit-events"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("<path:rest>", NoSuchAddress.as_view()),
]
