"""The gate: what passes is re-rendered, what does not is refused with a reason and a way out."""

import pytest

from semantics.guard import (
    Dialect,
    check_aggregates,
    check_expression,
    check_filter,
    check_formula,
    check_query,
    names_in,
    to_dialect,
)
from semantics.problems import DefinitionRefused
from tests.counting import calls
from tests.semantics.corpus import texts
from tests.semantics.two_engines import COLUMNS

FORMULAS = texts("formulas")
HOSTILE = texts("hostile_expressions")["refused"]
QUERIES = texts("hostile_queries")
TABLES = ["f", "a.b"]
# Of Python functions, a character of a text that is refused: nothing grows faster than the text.
MOST_CALLS = 40
ROW_CHECKS = (check_expression, check_filter, check_formula)


def refusal(check, text, **names):
    with pytest.raises(DefinitionRefused) as refused:
        check(text, **names)
    problems = refused.value.problems
    assert problems
    for problem in problems:
        assert problem.message.endswith(".")
        assert problem.fix
        assert len(problem.message) < 400
    return problems


@pytest.mark.parametrize("text", FORMULAS["refused"])
def test_what_must_not_be_a_formula_passes_no_gate(text):
    for check in (*ROW_CHECKS, check_aggregates):
        refusal(check, text, names=FORMULAS["columns"])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_no_expression_no_filter_and_no_formula(text):
    for check in ROW_CHECKS:
        refusal(check, text, names=COLUMNS)


@pytest.mark.parametrize("sql", [*QUERIES["of_sources"], *QUERIES["refused"]])
def test_hostile_queries_are_no_dataset(sql):
    refusal(check_query, sql, tables=TABLES)


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 300 + "a" + ")" * 300, "- " * 900 + "a", "not " * 900 + "yes", "a + " * 950 + "a"),
        *("case when yes then " * 200 + "a", "a" + "::int" * 600, "coalesce(" * 300 + "a"),
        *(
            "a.b" + ".c" * 500,
            "interval " * 400 + "1",
            "a[" * 300 + "1",
            "sum(" * 300 + "a" + ")" * 300,
        ),
        *("a in (" * 100 + "1" + ")" * 100, "(a,(" * 200, "a between " * 300, "f(x -> " * 100),
        "'" + "x" * 5000 + "'",
    ],
)
def test_deep_and_long_texts_are_refused_at_once(text):
    refusal(check_expression, text, names=COLUMNS)  # The first one also sets the parser up.
    spent = calls(lambda: refusal(check_expression, text, names=COLUMNS))

    assert spent < MOST_CALLS * len(text)


@pytest.mark.parametrize(
    "typed, stored",
    [
        ("A+B", "a + b"),
        ("  a\n +\tb ", "a + b"),
        ('"a" + "order"', 'a + "order"'),
        ("year(day)", "EXTRACT(YEAR FROM day)"),
        ("date_part('week', day)", "EXTRACT(WEEK FROM day)"),
        ("a::numeric", "CAST(a AS DECIMAL(18, 3))"),
        ("if(a > 1, 1, 0)", "CASE WHEN a > 1 THEN 1 ELSE 0 END"),
        ("a != b", "a <> b"),
        ("s not in ('x')", "NOT s IN ('x')"),
        ("a + 1 || s", "(a + 1) || s"),
        ("s = 'it''s'", "s = 'it''s'"),
        ("interval 3 days + day", "INTERVAL '3' DAY + day"),
        ("ifnull(a, 0)", "COALESCE(a, 0)"),
    ],
)
def test_what_passes_is_written_anew(typed, stored):
    assert check_expression(typed, names=[*COLUMNS, "order"]) == stored


@pytest.mark.parametrize(
    "check, text, code, says",
    [
        (check_expression, "amuont", "unknown_column", "Did you mean `amount`?"),
        (check_filter, "statsu = 'x'", "unknown_dimension", "Did you mean `status`?"),
        (check_expression, "roudn(amount)", "function_not_allowed", "Did you mean `round`?"),
        (check_expression, "sum(amount)", "aggregate_not_allowed", "aggregation beside"),
        (check_formula, "sum(amount)", "aggregate_not_allowed", "simple metric"),
        (check_aggregates, "sum(avg(amount))", "aggregate_nested", "dataset"),
        (check_expression, "orders.amount", "qualified_name", "`amount` alone"),
        (check_filter, "amount + 1", "not_boolean", "Compare"),
        (check_filter, "amount and true", "not_boolean", "Compare"),
        (check_expression, "amount --all", "comment", "notes"),
        (check_expression, "amount; 1", "semicolon", "one expression"),
        (check_expression, "current_date", "not_allowed", "window"),
        (check_expression, "random()", "not_allowed", "random"),
        (check_expression, "amount // 2", "not_allowed", "floor(a / b)"),
        (check_expression, "amount +", "syntax", "commas"),
        (check_expression, "", "empty", "Write"),
        (check_expression, "(select 1)", "not_allowed", "dataset"),
        (check_expression, "amount over ()", "syntax", "expression"),
    ],
)
def test_refusals_say_what_and_what_next(check, text, code, says):
    names = ["amount", "status"]
    if code == "not_boolean" and text == "amount and true":
        names = ["amount"]
        text = "amount + 1 and true"

    (problem,) = refusal(check, text, names=names)

    assert problem.code == code
    assert says in problem.fix


def test_a_fault_of_syntax_is_shown_by_line_and_column():
    (problem,) = refusal(check_expression, "a +\n b b", names=COLUMNS)

    assert "line 2, column" in problem.message


def test_all_faults_are_told_at_once():
    problems = refusal(check_expression, "x1 + y1 + random() + z1::json", names=["a"])

    assert [problem.code for problem in problems] == [
        "unknown_column",
        "unknown_column",
        "not_allowed",
        "bad_argument",
    ]


def test_names_are_found_once_each_in_order():
    assert names_in("b + a + b * lower(c)") == ("b", "a", "c")


def test_names_can_be_replaced_by_text_of_ours():
    text = check_filter("product__brand = 'Private' and not gift", names=["product__brand", "gift"])

    sql = to_dialect(text, Dialect.POSTGRESQL, rename=lambda name: f"<{name}>")

    assert sql == "<product__brand> = 'Private' AND NOT <gift>"
    assert to_dialect("gift", Dialect.DUCKDB, rename=str.upper) == "GIFT"


def test_tables_of_a_query_get_their_declared_names():
    stored = check_query(
        "select l.x, products.y from LINES l join products on true -- why",
        tables=[
            "shop.lines",
            "shop.products",
        ],
    )

    assert stored == (
        "SELECT l.x, products.y FROM shop.lines AS l JOIN shop.products AS products ON TRUE"
    )


def test_a_short_name_of_two_tables_is_refused():
    (problem,) = refusal(check_query, "select x from lines", tables=["a.lines", "b.lines"])

    assert problem.code == "ambiguous_table"
    assert "`a.lines` or `b.lines`" in problem.message


@pytest.mark.parametrize("table", ["pg_shadow", "information_schema.tables", "pg_catalog.pg_class"])
def test_tables_of_the_engine_cannot_be_declared(table):
    problems = refusal(check_query, " ".join(["select x from", table]), tables=[table])

    assert problems[0].code == "system_table"
