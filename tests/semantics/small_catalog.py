"""A small catalog: orders of customers for products, visits, and metrics of every type."""

from semantics.definition import AnySpec, read_spec


def dataset(table: str, columns: dict[str, str], **said) -> dict:
    return {
        "type": "dataset",
        "source": "shop",
        "relation": {"kind": "table", "name": f"shop.{table}"},
        "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
        **said,
    }


def categorical(name: str, expression: str | None = None) -> dict:
    return {"name": name, "type": "categorical", "expression": expression or name}


def time(name: str) -> dict:
    return {"name": name, "type": "time", "expression": name}


def entity(name: str, kind: str = "foreign", expression: str | None = None) -> dict:
    return {"name": name, "type": kind, "expression": expression or f"{name}_id"}


def simple(dataset: str = "orders", aggregation: str = "sum", **said) -> dict:
    return {"type": "simple", "dataset": dataset, "aggregation": aggregation, **said}


ORDERS = dataset(
    "orders",
    {
        "order_id": "integer",
        "customer_id": "integer",
        "product_id": "integer",
        "status": "string",
        "amount": "decimal",
        "a": "integer",
        "b": "integer",
        "x": "integer",
        "ordered_at": "timestamp",
        "is_gift": "boolean",
    },
    entities=[entity("purchase", "primary", "order_id"), entity("customer"), entity("product")],
    dimensions=[categorical("status"), categorical("gift", "is_gift"), time("ordered_at")],
    time_dimension="ordered_at",
)
PRODUCTS = dataset(
    "products",
    {"product_id": "integer", "brand": "string", "maker_id": "integer"},
    entities=[entity("product", "primary"), entity("maker")],
    dimensions=[categorical("brand")],
)
MAKERS = dataset(
    "makers",
    {"maker_id": "integer", "country": "string"},
    entities=[entity("maker", "primary")],
    dimensions=[categorical("country")],
)
CUSTOMERS = dataset(
    "customers",
    {"customer_id": "integer", "age": "string", "since": "date"},
    entities=[entity("customer", "primary")],
    dimensions=[categorical("age"), time("since")],
    time_dimension="since",
)
VISITS = dataset(
    "visits",
    {"customer_id": "integer", "page": "string", "visited_on": "date"},
    entities=[entity("customer")],
    dimensions=[categorical("page"), time("visited_on")],
    time_dimension="visited_on",
)

DOCUMENTS: dict[str, dict] = {
    "orders": ORDERS,
    "products": PRODUCTS,
    "makers": MAKERS,
    "customers": CUSTOMERS,
    "visits": VISITS,
    "own_brand": {"type": "segment", "dataset": "orders", "filter": "product__brand = 'Own'"},
    "revenue": simple(expression="amount", dimensions=["product__brand", "status"]),
    "orders_made": simple(aggregation="count"),
    "visits_made": simple("visits", "count"),
    "average_order": {
        "type": "ratio",
        "numerator": {"metric": "revenue"},
        "denominator": {"metric": "orders_made"},
    },
    "revenue_28d": {
        "type": "cumulative",
        "metric": "revenue",
        "window": {"count": 28, "grain": "day"},
    },
    "growth": {
        "type": "derived",
        "expression": "revenue / nullif(before, 0) - 1",
        "inputs": [
            {"metric": "revenue"},
            {"metric": "revenue", "alias": "before", "offset": {"count": 1, "grain": "week"}},
        ],
    },
    "conversion": {
        "type": "conversion",
        "base": "visits_made",
        "conversion": "orders_made",
        "entity": "customer",
        "window": {"count": 7, "grain": "day"},
    },
}


def catalog(**changed: dict) -> dict[str, AnySpec]:
    """The catalog, with entries added or replaced."""
    return {key: read_spec(document) for key, document in {**DOCUMENTS, **changed}.items()}
