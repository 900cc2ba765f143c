"""A stored text means the same on every engine."""

import pytest

from semantics.guard import Dialect, check_expression, check_query, to_dialect
from tests.semantics.two_engines import COLUMNS, plain

SAME = [
    "a + b * 2 - d",
    "a / b",
    "d / a",
    "f / 0",
    "a / 2",
    "(a + b) / (a - b)",
    "a / nullif(b, 0)",
    "a % b",
    "d % 2",
    "-a",
    "- -a",
    "round(d)",
    "round(d / 3, 2)",
    "round(a / 2)",
    "round(f)",
    "round(f, 1)",
    "floor(d)",
    "ceil(f)",
    "floor(a / b)",
    "abs(d)",
    "sign(a)",
    "sqrt(abs(a))",
    "ln(abs(a) + 1)",
    "exp(a)",
    "power(a, 2)",
    "a ^ 2",
    "greatest(a, b)",
    "least(a, d)",
    "coalesce(a, b, 0)",
    "ifnull(d, 0)",
    "nullif(a, 0)",
    "if(a > 1, 'much', 'little')",
    "case a when 1 then 'one' when 7 then 'seven' else s end",
    "case when yes then d end",
    "lower(t)",
    "upper(s)",
    "trim(t)",
    "length(t)",
    "substring(t, 1, 2)",
    "substring(t, 2)",
    "left(t, 1)",
    "right(t, 2)",
    "replace(t, '-', '+')",
    "split_part(t, '-', 2)",
    "concat(s, '/', t)",
    "s || '/' || t",
    "strpos(t, '-')",
    "position('-' in t)",
    "contains(s, '')",
    "contains(s, 'a')",
    "starts_with(s, 'a')",
    "s like 'a%'",
    "s like 'a\\b'",
    "s like '%_b%'",
    "s not like 'a%'",
    "s ilike 'X'",
    "s like t",
    "s in ('x', '')",
    "s not in ('x', '')",
    "a between 1 and 5",
    "a is null",
    "a is not null",
    "yes is true",
    "yes is not true",
    "a = b",
    "a is distinct from b",
    "a is not distinct from b",
    "(a = b) is null",
    "(a > 1) = yes",
    "not yes",
    "yes and a > 1",
    "yes or a > 1",
    "cast(a as double) / 3",
    "a::decimal(12, 4) / 3",
    "d::integer",
    "f::integer",
    "a::varchar",
    "d::varchar",
    "'2024-01-01'::date",
    "date '2024-01-01'",
    "date(at)",
    "at::date",
    "day + interval 1 day",
    "day - interval 2 month",
    "at + interval '36' hour",
    "date_trunc('month', day)",
    "date_trunc('month', cast(at as date))",
    "date_trunc('week', at)",
    "date_trunc('quarter', day)",
    "date_trunc('year', at)",
    "date_trunc('hour', at)",
    "date_trunc('minute', at)",
    "date_diff('day', day, at)",
    "date_diff('month', day, date '2024-03-01')",
    "date_diff('quarter', day, date '2024-03-01')",
    "date_diff('year', day, at)",
    "date_diff('hour', day, at)",
    "date_diff('minute', timestamp '2024-01-01 00:00:30', at)",
    "date_diff('second', timestamp '2024-01-01 00:00:30', at)",
    "year(day)",
    "quarter(at)",
    "month(day)",
    "week(day)",
    "day(day)",
    "dayofweek(day)",
    "isodow(day)",
    "dayofyear(day)",
    "hour(at)",
    "minute(at)",
    "date_part('week', day)",
    "extract(year from at) * 100 + extract(month from at)",
    "a || s",
    "(a + 1) || s",
    "at at time zone 'UTC' at time zone 'America/New_York'",
]


@pytest.mark.parametrize("text", SAME)
def test_engines_give_equal_values(both, text):
    stored = check_expression(text, names=COLUMNS)

    duck = both.rows(stored, Dialect.DUCKDB)
    postgres = both.rows(stored, Dialect.POSTGRESQL)

    assert duck == postgres, (stored, to_dialect(stored, Dialect.POSTGRESQL))


@pytest.mark.parametrize("text", SAME)
def test_what_is_stored_is_rendered_to_itself(text):
    stored = check_expression(text, names=COLUMNS)

    assert check_expression(stored, names=COLUMNS) == stored


@pytest.mark.parametrize(
    "text, answers",
    [
        ("7 / 2", 3.5),
        ("7 / 0", None),
        ("7.0 / 0.0", None),
        ("7 % 0", None),
        ("1 / 3 * 3", 1.0),
        ("round(2.5)", 3.0),
        ("round(0.5::double)", 1.0),
    ],
)
def test_division_is_exact_and_by_zero_gives_nothing(both, text, answers):
    stored = check_expression(text, names=())

    assert both.rows(stored, Dialect.DUCKDB)[0] == answers
    assert both.rows(stored, Dialect.POSTGRESQL)[0] == answers


QUERIES = [
    "select a / b as v from rows order by id",
    "select yes, count(*) as n, sum(d) as v, avg(a) as m from rows group by yes order by 1",
    "select count_if(a > 100) as n, median(d) as m, quantile_cont(d, 0.9) as q from rows",
    "select count(*) filter (where a > 1) as n, count(distinct b) as k from rows",
    "select percentile_cont(0.25) within group (order by a) as q from rows",
    "with big as (select a, d from rows where a > 1) select max(d) as v from big",
    "select r.id, q.n from rows r left join (select a, count(*) as n from rows group by a) q "
    "on q.a = r.a order by 1",
    "select id, row_number() over (order by a desc, id) as n from rows order by 1",
    "select id, sum(a) over (partition by yes order by id rows between 1 preceding and current row)"
    " as v from rows order by 1",
    "select id, lag(a) over (order by id) as before from rows order by 1",
    "select id from rows where a in (select b from rows) order by 1",
    "select id from rows r where exists (select 1 from rows q where q.b = r.a) order by id",
    "select a as v from rows union select b as v from rows order by 1",
    "select distinct yes from rows order by 1",
    "select r.* from rows as r order by r.id",
    "select date_trunc('month', day) as m, sum(a) as v from rows group by 1 "
    "having sum(a) is not null order by 1",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_queries_give_equal_rows(both, sql):
    stored = check_query(sql, tables=["rows"])

    duck = both.run(to_dialect(stored, Dialect.DUCKDB), Dialect.DUCKDB)
    postgres = both.run(to_dialect(stored, Dialect.POSTGRESQL), Dialect.POSTGRESQL)

    assert [tuple(map(plain, row)) for row in duck] == [tuple(map(plain, row)) for row in postgres]
    assert check_query(stored, tables=["rows"]) == stored
