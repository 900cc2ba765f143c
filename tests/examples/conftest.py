"""One loaded example company for all tests of its history: it takes some time to load.

The load is cut short twice on the way: between two requests, and between a submit and its
preview. What the tests find is what the calls after it made of that.
"""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connections

from examples import history
from examples.company import Company
from examples.load import load
from examples.replay import Shift
from measurement.warehouses import close_sources
from tests import database

# The last evening of the replayed year: all rows are there, and 51 whole weeks lie behind.
WHOLE_YEAR = Shift(469)
LAST_EVENING = datetime(2026, 12, 28, 4, tzinfo=UTC)


class CutShort(BaseException):
    """The process is gone, as far as the loader can tell."""


def _load_and_be_cut_short(said: list[str]) -> None:
    def say(line: str) -> None:
        said.append(line)
        if "Discounts and coupons" in line:
            raise CutShort

    with pytest.raises(CutShort):
        load(Company(), say=say, weeks=WHOLE_YEAR.weeks)

    work_off_all = history.work_off_all

    def work_off_unless_gasoline(backfills) -> None:
        planned = list(backfills)
        if any(run.targets.filter(label="old", key="baskets").exists() for run in planned):
            raise CutShort
        work_off_all(planned)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(CutShort):
        patch.setattr(history, "work_off_all", work_off_unless_gasoline)
        load(Company(), say=said.append)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The lines that the loader said. The clock stands on the last evening of the year."""
    said: list[str] = []
    before = settings.ETALON_NOW
    with django_db_blocker.unblock():
        settings.ETALON_NOW = LAST_EVENING
        try:
            _load_and_be_cut_short(said)
            load(Company(), say=said.append)
            yield said
        finally:
            settings.ETALON_NOW = before
            close_sources()
            connections.close_all()
            database.empty(settings.DATABASES["default"]["NAME"])
