from drf_spectacular.utils import extend_schema

from accounts.choices import Role, Scope
from accounts.policies import has_role
from api import paging, parameters
from api.conditional import answer
from api.schemas.audit import AuditEventPage
from api.schemas.shared import PAGING, asks, reads
from api.views.base import EtalonView
from core.models import AuditEvent

_FIELDS = (
    "sequence",
    "happened_at",
    "recorded_at",
    "is_simulated",
    "actor_id",
    "actor_label",
    "via",
    "action",
    "subject_type",
    "subject_id",
    "subject_label",
    "reason",
    "detail",
    "request_id",
    "previous_hash",
    "hash",
)
_FILTERS = ("action", "actor_id", "subject_type", "subject_id", "via")


class AuditEvents(EtalonView):
    """Who decided what, newest first. Without the auditor's role: one's own deeds only."""

    read_scope = Scope.AUDIT

    @extend_schema(
        operation_id="list_audit_events",
        summary="The audit log, newest first",
        parameters=[*(asks(name, f"Only this {name}.") for name in _FILTERS), *PAGING],
        responses=reads(AuditEventPage),
    )
    def get(self, request):
        parameters.only(request, [*_FILTERS, "cursor", "limit"])
        limit, before = paging.limit_of(request), paging.cursor_of(request)
        events = AuditEvent.objects.order_by("-sequence")
        for name in _FILTERS:
            if (value := request.query_params.get(name)) is not None:
                if name == "actor_id" and not (
                    value.isascii() and value.isdigit() and len(value) < 19
                ):
                    raise parameters.Refused(name, f"“{value}” is no id of a person.")
                events = events.filter(**{name: value})
        if not has_role(request.user, Role.AUDITOR):
            events = events.filter(actor_id=request.user.pk)
        if before is not None:
            events = events.filter(sequence__lt=before)
        rows = list(events.values(*_FIELDS)[: limit + 1])
        more = rows[limit - 1]["sequence"] if len(rows) > limit else None
        return answer(request, lambda: paging.page(request, rows[:limit], more))
