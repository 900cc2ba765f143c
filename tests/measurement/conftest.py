from datetime import UTC, datetime
from pathlib import Path

import pytest

from measurement.warehouses import close_sources
from tests.measurement import company, warehouse
from tests.measurement.catalog import Shop

HOSTILE = Path(__file__).parent / "hostile_sql.txt"
# The day after the fortieth of the shop's days.
NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def hostile_texts():
    """Texts that a source must survive with the gate off, one a line."""
    lines = HOSTILE.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def warehouse_url(django_db_setup):
    """The address of a small PostgreSQL warehouse; it is dropped when the module ends."""
    with warehouse.warehouse() as url:
        yield url


@pytest.fixture
def folder(tmp_path):
    """The shop's files: orders of forty days, Monday 5 January to Friday 13 February 2026."""
    company.write(tmp_path / "shop", company.orders(40))
    return tmp_path / "shop"


@pytest.fixture
def shop(committed_db, folder, settings):
    """The shop with its dataset published, at noon of 14 February 2026."""
    settings.ETALON_NOW = NOON
    company.make_source(folder)
    yield Shop()
    close_sources()
