"""Home: what waits for me first, then what I follow and what changed."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Entry, Metric, Version
from governance.models import ChangeRequest
from governance.selectors.requests import waiting_for
from measurement.choices import UNFINISHED, Purpose
from measurement.models import Backfill
from measurement.selectors.health import latest_points, states_of
from web.views.catalog import metric_rows


@require_safe
def home(request):
    user = request.user
    followed = list(
        Metric.objects.live()
        .filter(follows__user=user)
        .select_related("domain", "current_version")
        .order_by("tier", "name")[:10]
    )
    is_following = bool(followed)
    if not is_following:
        followed = list(
            Metric.objects.live()
            .select_related("domain", "current_version")
            .order_by("tier", "name")[:8]
        )
    context = {
        "place": "home",
        "waiting": [row.request for row in waiting_for(user)],
        "mine": ChangeRequest.objects.open().filter(author=user).select_related("author")[:8],
        "rows": metric_rows(followed, states_of(followed), latest_points(followed)),
        "is_following": is_following,
        "lately": Version.objects.select_related("entry", "change__request").order_by(
            "-recorded_at", "-pk"
        )[:8],
        "runs": Backfill.objects.filter(status__in=UNFINISHED).exclude(purpose=Purpose.PREVIEW)[:5],
        "is_empty": not Entry.objects.exists(),
    }
    return render(request, "catalog/home.html", context)
