"""Background work: limits, queues, and settings that agree with each other."""

import pytest
import yaml
from celery.app.amqp import Queues
from django.conf import settings

from config.celery import app
from config.local import programs
from tests.rig import ROOT

app.loader.import_default_modules()
TASKS = sorted(name for name in app.tasks if not name.startswith("celery."))


def _queue_of(name: str) -> str:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        if entry["task"] == name and "queue" in entry.get("options", {}):
            return entry["options"]["queue"]
    route = app.amqp.router.route({}, name)
    queue = route.get("queue")
    return queue.name if queue is not None else settings.CELERY_TASK_DEFAULT_QUEUE


def test_there_is_work():
    assert "core.tasks.heartbeat" in TASKS


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_limit_below_a_third_of_the_redelivery_time(name):
    limit = app.tasks[name].time_limit or settings.CELERY_TASK_TIME_LIMIT
    soft = app.tasks[name].soft_time_limit or settings.CELERY_TASK_SOFT_TIME_LIMIT

    # A task that runs longer than this is delivered again and runs beside its own copy.
    assert soft < limit <= settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] / 3


@pytest.mark.parametrize("name", TASKS)
def test_every_task_goes_to_a_queue_that_some_worker_serves(name):
    served = {queue for queues in programs.QUEUES.values() for queue in queues}

    assert _queue_of(name) in served


@pytest.mark.parametrize("name", TASKS)
def test_a_killed_worker_loses_no_task(name):
    task = app.tasks[name]

    assert task.acks_late
    assert task.reject_on_worker_lost
    assert task.ignore_result


def test_every_queue_is_served_and_has_messages_of_its_own():
    served = [queue for queues in programs.QUEUES.values() for queue in queues]
    declared: Queues = app.amqp.queues

    assert sorted(served) == sorted(declared)
    # Queues that share an exchange and a key would all get each other's messages.
    assert len({(q.exchange.name, q.routing_key) for q in declared.values()}) == len(declared)


def test_the_compose_file_starts_the_same_workers():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    served = {
        argument.partition("=")[2]
        for service in services.values()
        for argument in service.get("command", [])
        if argument.startswith("--queues=")
    }

    assert served == {",".join(queues) for queues in programs.QUEUES.values()}
    assert {"web", "worker", "beat", "postgres", "redis"} <= set(services)
    for name, service in services.items():
        assert "stop_grace_period" in service or name == "migrate", name
        assert service["restart"] in ("unless-stopped", "on-failure"), name
        assert "healthcheck" in service or name == "migrate", name


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("measurement.tasks.run_preview", "interactive"),
        ("measurement.tasks.run_checks", "checks"),
        ("measurement.tasks.run_backfill", "backfill"),
        ("measurement.tasks.something_else", "default"),
    ],
)
def test_nobody_who_waits_stands_behind_a_backfill(name, queue):
    assert _queue_of(name) == queue
