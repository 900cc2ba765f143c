"""Somebody who calls the API with a token: real client, real tokens, answers held to the schema."""

import re
from functools import cache
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

from accounts.choices import Scope
from accounts.services import create_token

ROOT = "/api/v1/"


@cache
def schema() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


class Caller:
    def __init__(self, user, scopes=tuple(Scope.values)):
        self.user = user
        _, self.secret = create_token(
            user,
            name=f"{user.username} {'+'.join(scopes)}",
            scopes=list(scopes),
            days=30,
            actor=user,
        )
        self.client = Client(headers={"authorization": f"Bearer {self.secret}"})

    def get(self, path: str, **more):
        return self._send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more):
        return self._send("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more):
        return self._send("PATCH", path, body, **more)

    def _send(self, method: str, path: str, body: Any = None, *, key: str = "", **headers):
        if key:
            headers["idempotency-key"] = key
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        response = (
            self.client.generic(method, ROOT + path, headers=headers)
            if body is None
            else (getattr(self.client, method.lower())(ROOT + path, **sent, headers=headers))
        )
        hold_to_schema(method, path, response)
        return response


def hold_to_schema(method: str, path: str, response) -> None:
    """Every answer has a status and a shape that the OpenAPI document says."""
    operation = operation_for(method, ROOT + path.partition("?")[0])
    if operation is None or response.status_code in (304, 405):
        return
    declared = operation["responses"]
    assert str(response.status_code) in declared, (
        f"{method} {path} answers {response.status_code}, which the document does not say: "
        f"{response.content[:300]!r}"
    )
    content = declared[str(response.status_code)].get("content", {})
    if "application/json" not in content:
        return
    shape = {**content["application/json"]["schema"], "components": schema()["components"]}
    checker = Draft202012Validator(shape, format_checker=FormatChecker())
    faults = [
        f"{list(one.absolute_path)}: {one.message}" for one in checker.iter_errors(response.json())
    ]
    assert not faults, faults


def operation_for(method: str, path: str) -> dict | None:
    # Longer templates first: `metrics/{key}@{number}` before `metrics/{key}`.
    for template, operations in sorted(schema()["paths"].items(), key=lambda row: -len(row[0])):
        pattern = re.sub(r"\\{(\w+)\\}", r"[^/@]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return operations.get(method.lower())
    return None
