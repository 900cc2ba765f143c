"""What an address or a form says, read so that nothing sent by anybody is a failure of ours."""

# More than any number here, and less than what the database calls too large.
_DIGITS = 9


def whole(given: str | None, default: int = 0) -> int:
    """A whole number as people type it; anything else is the default."""
    text = (given or "").strip()
    return int(text) if is_whole(text) else default


def is_whole(text: str) -> bool:
    """Plain digits, and not without end: `isdigit` also takes ² and ४, which `int` may not."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
