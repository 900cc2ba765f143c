import pytest

from tests.semantics.compiler.engines import DuckDBEngine, PostgreSQLEngine


@pytest.fixture(scope="session")
def in_duckdb():
    engine = DuckDBEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def in_postgresql():
    engine = PostgreSQLEngine()
    yield engine
    engine.close()


@pytest.fixture(params=["in_duckdb", "in_postgresql"])
def engine(request):
    """Both engines, one after the other."""
    return request.getfixturevalue(request.param)
