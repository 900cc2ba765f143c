import os
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connections

from tests import database


def pytest_configure(config):
    """Give each process of pytest-xdist a database of its own, before anything connects."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    settings.DATABASES["default"]["NAME"] = name
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if variable in os.environ:
            parts = urlsplit(os.environ[variable])
            os.environ[variable] = urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """Our own: the schema belongs to another role than the one that the tests run as."""
    with django_db_blocker.unblock():
        database.make(settings.DATABASES["default"]["NAME"])
        yield
        connections.close_all()


@pytest.fixture
def committed_db(django_db_setup, django_db_blocker):
    """A database in which transactions really commit, for races, triggers and other processes.

    Use it in place of `db`. All rows are removed afterwards.
    """
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        database.empty(settings.DATABASES["default"]["NAME"])
