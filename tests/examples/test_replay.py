"""The replay: what time of which year it is, and that nothing of the future is seen."""

from datetime import UTC, date, datetime, timedelta

import pytest

from examples import replay
from examples.replay import FIRST_DAY, LAST_DAY, Shift

SHIFT = Shift(469)
NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop():
    connection = replay.connect(SHIFT, NOON)
    yield connection
    connection.close()


def one(connection, query, *parameters):
    return connection.execute(query, parameters).fetchall()[0]


def file(name):
    return str(replay.folder() / f"{name}.parquet")


@pytest.mark.parametrize("days", range(0, 800, 37))
def test_today_lies_in_the_last_fifth_of_the_year(days):
    today = date(2026, 1, 1) + timedelta(days=days)

    shift = Shift.for_today(today)

    gone = (today - shift.first_day).days / ((LAST_DAY - FIRST_DAY).days + 1)
    assert 0.8 <= gone < 0.82
    assert shift.first_day.weekday() == FIRST_DAY.weekday()


def test_days_are_those_of_the_shop_and_not_of_utc(shop):
    # The shop's own week numbers of the file are weeks of New York, from Monday to Sunday.
    told_apart = one(
        shop,
        """
        SELECT count(*)
        FROM (SELECT DISTINCT week, basket_id FROM read_parquet($1))
        JOIN shop.lines USING (basket_id)
        WHERE date_trunc('week', sold_on) <> DATE '2016-12-26' + 7 * (week - 1)::INT + $2
        """,
        file("transactions"),
        SHIFT.days,
    )

    assert told_apart == (0,)


def test_the_hours_of_new_york_are_those_of_the_engine_for_every_line():
    end = datetime(2100, 1, 1, tzinfo=UTC)
    with replay.connect(Shift(0), end) as connection:
        differing = one(
            connection,
            """
            WITH utc AS (
                SELECT DISTINCT basket_id, transaction_timestamp FROM read_parquet($1)
            )
            SELECT count(*), count(*) FILTER (
                WHERE sold_at <> timezone($2, timezone('UTC', transaction_timestamp))
            )
            FROM utc JOIN (SELECT DISTINCT basket_id, sold_at FROM shop.lines) USING (basket_id)
            """,
            file("transactions"),
            replay.ZONE,
        )

    assert differing == (155848, 0)


def test_rows_later_than_now_are_hidden_and_appear_with_time(shop):
    newest = "SELECT count(*), strftime(max(sold_at), '%Y-%m-%d %H:%M') FROM shop.lines"
    before = one(shop, newest)
    with replay.connect(SHIFT, NOON + timedelta(hours=3)) as later:
        after = one(later, newest)

    # Noon in New York is 17:00 UTC in November.
    assert "2026-11-24 11:30" < before[1] <= "2026-11-24 12:00"
    assert "2026-11-24 14:30" < after[1] <= "2026-11-24 15:00"
    assert before[0] < after[0]


@pytest.mark.parametrize(
    ("view", "day"),
    [
        ("lines", "sold_on"),
        ("campaigns", "starts_on"),
        ("redemptions", "redeemed_on"),
        ("promotions", "week_from"),
    ],
)
def test_no_view_shows_the_future(shop, view, day):
    newest = shop.table(f"shop.{view}").max(day).fetchall()[0][0]

    assert date(2026, 10, 24) < newest <= date(2026, 11, 24)


def test_at_its_end_the_replay_shows_every_row_of_the_files():
    with replay.connect(SHIFT, datetime(2027, 3, 1, tzinfo=UTC)) as connection:
        counts = {
            view: connection.table(f"shop.{view}").count("*").fetchall()[0][0]
            for view in replay.views(SHIFT)
        }

    assert counts == {
        "lines": 1_469_307,
        "products": 92_331,
        "demographics": 801,
        "campaigns": 27,
        "campaign_households": 6_589,
        "redemptions": 2_102,
        "promotions": 20_940_529,
    }


def test_money_is_decimal_and_no_cent_is_lost(shop):
    kinds = dict(
        shop.execute("SELECT column_name, column_type FROM (DESCRIBE shop.lines)").fetchall()
    )
    assert {kinds[name] for name in kinds if name.endswith(("_value", "_disc"))} == {
        "DECIMAL(18,2)"
    }

    with replay.connect(SHIFT, datetime(2027, 3, 1, tzinfo=UTC)) as connection:
        moved = one(
            connection,
            """
            SELECT max(abs(ours.sales - files.sales)) < 1e-6
            FROM (SELECT basket_id, sum(sales_value) AS sales FROM shop.lines GROUP BY 1) ours
            JOIN (
                SELECT basket_id, sum(sales_value) AS sales FROM read_parquet($1) GROUP BY 1
            ) files USING (basket_id)
            """,
            file("transactions"),
        )
    assert moved == (True,)


def test_every_place_of_a_promotion_has_a_name(shop):
    assert one(
        shop, "SELECT count(*) FROM shop.promotions WHERE display IS NULL OR mailer IS NULL"
    ) == (0,)
