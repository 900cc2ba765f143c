"""The browser that a User-Agent header means, as its owner would say it."""

import re

# In this order: each later one is named in the headers of the earlier ones, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """`Firefox on Linux`; of something unknown its own first word."""
    browser = next((name for sign, name in _BROWSERS if re.search(rf"{sign}\w*/", agent)), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if not browser:
        browser = agent.partition("/")[0].strip()[:40] or "A browser"
    return f"{browser} on {system}" if system else browser
