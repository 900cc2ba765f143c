"""The OpenAPI document is complete, quiet in the making, and every writing method is safe twice."""

from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from rest_framework.permissions import SAFE_METHODS

from tests.api.caller import operation_for, schema

# Its own addresses are not part of the document.
_OUTSIDE = {"schema/", "docs/"}


def routes():
    """Every address of the API with its view class."""
    api = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/")
    return [(str(one.pattern), one.callback.view_class) for one in api.url_patterns]


def methods_of(view) -> list[str]:
    return [
        name.upper()
        for name in ("get", "post", "put", "patch", "delete")
        if callable(getattr(view, name, None))
    ]


def test_the_document_is_made_without_a_warning(tmp_path):
    target = tmp_path / "schema.yaml"

    call_command("spectacular", validate=True, fail_on_warn=True, file=str(target))

    assert "openapi: 3.1" in target.read_text()


def test_the_document_and_its_page_are_served(db):
    document = Client().get("/api/v1/schema/", headers={"accept": "application/json"})

    assert document.status_code == 200
    assert Client().get("/api/v1/docs/").status_code == 200


def test_every_method_of_every_address_is_in_the_document():
    listed = {
        (method.upper(), path)
        for path, operations in schema()["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "patch", "delete")
    }
    offered = sum(len(methods_of(view)) for path, view in routes() if path not in _OUTSIDE)

    assert len(listed) == offered
    assert operation_for("GET", "/api/v1/metrics/a@1")["operationId"] == "get_metric_version"
    assert operation_for("GET", "/api/v1/metrics/a")["operationId"] == "get_metric"


def test_every_writing_method_honours_an_idempotency_key():
    writing = [
        (path, method, getattr(view, method.lower()))
        for path, view in routes()
        for method in methods_of(view)
        if method not in SAFE_METHODS
    ]

    assert writing
    assert [(path, method) for path, method, handler in writing if not _is_safe(handler)] == []


def _is_safe(handler) -> bool:
    return getattr(handler, "is_idempotent", False)


def test_every_refusal_has_one_shape():
    body = {"$ref": "#/components/schemas/ErrorBody"}
    for path, operations in schema()["paths"].items():
        for operation in operations.values():
            for status, said in operation["responses"].items():
                if int(status) >= 400:
                    assert said["content"]["application/json"]["schema"] == body, (path, status)
