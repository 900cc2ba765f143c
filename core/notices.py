"""Telling people in the app. A notice is a row, made once for one event and one person."""

from collections.abc import Iterable

from core import clock
from core.models import Notice


def tell(recipients: Iterable, *, key: str, kind: str, text: str, url: str = "") -> None:
    """Leave one notice with each recipient. Telling them twice of one event leaves one."""
    now = clock.now()
    Notice.objects.bulk_create(
        [
            Notice(recipient=person, key=key, kind=kind, text=text, url=url, created_at=now)
            for person in {person.pk: person for person in recipients}.values()
        ],
        ignore_conflicts=True,
    )


def mark_read(user, *, before=None) -> int:
    """Mark a person's notices read; returns how many there were."""
    unread = Notice.objects.filter(recipient=user, read_at=None)
    if before is not None:
        unread = unread.filter(created_at__lte=before)
    return unread.update(read_at=clock.now())


def mark_one_read(notice: Notice) -> Notice:
    """Mark one notice read. A second time changes nothing."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=clock.now())
    return notice
