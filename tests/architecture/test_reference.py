"""The reference pages list what the code has: nothing is missing, and nothing is invented."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from rest_framework import exceptions

import api.urls  # noqa: F401 - every refusal of the API is known once its views are
from accounts.choices import Role, Scope
from api import errors as answers
from catalog import stewardship
from core.errors import EtalonError
from governance.choices import Verdict
from governance.content import Content, Item
from measurement.choices import BACKFILL_MOVES
from semantics import card, definition, functions
from semantics.dialects import Dialect
from semantics.guard import check_aggregates, check_expression, check_formula, to_dialect
from tests.rig import ROOT

ROOMS = ("semantics", "core", "accounts", "catalog", "measurement", "governance", "api", "web")
REFERENCE = ROOT / "docs" / "reference"


def tables_under(page: str, heading: str = "") -> list[list[str]]:
    """The cells of all tables of a page, or of those below one of its headings."""
    text = (REFERENCE / page).read_text()
    if heading:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]
    return [row for row in cells if not row[0].startswith("---") and row[0].startswith("`")]


def names_in(page: str, heading: str = "") -> list[str]:
    return [row[0].strip("`") for row in tables_under(page, heading)]


def trees() -> Iterator[tuple[str, ast.Module]]:
    for room in (*ROOMS, "examples"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield room, ast.parse(path.read_text())


# --- errors --------------------------------------------------------------------------------

# What Django REST framework has and this API never gives: there is no throttling, and a problem
# of validation is `invalid`.
_NOT_GIVEN = {exceptions.APIException, exceptions.Throttled, exceptions.ValidationError}


def _below(kind: type) -> set[type]:
    return {kind, *(lower for one in kind.__subclasses__() for lower in _below(one))}


def codes_of_answers() -> set[str]:
    ours = {one.code for one in _below(EtalonError) - {EtalonError}}
    theirs = {one.default_code for one in _below(exceptions.APIException) - _NOT_GIVEN}
    written = {
        node.args[0].value
        for node in ast.walk(ast.parse((ROOT / "api" / "errors.py").read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "body_of"
        and isinstance(node.args[0], ast.Constant)
    }
    assert {code for code, _ in answers._MESSAGES.values()} <= theirs | {"method_not_allowed"}
    return ours | (theirs - {"error"}) | written


def test_every_code_of_an_answer_is_documented():
    documented = names_in("errors.md", "Codes of an answer")

    assert sorted(documented) == sorted(codes_of_answers() | {"unsupported_media_type"})


def test_the_documented_status_of_an_answer_is_the_code_s():
    documented = {
        row[0].strip("`"): row[1] for row in tables_under("errors.md", "Codes of an answer")
    }

    assert {one.code: str(one.status) for one in _below(EtalonError) - {EtalonError}} | {
        "invalid": "400, 422"
    } == {
        code: status
        for code, status in documented.items()
        if code in {one.code for one in _below(EtalonError)}
    }


def codes_of_problems() -> tuple[set[str], set[str]]:
    """Codes that are written out, and the beginnings of those that are put together."""
    whole, begun = set(), set()
    for room, tree in trees():
        if room == "examples":
            continue
        for node in ast.walk(tree):
            for said in _said_codes(node):
                if isinstance(said, ast.Constant):
                    whole.add(said.value)
                elif isinstance(said, ast.JoinedStr):
                    begun.add(said.values[0].value)
    return whole - {"", "USD"}, begun


def _said_codes(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in ("Problem", "_problem"):
            return node.args[1:2]
        return node.args[:1] if name == "refuse" else []
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [value for key, value in pairs if getattr(key, "value", None) == "code"]
    return []


def test_every_code_of_a_problem_is_documented():
    documented = names_in("errors.md", "Codes of a problem")
    whole, begun = codes_of_problems()

    assert len(documented) == len(set(documented))
    assert whole - set(documented) == set()
    invented = set(documented) - whole
    assert {code for code in invented if not code.startswith(tuple(begun))} == set()


# --- audit actions -------------------------------------------------------------------------


def actions() -> set[str]:
    found = {f"backfill.{action}" for action in BACKFILL_MOVES}
    for room, tree in trees():
        constants = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                prefix = _prefix(node.func, room)
                if prefix is not None:
                    found |= {prefix + name for name in _texts(node.args[0], constants)}
    return found


def _prefix(called: ast.expr, room: str) -> str | None:
    if isinstance(called, ast.Attribute) and called.attr == "record":
        return "" if getattr(called.value, "id", "") == "audit" else None
    if getattr(called, "id", "") == "record" and room == "governance":
        return "change."
    return None


def _texts(said: ast.expr, constants: dict[str, ast.expr]) -> set[str]:
    if isinstance(said, ast.IfExp):
        return _texts(said.body, constants) | _texts(said.orelse, constants)
    if isinstance(said, ast.Name):
        if said.id == "verdict":
            return set(Verdict.values)
        return _texts(constants[said.id], constants)
    if isinstance(said, ast.JoinedStr):
        # `change.{action}` is met where it is called, `backfill.{action}` is the table of moves.
        assert said.values[0].value in ("change.", "backfill.")
        return set()
    assert isinstance(said, ast.Constant), ast.dump(said)
    return {said.value}


def test_every_action_of_the_audit_log_is_documented():
    assert sorted(names_in("audit-actions.md")) == sorted(actions())


# --- fields --------------------------------------------------------------------------------

MODELS: dict[str, type[BaseModel]] = {
    "Every metric": definition.MetricSpec,
    "simple": definition.SimpleSpec,
    "ratio": definition.RatioSpec,
    "derived": definition.DerivedSpec,
    "cumulative": definition.CumulativeSpec,
    "conversion": definition.ConversionSpec,
    "An input": definition.MetricInput,
    "A length of time": definition.Window,
    "Late data": definition.LateData,
    "A constant property": definition.ConstantProperty,
    "dataset": definition.DatasetSpec,
    "A table": definition.Table,
    "A query": definition.Query,
    "A column": definition.Column,
    "An entity": definition.Entity,
    "A categorical dimension": definition.CategoricalDimension,
    "A time dimension": definition.TimeDimension,
    "segment": definition.SegmentSpec,
    "Words": card.Words,
    "A unit": card.Unit,
    "Stewardship": stewardship.Stewardship,
    "A branch of the tree": stewardship.Branch,
    "An SLA": stewardship.Promise,
    "A change request": Content,
    "An item": Item,
}


def _default(field) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=False)
    if field.default_factory is not None or default is PydanticUndefined:
        return "today" if field.annotation is date else "`[]`"
    if isinstance(default, BaseModel):
        return f"`{json.dumps(default.model_dump(mode='json'))}`"
    if isinstance(default, tuple):
        default = list(default)
    return f"`{json.dumps(default, default=str)}`"


@pytest.mark.parametrize("heading", MODELS)
def test_every_field_is_documented_with_its_default(heading):
    fields = MODELS[heading].model_fields
    if heading in definition.METRIC_TYPES:
        fields = {
            name: field
            for name, field in fields.items()
            if name not in definition.MetricSpec.model_fields
        }
    said = {row[0].strip("`"): row[1] for row in tables_under("fields.md", heading)}

    assert said == {name: _default(field) for name, field in fields.items()}


@pytest.mark.parametrize(
    "kind", [definition.Grain, definition.Aggregation, definition.ColumnType, definition.Weekday]
)
def test_every_choice_of_a_definition_is_named(kind):
    named = set(re.findall(r"`(\w+)`", (REFERENCE / "fields.md").read_text()))

    assert {str(one) for one in kind} - named == set()


# --- expressions ---------------------------------------------------------------------------


def test_every_function_is_documented():
    assert sorted(names_in("expressions.md", "Functions of a row")) == sorted(
        functions.ROW_FUNCTION_NAMES
    )
    assert sorted(names_in("expressions.md", "Aggregates")) == sorted(functions.AGGREGATE_NAMES)


def test_the_functions_of_a_formula_are_named():
    text = (REFERENCE / "expressions.md").read_text().split("## Formulas of derived metrics")[1]
    named = text.split("Functions: ")[1].split("\n\n")[0]

    assert re.findall(r"`(\w+)`", named) == sorted(functions.ARITHMETIC_NAMES)
    for name in functions.ARITHMETIC_NAMES:
        example = next(row[1] for row in tables_under("expressions.md") if row[0] == f"`{name}`")
        if not re.search(r"'", example):
            check_formula(example.strip("`"), names=["a"])


@pytest.mark.parametrize(
    "row", tables_under("expressions.md", "Functions of a row"), ids=lambda row: row[0]
)
def test_an_example_of_a_function_gives_what_is_said(row):
    checked = check_expression(row[1].strip("`"), names=[])
    sql = to_dialect(checked, Dialect.DUCKDB)

    (found,) = duckdb.connect().execute(f"SELECT ({sql})::varchar").fetchone()
    assert found == row[2].strip("`")


@pytest.mark.parametrize(
    "row", tables_under("expressions.md", "Aggregates"), ids=lambda row: row[0]
)
def test_an_example_of_an_aggregate_is_accepted(row):
    check_aggregates(row[1].strip("`"), names=["amount", "status", "buyer"])


def test_the_units_and_types_of_expressions_are_named():
    text = " ".join((REFERENCE / "expressions.md").read_text().split())
    for kinds in (functions.TRUNCATED_TO, functions.COUNTED_IN, functions.PARTS):
        listed = ", ".join(f"`{name.lower()}`" for name in sorted(kinds))
        assert listed in text, listed
    for written in functions.CAST_TYPES.values():
        assert f"`{written}`" in text


# --- commands ------------------------------------------------------------------------------


def test_every_command_is_documented_with_its_options():
    own = {config.name for config in apps.get_app_configs() if config.name in (*ROOMS, "examples")}
    commands = {name: app for name, app in get_commands().items() if app in own}
    text = (REFERENCE / "commands.md").read_text()
    common = load_command_class("core", "audit_head").create_parser("", "")
    known = {"--save"}
    ignored = {option for action in common._actions for option in action.option_strings} - known

    assert sorted(re.findall(r"^### `(\w+)`", text, re.MULTILINE)) == sorted(commands)
    for name, app in commands.items():
        part = text.split(f"### `{name}`")[1].split("\n#")[0]
        parser = load_command_class(app, name).create_parser("manage.py", name)
        options = {each for action in parser._actions for each in action.option_strings} - ignored
        if name == "audit_head":
            options = known
        places = {one.dest for one in parser._actions if not one.option_strings}
        assert {each for each in options | places if each.lower() not in part.lower()} == set(), (
            name
        )


def test_every_target_of_make_is_documented():
    text = (REFERENCE / "commands.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)

    assert {name for name in targets if f"`make {name}`" not in text} == set()


# --- words ---------------------------------------------------------------------------------


def test_every_role_and_scope_is_named_where_people_look():
    roles = (ROOT / "docs" / "how-to" / "people-and-roles.md").read_text()
    scopes = (REFERENCE / "api.md").read_text()

    assert [role for role in Role.labels if f"| {role} |" not in roles] == []
    assert [scope for scope in Scope.values if f"| `{scope}` |" not in scopes] == []
