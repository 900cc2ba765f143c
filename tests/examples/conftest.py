"""One loaded example company for all tests of its history: it takes some time to load."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connections

from examples.company import Company
from examples.load import load
from examples.replay import Shift
from measurement.warehouses import close_sources
from tests import database

# The last evening of the replayed year: all rows are there, and 51 whole weeks lie behind.
WHOLE_YEAR = Shift(469)
LAST_EVENING = datetime(2026, 12, 28, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The lines that the loader said. The clock stands on the last evening of the year."""
    said: list[str] = []
    before = settings.ETALON_NOW
    with django_db_blocker.unblock():
        settings.ETALON_NOW = LAST_EVENING
        try:
            load(Company(), say=said.append, weeks=WHOLE_YEAR.weeks)
            yield said
        finally:
            settings.ETALON_NOW = before
            close_sources()
            connections.close_all()
            database.empty(settings.DATABASES["default"]["NAME"])
