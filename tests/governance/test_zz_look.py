"""Temporary look; run by pytest."""
from datetime import date, timedelta
import pytest
from tests import factories
from tests.factories import *
from tests.web.conftest import *
from accounts.models import User
from governance.models import ChangeRequest

def test_look(open_page, committed_db):
    c = factories.Company(tier=1)
    r = c.restating(title="Net sales without refunds", reason="Refunds are booked days later.\n\nFinance reports net of refunds since January.")
    run = finish_preview(r, "Past values fall by 3.1 % on average, at most 11.5 % in the week of 20 July.")
    pts=[]
    for i in range(40):
        old=1000+ (i*37)%210; new=old*(0.97-((i*13)%7)/100)
        pts.append({"period": str(date(2026,1,5)+timedelta(days=7*i)), "label": str(i), "old": f"{old:.2f}", "new": f"{new:.2f}", "difference": f"{new-old:.2f}", "difference_pct": f"{(new-old)/old*100:.2f}", "is_complete": i<39})
    run.result["figures"]["net_sales"]["points"]=pts
    run.save()
    w = submitted(make_change("orders", words={"notes": "Filled every night"}), author=c.ana, title="Wording of orders")
    approve(r, c.ben)
    c.cem.is_staff=True; c.cem.save()
    chief = make_user("chief", everywhere=Role.ADMIN); chief.is_staff=True; chief.save()
    out="/tmp/shots/"
    import os; os.makedirs(out, exist_ok=True)
    for theme in ("light","dark"):
        p=open_page("/admin/governance/changerequest/", user=c.cem, theme=theme); p.wait_for_timeout(400); p.screenshot(path=f"{out}list-{theme}.png")
        p=open_page(f"/admin/governance/changerequest/{r.pk}/change/", user=c.cem, theme=theme); p.wait_for_timeout(400); p.screenshot(path=f"{out}cr-{theme}.png", full_page=True)
        print(theme, violations(p))
        if theme == "light":
            p.locator("button[value=request_changes]").click(); p.wait_for_timeout(400); p.screenshot(path=f"{out}refused.png", full_page=False)
    p=open_page(f"/admin/governance/changerequest/{r.pk}/change/", user=c.cem, width=380); p.wait_for_timeout(400); p.screenshot(path=f"{out}cr-phone.png", full_page=True)
    print("overflow", p.evaluate("document.documentElement.scrollWidth"))
    p=open_page("/admin/governance/changerequest/", user=c.cem, width=380); p.wait_for_timeout(400); p.screenshot(path=f"{out}list-phone.png", full_page=True)
    p=open_page("/admin/governance/changerequest/", user=c.cem); p.wait_for_timeout(300)
    for box in p.locator("input[name=_selected_action]").all(): box.check()
    p.screenshot(path=f"{out}list-ticked.png")
    p.locator("select[name=action]").select_option("approve_selected"); p.get_by_role("button", name="Run").click(); p.wait_for_timeout(400); p.screenshot(path=f"{out}bulk.png", full_page=True)
    print(violations(p))
    for name, url in (("version","/admin/catalog/version/"),("policy","/admin/governance/approvalpolicy/"),("audit","/admin/core/auditevent/"),("index","/admin/"),("users","/admin/accounts/user/")):
        p=open_page(url, user=chief); p.wait_for_timeout(300); p.screenshot(path=f"{out}{name}.png")
        print(name, violations(p))
        if name!="index":
            p.locator("#result_list a, table a").first.click(); p.wait_for_timeout(400); p.screenshot(path=f"{out}{name}-one.png", full_page=True)
            print(violations(p))
    print(p.complaints)
