"""Walk the tutorial in a browser, as its two people, and take its pictures.

    make setup-dev
    PORT=8123 make run          # in one terminal, with a fresh example
    .venv/bin/python scripts/tutorial.py http://localhost:8123

It says how long each step took, and writes docs/images. It proposes and publishes a change of
Units, so it is for an example that nobody needs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.local import browser  # noqa: E402 - the project is found first

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1360, "height": 850}
FILTER = "product__brand = 'Private'"
REASON = "From now on we look only at the shop's own brand."
MINUTE = 60_000
_began = time.monotonic()


def say(text: str) -> None:
    sys.stdout.write(f"{time.monotonic() - _began:6.1f} s  {text}\n")
    sys.stdout.flush()


def passwords() -> dict[str, str]:
    command = [sys.executable, "manage.py", "example_people"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed command
    return {one["username"]: one["password"] for one in json.loads(printed.stdout)}


def sign_in(chrome: Browser, address: str, name: str, password: str) -> Page:
    context = chrome.new_context(base_url=address, viewport=SIZE, color_scheme="light")
    page = context.new_page()
    page.on("pageerror", lambda error: say(f"ERROR {error}"))
    page.goto("/sign-in")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    say(f"{name} is signed in")
    return page


def picture(page: Page, name: str, *, at: str = "") -> None:
    """What the window shows, from the top of the page or from an element on."""
    if at:
        page.locator(at).first.evaluate("one => one.scrollIntoView({block: 'start'})")
        page.mouse.wheel(0, -90)
        page.wait_for_timeout(300)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    say(f"{path.name}, {path.stat().st_size // 1024} kB")


def propose(ana: Page) -> str:
    ana.goto("/metrics/net_sales")
    picture(ana, "metric")
    ana.goto("/metrics/units")
    picture(ana, "tutorial-1-metric")
    ana.get_by_role("button", name="Propose a change").click()
    ana.wait_for_url(re.compile(r"/changes/\d+/edit"))
    ana.locator(".field:has(#filters) .cm-content").click()
    ana.keyboard.press("Control+End")
    ana.keyboard.type(f"\n{FILTER}")
    live = ana.locator("#live")
    live.get_by_text("Filter added: brand is Private").wait_for(timeout=MINUTE)
    say(live.inner_text().replace("\n", " | "))
    picture(ana, "tutorial-2-draft")
    live.get_by_role("button", name="Run preview").click()
    headline = live.get_by_text(re.compile("Past values (fall|rise) by")).first
    headline.wait_for(timeout=2 * MINUTE)
    say(headline.inner_text())
    picture(ana, "tutorial-3-preview", at="#past")
    ana.fill("#reason", REASON)
    ana.check("input[name=treatment][value=restate]")
    ana.get_by_text(re.compile("Draft saved")).wait_for()
    ana.get_by_role("button", name="Submit for review").click()
    ana.wait_for_url(re.compile(r"/changes/\d+$"))
    ana.get_by_text("Authors cannot review their own change.").first.wait_for()
    picture(ana, "tutorial-4-submitted")
    return ana.url.rsplit("/", 1)[1]


def approve(ben: Page, number: str) -> None:
    say(ben.locator("main").inner_text().replace("\n", " | ")[:600])
    ben.get_by_text(f"CR-{number}").first.wait_for()
    ben.goto("/admin/governance/changerequest/")
    ben.get_by_role("link", name=f"CR-{number}").first.click()
    ben.get_by_role("button", name="Approve r1").wait_for()
    picture(ben, "tutorial-5-decide")
    ben.get_by_role("button", name="Approve r1").click()
    ben.get_by_text("You approved r1").wait_for()
    say("approved")


def follow(ana: Page, number: str) -> None:
    while "Published" not in ana.locator(".facts").first.inner_text():
        ana.wait_for_timeout(500)
        ana.goto(f"/changes/{number}")
    say("published")
    picture(ana, "tutorial-6-published")
    ana.get_by_role("link", name="Runs that compute it").click()
    ana.wait_for_load_state()
    picture(ana, "tutorial-7-backfills")
    ana.goto("/metrics/units")
    while "v2" not in ana.locator("section:has(#trend)").inner_text():
        ana.wait_for_timeout(1000)
        ana.reload()
    say("the new values are shown")
    picture(ana, "tutorial-8-after")
    ana.goto("/metrics/units/history")
    ana.get_by_role("link", name="Compare with v1").click()
    ana.wait_for_url("**/compare*")
    picture(ana, "tutorial-9-compare")


def main(address: str) -> None:
    known = passwords()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=browser.find(), args=list(browser.FLAGS)
        )
        ana = sign_in(chrome, address, "ana", known["ana"])
        number = propose(ana)
        ben = sign_in(chrome, address, "ben", known["ben"])
        approve(ben, number)
        follow(ana, number)
        chrome.close()


if __name__ == "__main__":
    main(sys.argv[1])
