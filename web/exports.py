"""CSV that a spreadsheet cannot run: the one place where cells of text are written."""

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str | None) -> str:
    """A cell of text. What a spreadsheet would read as a formula gets an apostrophe before it."""
    text = "" if text is None else str(text)
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text
