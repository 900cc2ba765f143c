import pytest

from tests import factories


@pytest.fixture
def company_of_tier_1(db):
    return factories.Company(tier=1)
