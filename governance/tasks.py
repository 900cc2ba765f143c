from celery import shared_task

from core.errors import EtalonError
from governance.choices import Status
from governance.models import ChangeRequest
from governance.services import publishing, telling, verification

QUEUE = "interactive"


@shared_task(queue=QUEUE)
def settle(request_id: int) -> None:
    """Publish what is ready, and ask those whose approval is missing."""
    request = ChangeRequest.objects.get(pk=request_id)
    request = publishing.settle(request)
    if request.status == Status.IN_REVIEW:
        telling.tell_reviewers(request)


@shared_task(queue=QUEUE)
def sweep_requests() -> None:
    """Settle every request under review again: a lost doorbell delays, and loses nothing."""
    waiting = ChangeRequest.objects.filter(status__in=[Status.IN_REVIEW, Status.SCHEDULED])
    for request in waiting:
        try:
            publishing.settle(request)
        except EtalonError:
            continue  # Its page says why; the others go on.


@shared_task(queue=QUEUE)
def tell_of_publication(request_id: int) -> None:
    telling.tell_of_publication(ChangeRequest.objects.get(pk=request_id))


@shared_task(queue=QUEUE)
def tell_of_closing(request_id: int) -> None:
    request = ChangeRequest.objects.get(pk=request_id)
    text = f"{request} was rejected: {request.closing_reason}"[:400]
    telling.tell_author(request, event="rejected", text=text)


@shared_task(queue=QUEUE)
def tell_of_changes_requested(request_id: int) -> None:
    request = ChangeRequest.objects.get(pk=request_id)
    text = f"Changes requested on {request}: {request.title}"
    number = request.revision.number if request.revision else 0
    telling.tell_author(request, event=f"changes:{number}", text=text)


@shared_task(queue="default")
def verify() -> None:
    """Recompute every promise about the records; findings are left in the audit log."""
    verification.verify_and_record()
