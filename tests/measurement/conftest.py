from pathlib import Path

import pytest

HOSTILE = Path(__file__).parent / "hostile_sql.txt"


@pytest.fixture(scope="session")
def hostile_texts():
    """Texts that a source must survive with the gate off, one a line."""
    lines = HOSTILE.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]
