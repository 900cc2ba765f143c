import pytest

from tests.semantics.two_engines import ROWS, Engines


@pytest.fixture(scope="session")
def both():
    """DuckDB and PostgreSQL with the same small table."""
    engines = Engines()
    engines.fill(ROWS)
    yield engines
    engines.close()
