"""Texts that people and attackers type, by what must become of them."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def texts(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())
