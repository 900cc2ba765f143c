import pytest

from measurement.services.turns import work_off
from measurement.warehouses import close_sources
from tests.api.caller import Caller
from tests.measurement import company as shop_of
from tests.measurement.catalog import Shop, sales_spec
from tests.measurement.conftest import NOON


@pytest.fixture
def ana(company):
    """The author, with a token that has every scope."""
    return Caller(company.ana)


@pytest.fixture
def ben(company):
    """A reviewer of Sales."""
    return Caller(company.ben)


@pytest.fixture
def cem(company):
    """A steward of Sales."""
    return Caller(company.cem)


@pytest.fixture
def shop(committed_db, tmp_path, settings):
    """A small shop with one metric, sales, and its values."""
    settings.ETALON_NOW = NOON
    shop_of.write(tmp_path / "shop", shop_of.orders(40))
    shop_of.make_source(tmp_path / "shop")
    shop = Shop()
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    yield shop
    close_sources()


@pytest.fixture
def reader(shop):
    """Somebody who may read all of the shop."""
    return Caller(shop.author, ("read",))
