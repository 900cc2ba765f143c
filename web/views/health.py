"""What a load balancer and the supervisor ask: does everything that must run, run?"""

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core import pulse


@login_not_required
@require_safe
@never_cache
def healthz(request):
    """200 and the parts by name, or 503 when one of them fails."""
    parts = {"database": {"ok": True}, "broker": _broker()}
    try:
        ages = pulse.ages()
    except DatabaseError as error:
        parts["database"] = {"ok": False, "reason": str(error).strip()}
        ages = {}
    for name in (*pulse.WORKERS, pulse.BEAT):
        parts[name] = _sign_of_life(ages.get(name))

    healthy = all(part["ok"] for part in parts.values())
    body = {"status": "ok" if healthy else "failing", "parts": parts}
    return JsonResponse(body, status=200 if healthy else 503)


def _broker():
    try:
        with redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        ) as client:
            client.ping()
    except redis.RedisError as error:
        return {"ok": False, "reason": str(error)}
    return {"ok": True}


def _sign_of_life(age):
    if age is None:
        return {"ok": False, "reason": "No sign of life yet."}
    seconds = round(age.total_seconds(), 1)
    if seconds > settings.PULSE_STALE_SECONDS:
        reason = f"No sign of life for {seconds:.0f} seconds."
        return {"ok": False, "age_seconds": seconds, "reason": reason}
    return {"ok": True, "age_seconds": seconds}
