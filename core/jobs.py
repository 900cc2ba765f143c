"""Doorbells for workers. The row is the work; the message only says that there is some."""

import structlog
from celery import signature
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger()


def ring(task_name: str, *args) -> None:
    """Ask a worker to look at a row, once the row is really there.

    A lost message is found by the task's own sweep, and a repeated one finds nothing to do; so a
    broker that is down delays work and fails nothing.
    """
    transaction.on_commit(lambda: _send(task_name, args))


def _send(task_name: str, args: tuple) -> None:
    try:
        signature(task_name, args=args).apply_async(retry=False)
    except OperationalError as error:
        log.warning("doorbell_lost", task=task_name, args=args, error=str(error))
