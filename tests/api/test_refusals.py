"""Whatever is sent, the answer is one shape with a code; nothing half-written stays."""

import json

import pytest
from django.test import Client

from core.models import AuditEvent
from core.request_ids import current_request_id
from governance.models import ChangeRequest
from tests import factories
from tests.api.caller import Caller

URL = "/api/v1/change-requests"


def _raw(caller, body: bytes, **headers):
    return caller.client.post(URL, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"title": NaN}',
        b'{"title": "\\ud800"}',
        b'{"title": "a\\u0000b"}',
        b'{"items": ' + b"[" * 100_000,
        b'{"items": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
def test_a_body_that_is_no_json(ana, body):
    response = _raw(ana, body)

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert ChangeRequest.objects.count() == 1  # the company's own


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"[]", ""),
        (b'"text"', ""),
        (b"{}", "items"),
        (b'{"title": 5, "items": [1]}', "items.0"),
        (b'{"title": "x", "items": [{"key": "Net Sales"}]}', "items.Net Sales.key"),
        (b'{"title": "x", "items": [{"key": "a"}], "effective_from": "soon"}', "effective_from"),
    ],
)
def test_a_body_of_the_wrong_shape_says_where(ana, body, place):
    response = _raw(ana, body)

    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert place in [row["place"] for row in response.json()["details"]["problems"]]


def test_a_body_of_five_megabytes(ana):
    body = json.dumps({**factories.make_content(), "reason": "x" * 5_000_000})

    response = _raw(ana, body.encode())

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "2.5 MB" in response.json()["message"]


def test_a_body_that_is_no_json_by_name(ana):
    response = ana.client.post(URL, "title=x", content_type="application/x-www-form-urlencoded")

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_an_address_that_takes_no_such_method(ana):
    response = ana.client.delete(f"{URL}/1")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["nothing", "metrics/", "metrics/a b", "metrics/x/y/z"])
def test_an_address_that_is_not_there(client, path):
    for response in (client.get(f"/api/v1/{path}"), client.post(f"/api/v1/{path}")):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("token", ["", "etl_unknown", "Bearer", "x"])
def test_without_a_good_token_nothing_is_read_or_written(company, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    client = Client(headers=headers)

    answers = [client.get(URL), client.post(URL, {}, content_type="application/json")]

    assert {response.status_code for response in answers} == {401}
    assert {response.json()["code"] for response in answers} <= {
        "not_authenticated",
        "authentication_failed",
    }


def test_a_session_writes_only_with_the_token_of_its_form(company):
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.ana)

    response = client.post(URL, factories.make_content(), content_type="application/json")

    assert response.status_code == 403
    assert ChangeRequest.objects.count() == 1
    assert client.get(URL).status_code == 200


def test_a_person_without_the_role_is_told_which_one(company):
    response = Caller(company.eve).post("change-requests", factories.make_content())

    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert "Contributor" in response.json()["message"]


def test_every_answer_says_its_request_id(ana):
    given = ana.get("metrics", **{"x-request-id": "from-the-caller"})
    refused = Client().get("/api/v1/metrics")
    unusable = ana.get("metrics", **{"x-request-id": "with a space"})

    assert given["X-Request-ID"] == "from-the-caller"
    assert len(refused["X-Request-ID"]) == 32
    assert len(unusable["X-Request-ID"]) == 32


def test_what_a_request_did_carries_its_id_in_the_audit_log(ana):
    answer = ana.post("change-requests", factories.make_content(factories.make_change()))

    event = AuditEvent.objects.get(action="change.open", subject_id=str(answer.json()["id"]))
    assert event.request_id == answer["X-Request-ID"]
    assert current_request_id() == ""
