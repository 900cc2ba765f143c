import pytest

from tests import factories


@pytest.fixture
def company(db):
    return factories.Company()
