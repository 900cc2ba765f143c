"""What a dataset over a table begins as: valid, and no bolder than its columns allow."""

from semantics.definition import ColumnType, read_spec
from semantics.starts import dataset_start
from semantics.validate import problems_of
from tests.semantics.small_catalog import catalog

TABLE = {
    "id": "BIGINT",
    "Product_ID": "integer",
    "store_id": "INTEGER",
    "order": "character varying(20)",
    "bought_at": "timestamp without time zone",
    "day": "DATE",
    "bought_on": "date",
    "price": "DECIMAL(10,2)",
    "weight": "double precision",
    "is_new": "boolean",
    "colour": "VARCHAR",
    "a__b": "VARCHAR",
    "tags": "VARCHAR[]",
    "Größe": "INTEGER",
    "two words": "INTEGER",
}


def begun(key="returns", columns=TABLE, **known):
    return dataset_start(
        key=key, source="shop", table="shop.returns", columns=columns, known=catalog(**known)
    )


def test_it_is_valid_as_it_is():
    document = begun().spec.model_dump(mode="json", exclude_none=True)

    assert problems_of(document, key="returns", known=catalog()) == []
    assert read_spec(document) == begun().spec


def test_columns_are_typed_by_what_the_source_calls_them():
    types = {column.name: column.type for column in begun().spec.columns}

    assert types == {
        "id": ColumnType.INTEGER,
        "product_id": ColumnType.INTEGER,
        "store_id": ColumnType.INTEGER,
        "order": ColumnType.STRING,
        "bought_at": ColumnType.TIMESTAMP,
        "day": ColumnType.DATE,
        "bought_on": ColumnType.DATE,
        "price": ColumnType.DECIMAL,
        "weight": ColumnType.FLOAT,
        "is_new": ColumnType.BOOLEAN,
        "colour": ColumnType.STRING,
        "a__b": ColumnType.STRING,
        "tags": ColumnType.STRING,
    }


def test_what_cannot_be_named_is_left_out_and_said():
    assert begun().left_out == ("Größe", "two words")


def test_its_rows_are_dated_by_the_first_day_that_can_be_named():
    spec = begun().spec

    assert spec.time_dimension == "bought_on"
    assert [one.name for one in spec.dimensions if one.type == "time"] == ["bought_on", "bought_at"]
    assert begun(columns={"id": "INTEGER"}).spec.time_dimension is None


def test_texts_and_answers_are_what_it_can_be_asked_by():
    asked = {one.name: one.expression for one in begun().spec.dimensions if one.type != "time"}

    assert asked == {"is_new": "CAST(is_new AS TEXT)", "colour": "colour", "tags": "tags"}


def test_it_is_joined_by_what_others_identify():
    entities = [(one.name, str(one.type), one.expression) for one in begun().spec.entities]

    # No dataset identifies a store.
    assert entities == [("return", "primary", "id"), ("product", "foreign", "product_id")]


def test_its_zone_is_that_of_its_neighbours():
    orders = catalog()["orders"].model_copy(update={"time_zone": "Europe/Rome"})
    others = {
        key: spec.model_copy(update={"time_zone": "Europe/Rome"})
        for key, spec in catalog().items()
        if spec.type == "dataset"
    }

    assert begun().spec.time_zone == "UTC"
    assert begun(**{**others, "orders": orders}).spec.time_zone == "Europe/Rome"
    alone = dataset_start(key="x1", source="new", table="t", columns={"id": "INT"}, known=others)
    assert alone.spec.time_zone == "UTC"
