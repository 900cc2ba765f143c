"""One sentence that says what a change does to the past."""

from collections.abc import Sequence
from decimal import Decimal

from measurement.periods import phrase, plural
from measurement.previews import PreviewPoint
from semantics.definition import Grain

# Members of a dimension may move each, and their total not.
_NOTHING_MOVES = "No past value moves in total."
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
_MORE_THAN_A_YEAR = 366


def headline(points: Sequence[PreviewPoint], grain: Grain, *, is_new: bool) -> str:
    """Say how past values move, over the complete periods `points`; empty for a new metric."""
    if is_new:
        return ""
    if not points:
        return "There is no complete period to compare."
    both = [point for point in points if point.difference is not None]
    moved = [point for point in both if point.difference]
    appeared = sum(point.old is None and point.new is not None for point in points)
    vanished = sum(point.new is None and point.old is not None for point in points)
    sentences = [_movement(both, moved, grain)] if moved else []
    if moved and len(moved) < len(both):
        sentences.append(f"{len(moved)} of {plural(grain, len(both))} move.")
    if appeared:
        gets = "gets" if appeared == 1 else "get"
        sentences.append(f"{plural(grain, appeared).capitalize()} {gets} a value and had none.")
    if vanished:
        loses = "loses its" if vanished == 1 else "lose their"
        sentences.append(f"{plural(grain, vanished).capitalize()} {loses} value.")
    if not moved:
        sentences.append("No other past value moves." if sentences else _NOTHING_MOVES)
    return " ".join(sentences)


def _movement(both: list[PreviewPoint], moved: list[PreviewPoint], grain: Grain) -> str:
    span = both[-1].period - both[0].period
    with_year = span.days > _MORE_THAN_A_YEAR
    if all(point.old for point in moved):
        # Exact, since the point's own percentage is rounded and may have become 0.
        sizes = [_share(point) for point in both]
        say = _percent
    else:
        # A percentage of 0 says nothing, so differences are given as they are.
        sizes = [point.difference or Decimal(0) for point in both]
        say = _amount
    mean = sum(map(abs, sizes), Decimal(0)) / len(sizes)
    lowest, highest = min(sizes), max(sizes)

    def when(size: Decimal) -> str:
        return phrase(both[sizes.index(size)].period, grain, with_year=with_year)

    if lowest < 0 < highest:
        return (
            f"Past values move by {say(mean)} on average, "
            f"between −{say(abs(lowest))} {when(lowest)} and +{say(highest)} {when(highest)}."
        )
    verb, widest = ("fall", lowest) if lowest < 0 else ("rise", highest)
    return (
        f"Past values {verb} by {say(mean)} on average, at most {say(abs(widest))} {when(widest)}."
    )


def _share(point: PreviewPoint) -> Decimal:
    if not point.difference or not point.old:
        return Decimal(0)
    return 100 * point.difference / abs(point.old)


def _percent(size: Decimal) -> str:
    if size and size <= _TENTH / 2:
        return "less than 0.1 %"
    return f"{size:,.1f} %"


def _amount(size: Decimal) -> str:
    if size and size <= _HUNDREDTH / 2:
        return "less than 0.01"
    return f"{size:,.2f}".rstrip("0").rstrip(".")
