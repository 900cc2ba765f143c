"""A pytest plugin: the embedded servers run before Django reads its settings.

One PostgreSQL and one Valkey serve the whole session; each process of pytest-xdist has a database
of its own in that server (see `tests/conftest.py`). Run pytest as `python -m pytest`.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config.local.embedded import Embedded

# What a process of pytest-xdist inherits, so that it starts nothing of its own.
SUPERUSER_URL = "ETALON_TEST_SUPERUSER_URL"
_running: dict[str, object] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    if SUPERUSER_URL not in os.environ and "--collect-only" not in args:
        _start()
    return (yield)


def _start() -> None:
    # Outside of the project: the server's system user must be able to enter the folder.
    home = Path(tempfile.mkdtemp(prefix="etalon-tests-"))
    home.chmod(0o711)
    embedded = Embedded(home, {})
    _running.update(home=home, embedded=embedded)
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


def pytest_unconfigure(config):
    if embedded := _running.get("embedded"):
        embedded.stop()
        shutil.rmtree(_running["home"], ignore_errors=True)
