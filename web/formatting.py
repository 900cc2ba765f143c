"""Numbers, units and days as people read them. Pure: no request and no database.

A unit is what `semantics.card.Unit` says: a kind, a code and decimals. Proportions are stored as
0 to 1 and shown in percent; their differences are percent points, all others are percent.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

NO_VALUE = "–"
MINUS = "\u2212"
# Keeps a number and its unit on one line.
GLUE = "\u00a0"

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SCALES = tuple(
    (Decimal(10) ** power, letter) for power, letter in ((12, "T"), (9, "B"), (6, "M"), (3, "k"))
)
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
POINTS = frozenset({"proportion", "percentage"})


def plain(value, decimals: int = 0, *, sign: bool = False) -> str:
    """A number with thousands marks and a true minus: `−1,234.50`."""
    if value is None:
        return NO_VALUE
    text = f"{abs(_decimal(value)):,.{decimals}f}"
    is_zero = not any(digit in text for digit in "123456789")
    if value < 0 and not is_zero:
        return f"{MINUS}{text}"
    return f"+{text}" if sign and not is_zero else text


def with_unit(value, unit: Mapping | None = None, *, compact: bool = False, sign: bool = False):
    """A value in its unit: `$8,090,541.36`, `41.2 %`, `3.5 h`; compact: `$8.1M`."""
    if value is None:
        return NO_VALUE
    kind, code, decimals = _parts(unit)
    number = _decimal(value)
    if kind == "proportion":
        return f"{plain(number * 100, decimals, sign=sign)}{GLUE}%"
    if kind == "percentage":
        return f"{plain(number, decimals, sign=sign)}{GLUE}%"
    if kind == "data_size":
        return _bytes(number, sign=sign)
    text = _compact(number, decimals, sign=sign) if compact else plain(number, decimals, sign=sign)
    if kind == "currency":
        return _money(text, code)
    if kind == "time":
        return f"{text}{GLUE}{code or 's'}"
    return f"{text}{GLUE}{code}" if code and kind != "count" else text


def along_axis(places: Sequence[float], unit: Mapping | None = None) -> list[str]:
    """Evenly spaced numbers, all in one scale and with the digits that tell them apart."""
    kind, code, _ = _parts(unit)
    step = abs(places[1] - places[0]) if len(places) > 1 else 1.0
    if kind == "data_size":
        return [_bytes(_decimal(place), sign=False) for place in places]
    size, letter = (Decimal(100) ** -1, "") if kind == "proportion" else (Decimal(1), "")
    if kind not in POINTS:
        largest = max(abs(place) for place in places)
        scales = [scale for scale in _SCALES if largest >= 10_000 and largest >= scale[0]]
        size, letter = scales[0] if scales else (size, letter)
    scaled_step = step / float(size)
    digits = next((n for n in range(9) if abs(round(scaled_step, n) - scaled_step) < 1e-9), 9)
    texts = [f"{plain(_decimal(place) / size, digits)}{letter}" for place in places]
    if kind in POINTS:
        return [f"{text}{GLUE}%" for text in texts]
    return [_money(text, code) if kind == "currency" else text for text in texts]


def change(old, new, unit: Mapping | None = None) -> str:
    """How far `new` is from `old`, in words of the unit: `+5.1 %`, or `+2.0 pt` for shares."""
    if old is None or new is None:
        return ""
    kind, _, decimals = _parts(unit)
    old, new = _decimal(old), _decimal(new)
    if kind in POINTS:
        scale = 100 if kind == "proportion" else 1
        return f"{plain((new - old) * scale, max(decimals, 1), sign=True)}{GLUE}pt"
    if old == 0:
        return ""
    return percent((new - old) / abs(old))


def percent(share, decimals: int = 1, *, sign: bool = True) -> str:
    """A share as percent: `percent(0.051)` is `+5.1 %`."""
    if share is None:
        return NO_VALUE
    return f"{plain(_decimal(share) * 100, decimals, sign=sign)}{GLUE}%"


def unit_name(unit: Mapping | None) -> str:
    """The unit in words, for a definition card and the head of a column."""
    kind, code, _ = _parts(unit)
    if kind == "currency":
        return code or "Money"
    if kind == "time":
        return {"s": "Seconds", "min": "Minutes", "h": "Hours", "d": "Days"}.get(code, code)
    names = {
        "count": "Count",
        "proportion": "Percent",
        "percentage": "Percent",
        "data_size": "Bytes",
        "unitless": "No unit",
    }
    return f"{names[kind]} of {code}" if code and kind == "count" else names[kind]


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def clock_time(local: datetime) -> str:
    """The time of an instant in the zone that it carries, with the zone: `11:42 CET`."""
    return f"{local:%H:%M} {local:%Z}"


def short_day(value: date) -> str:
    return f"{value.day} {value:%b}"


def period(start: date, grain: str = "day") -> str:
    """The name of the period that begins on `start`: `Week of 9 Mar 2026`, `Q1 2026`."""
    if grain == "week":
        return f"Week of {day(start)}"
    if grain == "month":
        return f"{start:%b %Y}"
    if grain == "quarter":
        return f"Q{(start.month - 1) // 3 + 1} {start.year}"
    return f"{start.year}" if grain == "year" else day(start)


def short_period(start: date, grain: str = "day") -> str:
    """As `period`, for the axis of a chart."""
    if grain == "quarter":
        return f"Q{(start.month - 1) // 3 + 1} {start:%y}"
    if grain in ("month", "year"):
        return f"{start:%b %y}" if grain == "month" else f"{start.year}"
    return short_day(start)


def duration(span: timedelta | float | None) -> str:
    """A span of time in its two largest units: `2 h 5 min`, `45 s`."""
    if span is None:
        return NO_VALUE
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if 0 < seconds < 10:
        return f"{seconds:.1f}{GLUE}s"
    left, words = round(seconds), []
    for code in ("d", "h", "min", "s"):
        count, left = divmod(left, _SECONDS[code])
        if count or (code == "s" and not words):
            words.append(f"{count}{GLUE}{code}")
        if len(words) == 2:
            break
    return " ".join(words)


def ago(span: timedelta) -> str:
    """How long ago something was, in its largest unit: `2 days ago`."""
    seconds = span.total_seconds()
    if abs(seconds) < 45:
        return "just now"
    for limit, size, word in (
        (5400, 60, "minute"),
        (129_600, 3600, "hour"),
        (86_400 * 45, 86_400, "day"),
        (86_400 * 548, 86_400 * 30.44, "month"),
        (float("inf"), 86_400 * 365.25, "year"),
    ):
        if abs(seconds) < limit:
            count = max(1, round(abs(seconds) / size))
            text = f"{count} {word}" if count == 1 else f"{count} {word}s"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    raise AssertionError("The last limit is without end.")


def _parts(unit: Mapping | None) -> tuple[str, str, int]:
    unit = unit or {}
    return unit.get("kind", "unitless"), unit.get("code", ""), unit.get("decimals", 2)


def _decimal(value) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _compact(number: Decimal, decimals: int, *, sign: bool) -> str:
    # Below ten thousand all digits are as short as a scaled number.
    for size, letter in _SCALES if abs(number) >= 10_000 else ():
        if abs(number) >= size:
            scaled = number / size
            places = 2 if abs(scaled) < 10 else 1
            return f"{plain(scaled, places, sign=sign)}{letter}"
    return plain(number, decimals, sign=sign)


def _money(text: str, code: str) -> str:
    symbol = SYMBOLS.get(code)
    if symbol is None:
        return f"{text}{GLUE}{code}" if code else text
    head, rest = (text[0], text[1:]) if text[0] in f"{MINUS}+" else ("", text)
    return f"{head}{symbol}{rest}"


def _bytes(number: Decimal, *, sign: bool) -> str:
    size, step = abs(number), 0
    while size >= 1024 and step < len(_BYTES) - 1:
        size, step = size / 1024, step + 1
    scaled = number / Decimal(1024) ** step
    return f"{plain(scaled, 0 if step == 0 else 1, sign=sign)}{GLUE}{_BYTES[step]}"
