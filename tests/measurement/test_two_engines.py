"""The same rows in files and in PostgreSQL give the same values, whatever the type of metric."""

import pytest

from catalog.models import Metric
from measurement.models import Source
from measurement.selectors.values import read_values
from measurement.services.turns import work_off
from semantics.definition import read_spec
from tests.measurement import company, warehouse
from tests.measurement.catalog import buyers_spec, orders_spec, sales_spec


@pytest.fixture
def both(shop, warehouse_url, monkeypatch):
    """The shop with a second dataset of the same orders, in PostgreSQL."""
    monkeypatch.setenv(warehouse.URL_ENV, warehouse_url)
    warehouse.fill(company.orders(40))
    Source.objects.create(
        key="database",
        name="Database",
        kind="postgresql",
        first_day=company.FIRST,
        config={"url_env": warehouse.URL_ENV},
    )
    shop.publish("kept_orders", orders_spec(source="database"))
    return shop


def test_files_and_a_database_give_equal_values(both):
    for dataset, name in [("orders", "files"), ("kept_orders", "database")]:
        sales, buyers = f"sales_{name}", f"buyers_{name}"
        both.publish(sales, sales_spec(dataset=dataset))
        both.publish(buyers, buyers_spec(dataset=dataset))
        both.publish(f"a_buyer_{name}", _ratio(sales, buyers))
        both.publish(f"trailing_{name}", _trailing(sales))
        both.publish(f"average_{name}", sales_spec(dataset=dataset, aggregation="average"))

    for metric in ("sales", "buyers", "a_buyer", "trailing", "average"):
        for name in ("files", "database"):
            run = work_off(both.plan(f"{metric}_{name}"))
            assert (run.status, run.error) == ("done", ""), metric
        for grain in ("day", "week", "month"):
            for group_by in (None, "store"):
                files = _values(f"{metric}_files", grain, group_by)
                assert files
                assert files == _values(f"{metric}_database", grain, group_by), (metric, grain)


def _ratio(numerator: str, denominator: str):
    return read_spec(
        {
            "type": "ratio",
            "numerator": {"metric": numerator},
            "denominator": {"metric": denominator},
            "dimensions": ["store"],
        }
    )


def _trailing(metric: str):
    window = {"count": 7, "grain": "day"}
    return read_spec(
        {"type": "cumulative", "metric": metric, "window": window, "dimensions": ["store"]}
    )


def _values(key: str, grain: str, group_by: str | None) -> list:
    points = read_values(Metric.objects.get(key=key), grain=grain, group_by=group_by).points
    return [(p.period, p.members, p.value, p.numerator, p.denominator) for p in points]
