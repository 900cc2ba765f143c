from drf_spectacular.utils import extend_schema

from api import parameters
from api.conditional import answer
from api.schemas.shared import reads
from api.schemas.sources import SourcePage
from api.views.base import EtalonView
from measurement.models import Source


class Sources(EtalonView):
    """The warehouses that datasets are read from. Credentials are never among the answers."""

    @extend_schema(operation_id="list_sources", summary="Sources", responses=reads(SourcePage))
    def get(self, request):
        parameters.only(request, [])
        rows = Source.objects.values(
            "key", "name", "kind", "description", "attribution", "first_day", "time_limit_seconds"
        )
        return answer(request, lambda: {"results": list(rows), "next_cursor": None})
