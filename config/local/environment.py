"""Environments in the words of config/settings.py."""

import os
import secrets
from pathlib import Path


def production_like() -> dict[str, str]:
    """Settings as a production has them, for checks. The addresses lead nowhere."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "0",
        "HTTPS": "1",
        "STATIC_FROM_SOURCE": "0",
        "ALLOWED_HOSTS": "etalon.example",
        "DATABASE_URL": "postgresql://etalon_app@/etalon?host=/nonexistent",
        "DATABASE_OWNER_URL": "postgresql://etalon_owner@/etalon?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent/valkey.sock",
    }


def secret_key(path: Path) -> str:
    """The secret key of this folder, made at the first call, readable by its owner only."""
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text().strip()
