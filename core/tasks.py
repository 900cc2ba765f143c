from celery import shared_task

from core import pulse


@shared_task(ignore_result=True)
def heartbeat(name: str) -> None:
    """Say that the worker which runs this gets work done. Beat sends one to each worker."""
    pulse.beat(name)


@shared_task(ignore_result=True)
def tick() -> None:
    """Say that beat sends what is due: nothing else sends this."""
    pulse.beat(pulse.BEAT)
