"""Doorbells of consent: each looks at rows, finds what is to be done, and may come twice."""

import structlog
from celery import shared_task
from django.db import IntegrityError

from core.errors import EtalonError
from governance.choices import PublishWhen, Status
from governance.models import ChangeRequest, Comment
from governance.services import publishing, telling, verification

log = structlog.get_logger()


@shared_task(ignore_result=True)
def settle(request_id: int) -> None:
    """Publish what is ready, and ask those whose approval is missing."""
    request = publishing.settle(ChangeRequest.objects.get(pk=request_id))
    if request.status == Status.IN_REVIEW:
        telling.tell_reviewers(request)


@shared_task(ignore_result=True)
def sweep_requests() -> None:
    """Settle every request under review again: a lost doorbell delays, and loses nothing.

    What waits for its day is found here too. One that cannot be published stops no other.
    """
    waiting = ChangeRequest.objects.filter(status__in=[Status.IN_REVIEW, Status.SCHEDULED])
    for request in waiting.exclude(publish_when=PublishWhen.BUTTON):
        try:
            publishing.settle(request)
        except EtalonError as error:
            log.warning("request_not_settled", request=str(request), error=error.message)
        except IntegrityError as error:
            # What a guard of the database refuses, which nobody foresaw.
            log.exception("request_not_settled", request=str(request), error=str(error))


@shared_task(ignore_result=True)
def tell_of_publication(request_id: int) -> None:
    telling.tell_of_publication(ChangeRequest.objects.get(pk=request_id))


@shared_task(ignore_result=True)
def tell_of_closing(request_id: int) -> None:
    request = ChangeRequest.objects.get(pk=request_id)
    text = f"{request} was rejected: {request.closing_reason}"[:400]
    telling.tell_author(request, event="rejected", text=text)


@shared_task(ignore_result=True)
def tell_of_comment(comment_id: int) -> None:
    telling.tell_of_comment(Comment.objects.get(pk=comment_id))


@shared_task(ignore_result=True)
def tell_of_changes_requested(request_id: int) -> None:
    request = ChangeRequest.objects.get(pk=request_id)
    text = f"Changes requested on {request}: {request.title}"
    number = request.revision.number if request.revision else 0
    telling.tell_author(request, event=f"changes:{number}", text=text)


@shared_task(ignore_result=True)
def verify() -> None:
    """Recompute every promise about the records; findings are left in the audit log."""
    verification.verify_and_record()
