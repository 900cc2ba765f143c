"""Whether one part of a running Etalon is alive, as an exit code: for healthchecks.

    python -m config.local.alive web | worker:default | worker:backfill | beat

The web answers for itself. Workers and beat are judged by their heartbeats in the database.
"""

import os
import sys
import urllib.error
import urllib.request

import psycopg

STALE_SECONDS = float(os.environ.get("PULSE_STALE_SECONDS", "90"))


def web(port: str) -> str | None:
    """Why not, or None. An answer of 503 is an answer: another part fails, not the web."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4).close()
    except urllib.error.HTTPError as answer:
        return None if answer.code == 503 else f"The web answered {answer.code}."
    except OSError as error:
        return f"The web does not answer: {error}"
    return None


def ages(database_url: str) -> dict[str, float]:
    """Seconds since the last sign of life of each part, by the database's clock."""
    with psycopg.connect(database_url, connect_timeout=3) as connection:
        rows = connection.execute("SELECT name, extract(epoch FROM now() - at) FROM core_heartbeat")
        return {name: float(age) for name, age in rows.fetchall()}


def part(name: str, database_url: str) -> str | None:
    age = ages(database_url).get(name)
    if age is None:
        return f"{name} gave no sign of life yet."
    if age > STALE_SECONDS:
        return f"{name} gave no sign of life for {age:.0f} seconds."
    return None


def main(arguments: list[str]) -> int:
    (name,) = arguments
    if name == "web":
        reason = web(os.environ.get("PORT", "8000"))
    else:
        reason = part(name, os.environ["DATABASE_URL"])
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
