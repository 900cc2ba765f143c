"""What a table of a source looks like, told by a worker to somebody who describes it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections

from accounts.choices import Role
from core.errors import Invalid, NotAllowed, SourceTooSlow, SourceUnavailable
from measurement.models import Source, TableLook
from measurement.services import looks, sweeping
from tests.factories import make_user


@pytest.fixture
def author(shop):
    return make_user("otto", sales=Role.CONTRIBUTOR)


@pytest.fixture
def worker(shop):
    """What a worker does when its doorbell rings."""
    stop = threading.Event()

    def work():
        try:
            while not stop.is_set():
                for look in TableLook.objects.filter(found__isnull=True, error=""):
                    looks.take_look(look.pk)
                time.sleep(0.02)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def source() -> Source:
    return Source.objects.get()


def test_the_columns_of_a_table_come_with_their_types_in_its_order(worker, author):
    found = looks.columns_at_source(source(), " shop.orders ", actor=author)

    assert found == {
        "number": "INTEGER",
        "day": "DATE",
        "store": "VARCHAR",
        "customer": "INTEGER",
        "amount": "DECIMAL(12,2)",
        "arrived": "DATE",
    }


def test_a_table_that_is_not_there_is_said_with_those_that_are(worker, author):
    with pytest.raises(Invalid) as misspelt:
        looks.columns_at_source(source(), "shop.ordres", actor=author)
    with pytest.raises(Invalid) as unknown:
        looks.columns_at_source(source(), "tills", actor=author)

    assert misspelt.value.message == (
        "The source `shop` has no table `shop.ordres`. Did you mean `shop.orders`?"
    )
    assert unknown.value.message.endswith("There is `shop.orders`.")
    assert unknown.value.details["problems"][0]["code"] == "unknown_table"


@pytest.mark.parametrize(
    "table", ["", "orders; drop table x", "a.b.c.d", "o'rders", "shop.orders\n--"]
)
def test_what_is_no_name_of_a_table_reaches_no_source(shop, author, table):
    with pytest.raises(Invalid, match="is no name of a table"):
        looks.columns_at_source(source(), table, actor=author)

    assert not TableLook.objects.exists()


def test_a_source_that_is_away_says_so(shop, worker, author):
    shop.break_source()

    with pytest.raises(SourceUnavailable, match="shop"):
        looks.columns_at_source(source(), "shop.orders", actor=author)


def test_without_a_worker_nobody_waits_for_ever(shop, author, settings):
    settings.LIVE_SECONDS = 0.2

    with pytest.raises(SourceTooSlow, match=r"No answer within 0 seconds\. Try again"):
        looks.columns_at_source(source(), "shop.orders", actor=author)


def test_only_who_may_propose_looks(shop):
    reader = make_user("eve", everywhere=Role.VIEWER)

    with pytest.raises(NotAllowed, match="Contributor"):
        looks.columns_at_source(source(), "shop.orders", actor=reader)

    assert not TableLook.objects.exists()


def test_a_look_is_taken_once_and_forgotten_after_an_hour(shop, settings):
    look = TableLook.objects.create(
        source=source(), table="shop.orders", asked_at=settings.ETALON_NOW
    )
    looks.take_look(look.pk)
    shop.break_source()
    looks.take_look(look.pk)
    look.refresh_from_db()
    assert (look.error, len(look.found["columns"])) == ("", 6)

    sweeping.forget_staged()
    assert TableLook.objects.exists()
    settings.ETALON_NOW += timedelta(hours=2)
    sweeping.forget_staged()
    assert not TableLook.objects.exists()
    # Delivered late: there is nothing to do.
    looks.take_look(look.pk)
