"""Definitions over the small tables of `engines.py`."""

from semantics.definition import AnySpec, read_spec


def column(name: str, kind: str) -> dict:
    return {"name": name, "type": kind}


def entity(name: str, kind: str, expression: str = "") -> dict:
    return {"name": name, "type": kind, "expression": expression or name}


def member(name: str, expression: str = "", **more) -> dict:
    return {"name": name, "type": "categorical", "expression": expression or name, **more}


def day(name: str, expression: str = "day", **more) -> dict:
    return {"name": name, "type": "time", "expression": expression, **more}


def dataset(table: str, columns: str, **more) -> AnySpec:
    """`columns` as `id:integer amount:decimal`."""
    return read_spec(
        {
            "type": "dataset",
            "source": "shop",
            "relation": {"kind": "table", "name": table},
            "columns": [column(*each.split(":")) for each in columns.split()],
            **more,
        }
    )


def simple(dataset: str, aggregation: str, expression: str = "1", **more) -> AnySpec:
    return read_spec(
        {
            "type": "simple",
            "dataset": dataset,
            "aggregation": aggregation,
            "expression": expression,
            **more,
        }
    )


def ratio(numerator, denominator, **more) -> AnySpec:
    return read_spec(
        {
            "type": "ratio",
            "numerator": given(numerator),
            "denominator": given(denominator),
            **more,
        }
    )


def derived(expression: str, *inputs, **more) -> AnySpec:
    return read_spec(
        {
            "type": "derived",
            "expression": expression,
            "inputs": [given(each) for each in inputs],
            **more,
        }
    )


def cumulative(metric: str, **more) -> AnySpec:
    return read_spec({"type": "cumulative", "metric": metric, **more})


def conversion(base: str, conversion: str, entity: str, days: int, **more) -> AnySpec:
    return read_spec(
        {
            "type": "conversion",
            "base": base,
            "conversion": conversion,
            "entity": entity,
            "window": length(days),
            **more,
        }
    )


def given(metric) -> dict:
    return {"metric": metric} if isinstance(metric, str) else metric


def length(count: int, grain: str = "day") -> dict:
    return {"count": count, "grain": grain}


LINES = {
    "entities": [
        entity("line", "primary", "id"),
        entity("customer", "foreign"),
        entity("product", "foreign"),
    ],
    "dimensions": [
        day("sold_on"),
        member("store"),
        member("kind", "CASE WHEN gift THEN 'gift' ELSE 'own use' END"),
        member("units", "quantity"),
    ],
    "time_dimension": "sold_on",
}
LINES_COLUMNS = (
    "id:integer basket:integer customer:integer product:integer store:string day:date"
    " amount:decimal quantity:integer gift:boolean"
)


def lines(**more) -> AnySpec:
    return dataset("lines", LINES_COLUMNS, **{**LINES, **more})


def clicks(expression: str = "at", **more) -> AnySpec:
    return dataset(
        "clicks",
        "at:timestamp at_zoned:timestamp person:string",
        entities=[entity("person", "foreign")],
        dimensions=[day("clicked_on", expression, is_utc_timestamp=True)],
        time_dimension="clicked_on",
        time_zone="America/New_York",
        **more,
    )


DATASETS = {
    "lines": lines(),
    "products": dataset(
        "products",
        "id:integer brand:string maker:string price:decimal",
        entities=[entity("product", "primary", "id"), entity("maker", "foreign")],
        dimensions=[
            member("brand", null_label="Unknown"),
            member("price", null_label="No price"),
            member("short_brand", "left(brand, 2)", null_label="--"),
        ],
    ),
    "makers": dataset(
        "makers",
        "id:string country:string",
        entities=[entity("maker", "primary", "id")],
        dimensions=[member("country")],
    ),
    "customers": dataset(
        "customers",
        "id:integer city:string joined:date",
        entities=[entity("customer", "primary", "id")],
        dimensions=[member("city"), day("joined_on", "joined")],
        time_dimension="joined_on",
    ),
    "visits": dataset(
        "visits",
        "customer:integer day:date store:string minutes:integer",
        entities=[entity("customer", "foreign")],
        dimensions=[day("visited_on"), member("store")],
        time_dimension="visited_on",
    ),
    "clicks": clicks(),
    "zoned_clicks": clicks("at_zoned"),
    "mailings": dataset(
        "mailings",
        "customer:integer campaign:string sent:date",
        entities=[entity("customer", "foreign")],
        dimensions=[day("sent_on", "sent"), member("campaign")],
        time_dimension="sent_on",
    ),
    "redemptions": dataset(
        "redemptions",
        "customer:integer campaign:string day:date coupons:integer",
        entities=[entity("customer", "foreign")],
        dimensions=[day("redeemed_on"), member("campaign"), member("coupons")],
        time_dimension="redeemed_on",
    ),
    "events": dataset(
        "events",
        "person:string kind:string day:date",
        entities=[entity("person", "foreign")],
        dimensions=[day("happened_on"), member("kind")],
        time_dimension="happened_on",
    ),
    "odd_names": dataset(
        "periods",
        "order:integer user:string group:string on_day:date val:integer",
        entities=[entity("order", "primary", '"order"'), entity("user", "foreign", '"user"')],
        dimensions=[day("date", "on_day"), member("group", '"group"'), member("period", '"user"')],
        time_dimension="date",
    ),
    "positive_lines": read_spec(
        {
            "type": "dataset",
            "source": "shop",
            "relation": {
                "kind": "query",
                "tables": ["lines", "customers"],
                "sql": "WITH c AS (SELECT id, city FROM customers) SELECT l.day, l.amount, c.city"
                " FROM lines AS l LEFT JOIN c ON c.id = l.customer WHERE l.quantity > 0",
            },
            "columns": [
                column("day", "date"),
                column("amount", "decimal"),
                column("city", "string"),
            ],
            "dimensions": [day("sold_on"), member("city", null_label="Nowhere")],
            "time_dimension": "sold_on",
        }
    ),
}

SHOP: dict[str, AnySpec] = {
    **DATASETS,
    "acme": read_spec({"type": "segment", "dataset": "lines", "filter": "product__brand = 'Acme'"}),
    "north": read_spec({"type": "segment", "dataset": "lines", "filter": "store = 'N'"}),
    "sales": simple("lines", "sum", "amount"),
    "filled_sales": simple("lines", "sum", "amount", fill_nulls_with=0),
    "baskets": simple("lines", "count_distinct", "basket"),
    "buyers": simple("lines", "count_distinct", "customer"),
    "line_count": simple("lines", "count", "1"),
    "visit_count": simple("visits", "count", "1"),
    "acme_sales": simple("lines", "sum", "amount", segments=["acme"]),
    "sales_3d": cumulative("sales", window=length(3)),
    "mailed": simple("mailings", "count", "1"),
    "redeemed": simple("redemptions", "count", "1"),
    "event_visits": simple("events", "count", "1", filters=["kind = 'visit'"]),
    "event_purchases": simple("events", "count", "1", filters=["kind = 'purchase'"]),
    "all_events": simple("events", "count", "1"),
}


def shop(**more: AnySpec) -> dict[str, AnySpec]:
    return {**SHOP, **more}
