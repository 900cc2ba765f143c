"""A pytest plugin: the embedded servers run before Django reads its settings.

One PostgreSQL and one Valkey serve the whole session; each process of pytest-xdist has a database
of its own in that server (see `tests/conftest.py`). Run pytest as `python -m pytest`.

However pytest ends (a word of the command line that it does not know, a conftest that cannot be
imported, a SIGTERM), the servers end with it.
"""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from config.local.embedded import Embedded

# What a process of pytest-xdist inherits, so that it starts nothing of its own.
SUPERUSER_URL = "ETALON_TEST_SUPERUSER_URL"
# The cluster does not outlive the session: nothing of it need be safe from a loss of power.
PASSING = {"fsync": "off", "full_page_writes": "off"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    if SUPERUSER_URL not in os.environ and "--collect-only" not in args:
        _start(early_config)
    return (yield)


def _start(config: pytest.Config) -> None:
    # A program that is told to end closes nothing behind it; one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Outside of the project: the server's system user must be able to enter the folder.
    home = Path(tempfile.mkdtemp(prefix="etalon-tests-"))
    home.chmod(0o711)
    # Clean-ups run in every case; `pytest_unconfigure` only when pytest came so far.
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    embedded = Embedded(home, {}, PASSING)
    config.add_cleanup(embedded.stop)
    embedded.start()
    os.environ.update(embedded.environment())
    os.environ[SUPERUSER_URL] = embedded.postgres.url("postgres", "{database}")
    os.environ.update(
        SECRET_KEY="for-the-tests-only-and-long-enough-to-pass-the-checks",
        HTTPS="0",
        DEBUG="0",
        STATIC_FROM_SOURCE="1",
        LOG_LEVEL="WARNING",
    )
