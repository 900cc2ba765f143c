from celery import shared_task

from accounts.sessions import SessionStore


@shared_task(ignore_result=True)
def forget_sessions() -> None:
    """Remove sessions that have expired: nobody can come back by them."""
    SessionStore.clear_expired()
