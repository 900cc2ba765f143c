"""An earlier version of a metric, dataset or segment put into force again, by a request."""

from drf_spectacular.utils import extend_schema

from api import bodies, changes
from api.idempotency import idempotent
from api.schemas.changes import BackBody, ChangeRequestDetail
from api.schemas.shared import IDEMPOTENCY_KEY, writes
from api.views.base import EtalonView
from api.views.entries import find
from catalog.choices import Kind
from core.errors import NotFound
from governance.services.requests import back_to


def _view(kind: Kind) -> type[EtalonView]:
    @extend_schema(
        operation_id=f"{kind}_back_to_version",
        summary=f"Back to an earlier version of a {kind}",
        description="Open the request that puts an earlier version's content into force again, as "
        "a draft. Its series is there already, so nothing is computed twice.",
        request=BackBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=writes(ChangeRequestDetail, 201),
    )
    @idempotent
    def post(self, request, key: str):
        given = bodies.read(request, BackBody)
        entry = find(kind, key)
        version = entry.versions.filter(number=given["version"]).first()
        if version is None:
            raise NotFound(f"There is no {key}@{given['version']}.", key=key)
        opened = back_to(version, reason=given["reason"], actor=request.user, via="api")
        return changes.answer_request(opened.pk, request.user, 201)

    return type(f"{kind.capitalize()}Back", (EtalonView,), {"post": post})


MetricBack, DatasetBack, SegmentBack = (_view(kind) for kind in Kind)
