"""Rubbish in parameters, addresses and bodies, tried along the OpenAPI document: whatever is sent,
the answer is one of the document's and never a failure of ours."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.models import ChangeRequest
from tests import factories
from tests.api.caller import hold_to_schema, schema

RUBBISH = (
    *("", "a\0b", "²", "9" * 5000, "-1", str(2**63), "\ud800", "9999-12-31"),
    *("0001-01-01T00:00:00+14:00", "' <-> (:*"),
)
FILLED = {"key": "net_sales", "number": "1", "id": "1", "pk": "1", "move": "pause"}


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _operations():
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            yield path.removeprefix("/api/v1/"), method.upper(), operation


def _filled(path: str, **other: str) -> str:
    for name, value in {**FILLED, **other}.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def _held(caller, method: str, path: str, body: bytes = b"") -> None:
    answer = caller.client.generic(method, f"/api/v1/{path}", body, content_type="application/json")
    assert answer.status_code < 500, (method, path[:200], answer.content[:300])
    if answer.status_code >= 400 and method != "HEAD":
        assert set(answer.json()) == {"code", "message", "details"}, (method, path[:200])


def test_rubbish_in_every_parameter(ana):
    for path, method, operation in _operations():
        if method != "GET":
            continue
        asked = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
        for name in [*asked, "unknown"]:
            for text in RUBBISH:
                _held(ana, "GET", f"{_filled(path)}?{name}={_quoted(text)}")
        if asked:
            _held(ana, "GET", f"{_filled(path)}?{asked[0]}=1&{asked[0]}=2")


def test_rubbish_as_a_part_of_every_address(ana):
    for path, method, operation in _operations():
        parts = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        for name in parts:
            for text in RUBBISH:
                _held(ana, method, _filled(path, **{name: _quoted(text)}))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "X-OWN"])
def test_other_methods(ana, method):
    for path in {path for path, _, _ in _operations()}:
        _held(ana, method, _filled(path))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["net_sales", "metric", "2026-03-01", "restate", "simple", "sum", "day"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def _items():
    """Right items with one field replaced, anywhere inside."""
    good = factories.make_change("net_sales", words={"notes": "x"}, treatment="")
    places = [
        *((name,) for name in (*good, "stewardship", "lifecycle", "successor", "last_day")),
        *(("spec", name) for name in (*good["spec"], "filters", "segments", "fill_nulls_with")),
        *(("words", name) for name in good["words"]),
    ]

    def replaced(place, value):
        item = json.loads(json.dumps(good))
        inner = item
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = value
        return item

    return st.builds(replaced, st.sampled_from(places), JSON)


def test_bodies_with_one_thing_wrong(ana):
    @settings(
        max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(_items(), st.sampled_from(["title", "reason", "effective_from", "publish_on", ""]), JSON)
    def tried(item, field, value):
        body = {**factories.make_content(item), **({field: value} if field else {})}
        sent = json.dumps(body).encode("utf-8", "surrogatepass")
        answer = ana.client.post("/api/v1/change-requests", sent, content_type="application/json")
        hold_to_schema("POST", "change-requests", answer)
        if answer.status_code == 201:
            pk = answer.json()["id"]
            _held(ana, "POST", f"change-requests/{pk}/preview", b"{}")
            lock = ChangeRequest.objects.get(pk=pk).draft.lock
            _held(ana, "POST", f"change-requests/{pk}/submit", json.dumps({"lock": lock}).encode())

    tried()


def test_bodies_of_any_shape_at_every_address(ana):
    writing = [(path, method) for path, method, _ in _operations() if method in ("POST", "PATCH")]

    @settings(
        max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(writing), JSON)
    def tried(operation, body):
        path, method = operation
        _held(ana, method, _filled(path), json.dumps(body).encode("utf-8", "surrogatepass"))

    tried()
