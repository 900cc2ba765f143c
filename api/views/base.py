"""What all views of the API share."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import SAFE_METHODS
from rest_framework.views import APIView

from accounts.choices import Scope
from api import errors
from api.access import HasScope
from api.authentication import BrowserAuthentication, TokenAuthentication
from api.parsing import StrictJSONParser
from api.rendering import ExactJSONRenderer
from core.errors import NotFound


class EtalonView(APIView):
    """Base of every endpoint: token or session, scopes, one error shape, exact numbers.

    `write_scope` is what a token needs for the writing methods. Writing methods are marked with
    `api.idempotency.idempotent`; a test finds one that is not.
    """

    authentication_classes = [TokenAuthentication, BrowserAuthentication]
    permission_classes = [HasScope]
    renderer_classes = [ExactJSONRenderer]
    parser_classes = [StrictJSONParser]
    read_scope = Scope.READ
    write_scope = Scope.PROPOSE

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            return
        length = request.headers.get("Content-Length", "").strip() or "0"
        # DRF reads the stream by itself, past Django's own limit.
        if not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        if int(length) and not _is_json(request):
            raise UnsupportedMediaType(request.content_type)

    def get_exception_handler(self):
        return errors.handle


class NoSuchAddress(EtalonView):
    """What is asked of an address that is not there is refused in the one shape, too."""

    def initial(self, request, *args, **kwargs):
        hint = " Addresses end without a slash." if request.path.endswith("/") else ""
        raise NotFound(f"There is no address {request.path}.{hint} See /api/v1/docs/.")


def _is_json(request) -> bool:
    return request.content_type.partition(";")[0].strip() == "application/json"
