"""Every address, method and scope: who comes in is written here, and nobody else does."""

import pytest
from django.test import Client

from accounts.choices import Scope
from tests.api.caller import Caller
from tests.api.test_schema import methods_of, routes

EVERYBODY = None
_ONE = "change-requests/<int:pk>"

# The scope that a token needs, by address and method. An address that is missing fails the test.
NEEDS = {
    ("metrics", "GET"): Scope.READ,
    ("metrics/<slug:key>", "GET"): Scope.READ,
    ("metrics/<slug:key>@<int:number>", "GET"): Scope.READ,
    ("metrics/<slug:key>/versions", "GET"): Scope.READ,
    ("metrics/<slug:key>/back", "POST"): Scope.PROPOSE,
    ("metrics/<slug:key>/values", "GET"): Scope.READ,
    ("metrics/<slug:key>/sql", "GET"): Scope.READ,
    ("metrics/<slug:key>/lineage", "GET"): Scope.READ,
    ("metrics/<slug:key>/dimensions", "GET"): Scope.READ,
    ("datasets", "GET"): Scope.READ,
    ("datasets/<slug:key>", "GET"): Scope.READ,
    ("datasets/<slug:key>@<int:number>", "GET"): Scope.READ,
    ("datasets/<slug:key>/versions", "GET"): Scope.READ,
    ("datasets/<slug:key>/back", "POST"): Scope.PROPOSE,
    ("segments", "GET"): Scope.READ,
    ("segments/<slug:key>", "GET"): Scope.READ,
    ("segments/<slug:key>@<int:number>", "GET"): Scope.READ,
    ("segments/<slug:key>/versions", "GET"): Scope.READ,
    ("segments/<slug:key>/back", "POST"): Scope.PROPOSE,
    ("sources", "GET"): Scope.READ,
    ("change-requests", "GET"): Scope.READ,
    ("change-requests", "POST"): Scope.PROPOSE,
    (_ONE, "GET"): Scope.READ,
    (_ONE, "PATCH"): Scope.PROPOSE,
    (f"{_ONE}/preview", "GET"): Scope.READ,
    (f"{_ONE}/preview", "POST"): Scope.PROPOSE,
    (f"{_ONE}/preview/cancel", "POST"): Scope.PROPOSE,
    (f"{_ONE}/submit", "POST"): Scope.PROPOSE,
    (f"{_ONE}/review", "POST"): Scope.REVIEW,
    (f"{_ONE}/publish", "POST"): Scope.REVIEW,
    (f"{_ONE}/withdraw", "POST"): Scope.PROPOSE,
    (f"{_ONE}/reject", "POST"): Scope.REVIEW,
    (f"{_ONE}/rebase", "POST"): Scope.PROPOSE,
    (f"{_ONE}/comment", "POST"): Scope.PROPOSE,
    (f"{_ONE}/comments/<int:comment>/resolve", "POST"): Scope.PROPOSE,
    (f"{_ONE}/comments/<int:comment>/reopen", "POST"): Scope.PROPOSE,
    (f"{_ONE}/split", "POST"): Scope.PROPOSE,
    (f"{_ONE}/formula", "POST"): Scope.PROPOSE,
    (f"{_ONE}/undo", "POST"): Scope.PROPOSE,
    ("backfills", "GET"): Scope.READ,
    ("backfills", "POST"): Scope.OPERATE,
    ("backfills/<int:pk>", "GET"): Scope.READ,
    ("backfills/<int:pk>/<move:move>", "POST"): Scope.OPERATE,
    ("audit-events", "GET"): Scope.AUDIT,
    ("schema/", "GET"): EVERYBODY,
    ("docs/", "GET"): EVERYBODY,
}
_FILLED = {
    "<slug:key>": "net_sales",
    "<int:number>": "1",
    "<int:pk>": "0",
    "<int:comment>": "0",
    "<move:move>": "pause",
}
GUARDED = [(path, method, scope) for (path, method), scope in NEEDS.items() if scope]


def _address(path: str) -> str:
    for part, value in _FILLED.items():
        path = path.replace(part, value)
    return path


def test_the_table_holds_every_address_and_method():
    offered = {(path, method) for path, view in routes() for method in methods_of(view)}

    assert offered == set(NEEDS)


def test_a_token_comes_in_with_the_scope_that_is_needed_and_with_no_other(company):
    callers = {scope: Caller(company.ana, (scope,)) for scope in Scope.values}
    for path, method, needed in GUARDED:
        for scope, caller in callers.items():
            response = caller.client.generic(method, f"/api/v1/{_address(path)}")
            is_refused = (
                response.status_code == 403 and response.json().get("code") == "wrong_scope"
            )
            assert is_refused == (scope != needed), (path, method, scope, response.status_code)


@pytest.mark.parametrize(("path", "method", "needed"), GUARDED)
def test_without_a_token_nobody_comes_in(db, path, method, needed):
    response = Client().generic(method, f"/api/v1/{_address(path)}")

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"


def test_the_document_is_open_to_everybody(db):
    for (path, _), scope in NEEDS.items():
        if scope is EVERYBODY:
            assert Client().get(f"/api/v1/{path}").status_code == 200
