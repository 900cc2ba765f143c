import gc
import os
from copy import deepcopy
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection, connections
from playwright.sync_api import sync_playwright

from config.local import browser
from tests import database, factories
from tests.rig import Rig

NO_BROWSER = "no browser"
WITHOUT_BROWSER = pytest.StashKey[int]()


def pytest_configure(config):
    """Give each process of pytest-xdist a database of its own, before anything connects."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    settings.DATABASES["default"]["NAME"] = name
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if variable in os.environ:
            parts = urlsplit(os.environ[variable])
            os.environ[variable] = urlunsplit(parts._replace(path=f"/{name}"))


def pytest_collection_finish():
    """What was imported stays to the end, so that whether it is garbage need not be asked at every
    collection (measured: a twelfth of the time of tests/governance)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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
    # Emptying takes the company away as well, from under those who would go on with it.
    assert _standing.is_clean, "a test commits, or it begins with the company that stands"
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        database.empty(settings.DATABASES["default"]["NAME"])


class _Standing:
    """The company that stands committed in the database between the tests that begin with it.

    Setting it up goes through all services, in a tenth of a second; a test in a transaction of its
    own leaves it as it was.
    """

    def __init__(self):
        self.company: factories.Company | None = None
        self.is_clean = True

    def set_up(self) -> factories.Company:
        if self.company is None:
            # What one test arranged before it would be the ground of all others.
            assert not connection.in_atomic_block and settings.ETALON_NOW is None
            self.clear()
            self.is_clean = False
            self.company = factories.Company()
        return deepcopy(self.company)

    def clear(self) -> None:
        """Take it away, also what is left of one that could not be set up."""
        if not self.is_clean:
            self.company = None
            connections.close_all()
            database.empty(settings.DATABASES["default"]["NAME"])
            self.is_clean = True


_standing = _Standing()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if "standing_company" not in item.fixturenames:
        _standing.clear()


@pytest.fixture
def standing_company(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return _standing.set_up()


@pytest.fixture
def company(standing_company, db):
    """Five people, the default policies, a dataset and a metric; see `tests/factories.py`."""
    return standing_company


@pytest.fixture
def rig(committed_db):
    """Real processes on the test's database, started by name: see `tests/rig.py`."""
    with Rig() as rig:
        yield rig


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the processes of a failed test said."""
    report = yield
    rig = getattr(item, "funcargs", {}).get("rig")
    if report.failed and isinstance(rig, Rig):
        report.sections += [(f"log of {name}", text) for name, text in rig.logs().items()]
    return report


@pytest.fixture
def record_figure():
    """Keep a line for the report of the long campaigns (`make soak` names the file)."""

    def record(line: str) -> None:
        if path := os.environ.get("ETALON_FIGURES"):
            with Path(path).open("a") as file:
                file.write(f"{line}\n")

    return record


@pytest.fixture(scope="session")
def chromium():
    """The path of the Chromium that browser tests drive. Without one they are skipped, and in CI
    they fail: a suite that tests less than it says is worse than a red one."""
    path = browser.find()
    if path is None and os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"Browser tests cannot run: {browser.why_missing()}", pytrace=False)
    if path is None:
        pytest.skip(NO_BROWSER)
    return path


@pytest.fixture(scope="session")
def chrome(chromium):
    """A running Chromium, shared by the session. Take `chrome.new_context()` in each test."""
    # Playwright runs a loop in this thread, in which Django would refuse its own queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(browser.FLAGS))
        yield running
        running.close()


def pytest_terminal_summary(terminalreporter, config):
    skipped = terminalreporter.stats.get("skipped", [])
    config.stash[WITHOUT_BROWSER] = sum(NO_BROWSER in str(report.longrepr) for report in skipped)


def pytest_unconfigure(config):
    """After everything else, in one line: what was not tested, and why."""
    if count := config.stash.get(WITHOUT_BROWSER, 0):
        print(f"\n{count} browser tests were skipped: {browser.why_missing()}")
