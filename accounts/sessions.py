"""Django's database sessions, whose rows say whose they are, from where, and when last seen.

The engine named by SESSION_ENGINE. What a row says comes from the session itself, so that it holds
when the key is changed at sign-in or with a password.
"""

from datetime import datetime, timedelta
from typing import cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models import Session

# Where a sign-in came from, under this name in the session.
ORIGIN = "signed_in"
# Reading a page writes no more than one row in this time.
SEEN_EVERY = timedelta(minutes=10)


def note_origin(session, *, address: str, agent: str) -> None:
    """Remember in a session that just began where it was begun, and by which browser."""
    at = timezone.now().isoformat()
    session[ORIGIN] = {"at": at, "address": address[:45], "agent": agent[:300]}


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls):
        return Session

    def create_model_instance(self, data):
        row = cast(Session, super().create_model_instance(data))
        origin = data.get(ORIGIN, {})
        row.user_id = data.get(SESSION_KEY)
        row.address, row.agent = origin.get("address", ""), origin.get("agent", "")
        row.began_at = datetime.fromisoformat(origin["at"]) if origin else None
        row.seen_at = timezone.now()
        return row

    def _get_session_from_db(self):
        row = super()._get_session_from_db()  # type: ignore[misc]  # not in the stubs
        now = timezone.now()
        if row is not None and row.user_id and now - row.seen_at > SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(seen_at=now)
        return row
