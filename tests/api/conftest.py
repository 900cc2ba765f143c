import pytest

from tests import factories
from tests.api.caller import Caller


@pytest.fixture
def company(db):
    return factories.Company()


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
