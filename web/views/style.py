"""The living style page: every component in every state, for those who build pages."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from core.errors import NotFound
from web import badges
from web.asked import whole
from web.formatting import clock_time
from web.forms import TokenForm

MONEY = {"kind": "currency", "code": "USD", "decimals": 2}
SHARE = {"kind": "proportion", "code": "", "decimals": 1}
KNOWN = ("sales_amount", "coupon_discount", "department", "household_key", "net_sales", "baskets")


@require_safe
def style(request):
    _only_for_builders(request)
    if "said" in request.GET:
        messages.success(request, "Draft of CR-142 is saved.")
        messages.error(request, "CR-139 was not published: an approval is missing.")
    form = TokenForm({"name": "", "days": "900"} if "faults" in request.GET else None)
    context = {
        "crumbs": [("Catalog", "/metrics"), ("Sales", "/metrics?domain=sales")],
        "form": form,
        "tabs": _tabs(),
        "stats": _stats(),
        "chart": _chart(),
        "difference_chart": _difference(),
        "nodes": _nodes(),
        "edges": _edges(),
        "spark": [3, 4, 3.5, 5, 5.5, 5.2, 6, 6.8, 6.1, 7, 7.4, 7.2],
        "families": badges.FAMILIES,
        "money": MONEY,
        "share": SHARE,
        "samples": {"small": Decimal("41.5"), "large": Decimal("8090541.36"), "rate": 0.4123},
        "lines": _readiness(),
        "differences": _differences(),
        "diff_lines": _diff_lines(),
        "events": _events(),
        "steps": _steps(),
        "facets": _facets(),
        "chips": [{"label": "Sales", "url": "?"}, {"label": "Tier 1", "url": "?"}],
        "people": ["Ana Ruiz", "Ben Okafor", "Cem Aydin", "Dia Rao", "Eva Lind"],
        "names": [
            {"label": name, "type": "metric" if name in KNOWN[-2:] else "column"} for name in KNOWN
        ],
        "bars": ["good"] * 9 + ["bad", "good", "warn", "good", "good"],
        "now": timezone.now(),
        "earlier": timezone.now() - timedelta(days=2),
        "place": "catalog",
    }
    return render(request, "style/style.html", context, status=422 if form.errors else 200)


@require_POST
def formula_lint(request):
    """Name what the sample field does not know."""
    _only_for_builders(request)
    text = request.POST.get("text", "")
    problems = [
        {
            "message": f"“{word.group()}” is not known here.",
            "fix": f"Known are {', '.join(KNOWN)}.",
            "level": "blocks",
            "from": word.start(),
            "to": word.end(),
        }
        for word in re.finditer(r"(?<!')\b[a-z_]{3,}\b(?!\s*\(|')", text)
        if word.group() not in (*KNOWN, "and", "not", "null", "distinct")
    ]
    return JsonResponse({"problems": problems})


@require_POST
def draft(request):
    """Take the sample draft, and refuse one that says so."""
    _only_for_builders(request)
    if "conflict" in request.POST.get("reason", ""):
        message = "Ben saved this draft while you were editing. See his changes before you go on."
        return JsonResponse({"message": message}, status=409)
    lock = whole(request.POST.get("lock")) + 1
    at = timezone.localtime()
    said = {"saved_at": at.isoformat(), "saved": clock_time(at)}
    return JsonResponse({"lock": lock, **said})


def _only_for_builders(request):
    if not (settings.DEBUG or request.user.is_staff):
        raise NotFound("There is no such page.")


def _tabs():
    rows = (("Overview", None, True), ("History", 3, False), ("Lineage", None, False))
    return [{"label": t, "url": "/style", "count": c, "is_current": on} for t, c, on in rows]


def _stats():
    return [
        {"label": "Latest week", "value": "$161,204", "old": 154_880, "new": 161_204, "note": ""},
        {"label": "Target, end of Q4", "value": "$175,000", "note": "92 % there"},
        {"label": "Checks", "value": "6 of 6", "note": "passing"},
        {"label": "Freshness", "value": "2 h", "note": "promised 6 h"},
    ]


def _chart():
    start = date(2026, 3, 2)
    weeks = [start + timedelta(weeks=n) for n in range(36)]
    wave = [0, 1.5, -1, 2.2, 0.6, 3, -0.5, 1, 2.4]
    new = [round(9000 + n * 95 + wave[n % 9] * 110, 2) for n in range(36)]
    old = [round(v * 1.055, 2) for v in new[:22]]
    return {
        "title": "Net sales by week",
        "grain": "week",
        "unit": {"kind": "currency", "code": "USD", "decimals": 0},
        "series": [
            {
                "label": "v3 (current)",
                "points": [
                    (d, v, "v3" if n > 21 else "v2")
                    for n, (d, v) in enumerate(zip(weeks, new, strict=True))
                ],
            },
            {
                "label": "v2 as reported",
                "style": "old",
                "points": list(zip(weeks, old, strict=False)),
            },
        ],
        "marks": [
            {"at": weeks[9], "label": "v2", "url": "#v2"},
            {"at": weeks[21], "label": "v3 in effect", "url": "#v3"},
        ],
        "target": {"value": 13_500},
        "shades": [{"start": weeks[14], "until": weeks[16], "label": "Late data"}],
        "incomplete": True,
    }


def _difference():
    spec = _chart()
    old, new = spec["series"][1]["points"], spec["series"][0]["points"]
    points = [(d, n / o - 1) for (d, o), (_, n, _) in zip(old, new, strict=False)]
    points[5] = (points[5][0], 0.021)
    return {
        "title": "Difference, v3 against v2",
        "kind": "bars",
        "grain": "week",
        "unit": {"kind": "proportion", "decimals": 1},
        "series": [{"label": "Difference in %", "points": points}],
        "summary": "Past values fall by 5.2 % in all weeks but one.",
    }


def _nodes():
    rows = (
        ("transactions", "Dataset", False), ("products", "Dataset", False),
        ("households", "Dataset", False), ("net_sales", "Metric", True),
        ("baskets", "Metric", False), ("average_basket", "Metric", False),
        ("sales_per_household", "Metric", False),
    )  # fmt: skip
    return [
        {"key": key, "label": key.replace("_", " ").capitalize(), "kind": kind,
         "is_self": is_self, "url": f"/metrics/{key}"}
        for key, kind, is_self in rows
    ]  # fmt: skip


def _edges():
    pairs = (
        ("transactions", "net_sales"), ("products", "net_sales"), ("transactions", "baskets"),
        ("net_sales", "average_basket"), ("baskets", "average_basket"),
        ("net_sales", "sales_per_household"), ("households", "sales_per_household"),
    )  # fmt: skip
    return [{"upstream": up, "downstream": down} for up, down in pairs]


def _readiness():
    return [
        {"state": "blocked", "text": "Preview has not run on r3", "url": "#", "action": "Run it"},
        {"state": "missing", "text": "1 of 2 approvals", "note": "A steward of Sales is missing."},
        {"state": "ok", "text": "Every expression can be computed"},
        {"state": "ok", "text": "Base v2 is current"},
    ]


def _differences():
    return [
        {
            "change": "added",
            "sentence": "Filter added: product type is not GASOLINE-REG UNLEADED",
            "old": "",
            "new": "product__product_type <> 'GASOLINE-REG UNLEADED'",
        },
        {
            "change": "changed",
            "sentence": "Expression changed",
            "old": "sales_amount",
            "new": "sales_amount + coupon_discount",
        },
        {"change": "removed", "sentence": "Synonym “turnover” removed", "old": "", "new": ""},
    ]


def _diff_lines():
    rows = (
        ("same", "select sum(sales_amount)"),
        ("same", "from transactions"),
        ("removed", "where quantity > 0"),
        ("added", "where quantity > 0"),
        ("added", "  and product_type <> 'GASOLINE-REG UNLEADED'"),
    )
    return [{"kind": kind, "text": text} for kind, text in rows]


def _events():
    at = datetime(2026, 3, 12, 10, 42, tzinfo=UTC)
    rows = (
        ("flag", "accent", "Published as v3", "Ana Ruiz, Steward in Sales"),
        ("check", "good", "Ben Okafor approved r3", "Reviewer in Finance"),
        ("edit", "", "Ana Ruiz submitted r3", "2 fields changed since r2"),
    )
    return [
        {"icon": i, "tone": tone, "text": text, "note": note, "at": at - timedelta(hours=3 * n)}
        for n, (i, tone, text, note) in enumerate(rows)
    ]


def _steps():
    rows = (("Version written", "done"), ("Backfill", "current"), ("Checks", "todo"),
            ("Readers see it", "todo"))  # fmt: skip
    return [{"label": label, "state": state} for label, state in rows]


def _facets():
    return [
        {
            "name": "domain",
            "label": "Domain",
            "options": [
                {"value": "sales", "label": "Sales", "count": 9, "is_on": True},
                {"value": "growth", "label": "Growth", "count": 4, "is_on": False},
            ],
        },
        {
            "name": "tier",
            "label": "Tier",
            "options": [{"value": "1", "label": "Tier 1", "count": 3, "is_on": True}],
        },
    ]
