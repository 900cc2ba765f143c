"""Home: what waits for me first, then what I follow and what changed."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Entry, Metric, Version
from governance.models import ChangeRequest
from governance.selectors.requests import waiting_for
from measurement.choices import UNFINISHED, Purpose
from measurement.models import Backfill
from web.rows import entry_rows, listed

MOST_FOLLOWED = 10
MOST_LATELY = 8


@require_safe
def home(request):
    user = request.user
    metrics = listed(Metric.objects.live()).order_by("tier", "name")
    followed = list(metrics.filter(follows__user=user)[:MOST_FOLLOWED])
    is_following = bool(followed)
    lately = Version.objects.select_related("entry", "change__request").order_by(
        "-published_at", "-pk"
    )
    context = {
        "place": "home",
        "waiting": [row.request for row in waiting_for(user)],
        "mine": ChangeRequest.objects.open().filter(author=user).select_related("author")[:8],
        "rows": entry_rows(followed or list(metrics[:8])),
        "is_following": is_following,
        "lately": lately[:MOST_LATELY],
        "runs": Backfill.objects.filter(status__in=UNFINISHED).exclude(purpose=Purpose.PREVIEW)[:5],
        "is_empty": not Entry.objects.exists(),
    }
    return render(request, "catalog/home.html", context)
