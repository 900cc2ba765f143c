from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api import bodies, changes, parameters
from api.conditional import answer
from api.idempotency import idempotent
from api.schemas.changes import PreviewAnswer, PreviewBody
from api.schemas.shared import IDEMPOTENCY_KEY, asks, reads, writes
from api.views.base import EtalonView
from core.errors import WrongState
from governance.assessment import assess
from governance.content import Content
from governance.evidence import evidence_of
from governance.services.previews import ask_for_preview, compared
from measurement.selectors.previews import preview_run, preview_under_way
from measurement.services.backfills import cancel_backfill


def _content(pk: int) -> Content:
    return changes.current_content(changes.find_request(pk))


class ChangeRequestPreview(EtalonView):
    """What the proposal does to the past, by the same run that a backfill is."""

    @extend_schema(
        operation_id="get_change_request_preview",
        summary="Figures of the preview",
        parameters=[asks("dimension", "Those of the preview that was asked by it.")],
        responses=reads(PreviewAnswer),
    )
    def get(self, request, pk: int):
        parameters.only(request, ["dimension"])
        assessment = assess(_content(pk))
        run = evidence_of(assessment, dimension=request.query_params.get("dimension") or None)
        return answer(request, lambda: changes.preview_body(run))

    @extend_schema(
        operation_id="start_change_request_preview",
        summary="Start a preview",
        description="Old and new values over the whole range, in total and, with `dimension`, by "
        "each of its members. Equal previews of one day are one run.",
        request=PreviewBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=writes(PreviewAnswer, 202),
    )
    @idempotent
    def post(self, request, pk: int):
        asked = bodies.read(request, PreviewBody)
        backfill = ask_for_preview(
            _content(pk), dimension=asked.get("dimension"), actor=request.user, via="api"
        )
        return Response(changes.preview_body(preview_run(backfill)), status=202)


class ChangeRequestPreviewCancel(EtalonView):
    """Stop a preview that takes too long. What it has computed is thrown away."""

    @extend_schema(
        operation_id="cancel_change_request_preview",
        summary="Cancel a preview under way",
        request=PreviewBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=writes(PreviewAnswer),
    )
    @idempotent
    def post(self, request, pk: int):
        asked = bodies.read(request, PreviewBody)
        run = preview_under_way(compared(_content(pk)), dimension=asked.get("dimension"))
        if run is None:
            raise WrongState(f"No preview of CR-{pk} is under way.", status="none", action="cancel")
        backfill = cancel_backfill(run.backfill, actor=request.user, via="api")
        return Response(changes.preview_body(preview_run(backfill)))
