from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers as s


class ErrorBody(s.Serializer):
    """Every refusal: a code for machines, a sentence for people, and what belongs to the code."""

    code = s.CharField()
    message = s.CharField()
    details = s.DictField()


class Person(s.Serializer):
    username = s.CharField()
    name = s.CharField()


REFUSED = {
    400: OpenApiResponse(ErrorBody, "A parameter cannot be used; details.problems says which."),
    401: OpenApiResponse(ErrorBody, "No session, or a token that is unknown, expired or revoked."),
    403: OpenApiResponse(ErrorBody, "The caller may not, or the token lacks the scope."),
    404: OpenApiResponse(ErrorBody, "No such thing."),
}
UNPROCESSABLE = {
    422: OpenApiResponse(ErrorBody, "The content is not right; details.problems says all of it."),
}
SLOW = {
    503: OpenApiResponse(ErrorBody, "The source is away, or took longer than it may."),
}
WRITE_REFUSED = {
    **REFUSED,
    409: OpenApiResponse(
        ErrorBody,
        "Read it again: `stale_revision`, another text than was read; `wrong_state`; "
        "`out_of_date`, something published since moved what it starts from or stands on; "
        "`not_ready`, details.unmet says what a publication still needs; `conflict`.",
    ),
    413: OpenApiResponse(ErrorBody, "The body is too large."),
    415: OpenApiResponse(ErrorBody, "The body is not JSON by its Content-Type."),
    **UNPROCESSABLE,
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="At most 80 characters. Sent again, it gives the first answer again.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of an earlier answer; 304 when it still holds.",
)
PAGING = [
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
    OpenApiParameter("limit", int, description="Rows a page, 1 to 200; 50 unless told."),
]


def asks(name: str, description: str, kind=str, **more) -> OpenApiParameter:
    """A query parameter."""
    return OpenApiParameter(name, kind, description=description, **more)


def reads(shape, *, description: str = "") -> dict:
    """The answers of a read: 200, 304 and the refusals."""
    return {
        200: OpenApiResponse(shape, description),
        304: OpenApiResponse(description="Not changed since that ETag."),
        **REFUSED,
    }


def writes(shape, status: int = 200) -> dict:
    """The answers of a write: its status and the refusals."""
    return {status: shape, **WRITE_REFUSED}


def page_of(row: type[s.Serializer], name: str, **more: s.Field) -> type[s.Serializer]:
    """The shape of one page of a list."""
    fields = {
        "results": row(many=True),
        "next_cursor": s.CharField(allow_null=True, help_text="None after the last page."),
        **more,
    }
    return type(name, (s.Serializer,), fields)
