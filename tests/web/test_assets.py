"""What is served as files: colours with enough contrast, and vendored code that is what it says."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"
TOKENS = (STATIC / "css" / "tokens.css").read_text()
TEXT, GRAPHIC = 4.5, 3.0


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _tokens(theme):
    found = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", TOKENS):
        both = re.fullmatch(r"light-dark\((#\w{6}), (#\w{6})\)", value)
        if both:
            found[name] = both[1 if theme == "light" else 2]
        elif re.fullmatch(r"#\w{6}", value):
            found[name] = value
    return found


SURFACES = ("back", "surface", "raised", "sunken")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-2", "ink-3") for ground in SURFACES),
    *(("accent-ink", ground, TEXT) for ground in (*SURFACES, "accent-soft")),
    *((tone, ground, TEXT) for tone in ("good", "warn", "bad", "info") for ground in SURFACES),
    *((tone, f"{tone}-soft", TEXT) for tone in ("good", "warn", "bad", "info")),
    *(("ink", f"{tone}-soft", TEXT) for tone in ("good", "warn", "bad", "info", "accent")),
    ("ink-3", "accent-soft", TEXT),
    ("ink-3", "hover", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    *(("edge", ground, GRAPHIC) for ground in SURFACES),
    *(("focus", ground, GRAPHIC) for ground in SURFACES),
    *((f"chart-{n}", "surface", GRAPHIC) for n in ("1", "2", "3", "4", "old", "mark")),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "wanted"), PAIRS)
def test_colours_can_be_told_apart(theme, front, ground, wanted):
    tokens = _tokens(theme)

    assert _contrast(tokens[front], tokens[ground]) >= wanted


def test_pages_use_names_of_colours_and_no_colour_of_their_own():
    for sheet in sorted((STATIC / "css").glob("*.css")):
        text = re.sub(r"url\([^)]*\)", "", sheet.read_text())
        if sheet.name == "tokens.css":
            continue
        own = [c for c in re.findall(r"#[0-9a-fA-F]{3,8}\b", text) if c.lower() != "#ffffff"]
        allowed = len(re.findall(r"light-dark\(#", text)) * 2
        assert len(own) <= allowed, (sheet.name, own)


def test_vendored_files_are_what_the_manifest_says():
    manifest = json.loads((STATIC / "vendor" / "vendor.json").read_text())

    listed = {entry["file"] for entry in manifest["files"]}
    assert listed == {path.name for path in (STATIC / "vendor").iterdir()} - {"vendor.json"}
    for entry in manifest["files"]:
        content = (STATIC / "vendor" / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
        for package in entry["packages"]:
            assert package["version"]
            assert package["licence"] in {"MIT", "0BSD", "OFL-1.1"}


def test_no_file_speaks_to_another_host():
    for path in (*STATIC.glob("css/*"), *STATIC.glob("js/*")):
        text = path.read_text().replace("http://www.w3.org/", "")
        assert "http://" not in text, path.name
        assert "https://" not in text, path.name


def test_what_every_page_loads_is_light():
    """The budget of a page is 200 kB without fonts; the frame leaves most of it to the page."""
    files = [*STATIC.glob("css/*.css"), *STATIC.glob("js/*.js"), STATIC / "vendor" / "htmx.js"]

    size = sum(len(gzip.compress(path.read_bytes())) for path in files)

    assert size < 60_000
