"""The rig that other tests stand on."""

import time
from http.client import HTTPConnection

import pytest
import requests

from core import pulse
from core.jobs import ring

pytestmark = pytest.mark.slow


def test_programs_of_a_test_share_its_database_and_broker(rig):
    started = time.monotonic()
    rig.start("web", "worker:default")
    took = time.monotonic() - started

    ring("core.tasks.heartbeat", "from the test")

    rig.wait(lambda: "from the test" in pulse.ages(), what="the worker wrote to our database")
    parts = requests.get(f"{rig.base_url}/healthz", timeout=5).json()["parts"]
    assert parts["database"]["ok"]
    assert parts["broker"]["ok"]
    assert took < 15


def test_a_killed_worker_gets_its_messages_after_a_restart(rig):
    rig.start("worker:default")
    rig.kill9("worker:default")
    assert not rig.running("worker:default")

    ring("core.tasks.heartbeat", "while nobody listened")
    rig.restart("worker:default")

    rig.wait(lambda: "while nobody listened" in pulse.ages())


def test_a_child_is_killed_once_and_its_successor_next(rig):
    rig.start("worker:default")

    killed = [rig.kill9_child("worker:default") for _ in range(4)]

    assert len(set(killed)) == 4
    ring("core.tasks.heartbeat", "of the fifth")
    rig.wait(lambda: "of the fifth" in pulse.ages())


def test_a_frozen_worker_goes_on_after_it_thaws(rig):
    rig.start("worker:default")
    rig.stop("worker:default")
    ring("core.tasks.heartbeat", "thawed")
    time.sleep(0.5)
    assert "thawed" not in pulse.ages()

    rig.cont("worker:default")

    rig.wait(lambda: "thawed" in pulse.ages())


def test_messages_survive_a_kill_of_the_broker(rig):
    ring("core.tasks.heartbeat", "kept")
    time.sleep(1.2)  # the broker writes its file every second
    rig.kill9("valkey")
    rig.restart("valkey")

    rig.start("worker:default")

    rig.wait(lambda: "kept" in pulse.ages())


def test_a_connection_that_was_idle_is_served_and_keeps_nobody_from_ending(rig):
    rig.start("web", processes=1)
    connection = HTTPConnection("127.0.0.1", rig.port, timeout=10)
    sockets = []
    for pause in (4, 0):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        # Python opens another one, unasked, when the server has closed the first.
        sockets.append(connection.sock)
        time.sleep(pause)

    assert sockets[0] is sockets[1] is not None
    assert rig.end("web") < 5
