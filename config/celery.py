"""The Celery application. Settings begin with CELERY_ in config/settings.py."""

import os

from celery import Celery
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("etalon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
def send_first_pulse(sender, **_):
    """Ask for signs of life as soon as beat starts, so that health is known at once."""
    for entry in app.conf.beat_schedule.values():
        if entry["task"].startswith("core.tasks."):
            app.send_task(entry["task"], entry.get("args", ()), **entry["options"])
