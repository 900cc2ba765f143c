"""Words for the terminal: what is being done, and that it still is."""

import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime


def say(sentence: str = "") -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def note(sentence: str) -> None:
    """A sentence about something that happened by itself, with the time of day."""
    say(f"  {datetime.now(UTC):%H:%M:%S} {sentence}")


@contextmanager
def step(what: str):
    """Say what is done and how long it took; every few seconds, that it goes on."""
    started = time.monotonic()
    over = threading.Event()

    def go_on():
        pause = 2.0
        while not over.wait(pause):
            pause = 5.0
            say(f"  {what} ... {time.monotonic() - started:.0f} s")

    say(f"  {what} ...")
    ticker = threading.Thread(target=go_on, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        over.set()
        ticker.join()
    took = time.monotonic() - started
    if took > 2:
        say(f"  {what}: done in {took:.0f} s")
