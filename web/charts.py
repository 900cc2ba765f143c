"""Charts as SVG, drawn by the server: the same picture on a page, in the admin, in print and as a
file, with and without script. Pure: plain mappings in, text out.

A chart stretches with its box while its words keep their size: places along the time axis are
percentages, and the lines live in an inner drawing that is stretched without thickening them.
`static/js/chart.js` adds the cursor, the walk from point to point and the switches of the legend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from html import escape
from typing import NotRequired, TypedDict

from web import formatting
from web.scales import Ticks, nice_ticks

# Of the inner drawing; its lines are stretched to whatever width there is.
WIDTH = 1000
HEIGHT = 260
SMALL_HEIGHT = 130
BELOW = 26
LABEL_ROW = 16
# The width of a letter of a label, in percent of a plot as narrow as a phone's.
LETTER = 2.3
# The lines that a sentence can hold; of more it says how many there are.
MOST_SAID = 3
STYLES = ("", "2", "3", "4", "old")
PADDINGS = (40, 56, 72, 88)
MAX_LABELS = 9


class Line(TypedDict):
    """One line or row of bars. A point is (start of the period, number or None[, note])."""

    label: str
    points: Sequence[tuple]
    style: NotRequired[str]


class Mark(TypedDict):
    """Something that happened on a day: a version came into effect."""

    at: date
    label: str
    url: NotRequired[str]


class Target(TypedDict):
    value: float
    label: NotRequired[str]


class Shade(TypedDict):
    """A stretch of time to beware of, `[start, until)`."""

    start: date
    until: date
    label: str


class ChartSpec(TypedDict):
    """All that a chart shows. `incomplete` says that the last period is not over."""

    title: str
    series: Sequence[Line]
    kind: NotRequired[str]  # "lines" (default) or "bars"
    grain: NotRequired[str]
    unit: NotRequired[dict]
    marks: NotRequired[Sequence[Mark]]
    shades: NotRequired[Sequence[Shade]]
    target: NotRequired[Target | None]
    incomplete: NotRequired[bool]
    summary: NotRequired[str]


@dataclass(frozen=True)
class Chart:
    """A chart laid out: how to draw it, and what the table beside it says."""

    spec: ChartSpec
    height: int = HEIGHT

    @property
    def title(self) -> str:
        return self.spec["title"]

    @property
    def unit(self) -> dict | None:
        return self.spec.get("unit")

    @property
    def grain(self) -> str:
        return self.spec.get("grain", "day")

    @property
    def is_bars(self) -> bool:
        return self.spec.get("kind") == "bars"

    @cached_property
    def series(self) -> list[dict]:
        """Each line with a style of its own and its numbers by day."""
        free = (style for style in STYLES if style != "old")
        found = []
        for line in self.spec["series"]:
            style = line.get("style")
            if style is None:
                style = next(free, "old")
            numbers = {point[0]: point[1] for point in line["points"]}
            notes = {point[0]: point[2] for point in line["points"] if len(point) > 2}
            found.append(
                {"label": line["label"], "style": style, "numbers": numbers, "notes": notes}
            )
        return found

    @cached_property
    def days(self) -> list[date]:
        return sorted({day for line in self.series for day in line["numbers"]})

    @property
    def is_empty(self) -> bool:
        return not any(n is not None for line in self.series for n in line["numbers"].values())

    @cached_property
    def ticks(self) -> Ticks:
        numbers = [float(n) for s in self.series for n in s["numbers"].values() if n is not None]
        if target := self.spec.get("target"):
            numbers.append(float(target["value"]))
        return nice_ticks(min(numbers), max(numbers), from_zero=self.is_bars)

    @cached_property
    def summary(self) -> str:
        """The chart in one sentence, for those who do not see it."""
        if given := self.spec.get("summary"):
            return given
        if self.is_empty:
            return f"{self.title}: no values."
        # A period that is not over is no smaller for it.
        is_cut = self.spec.get("incomplete", False) and len(self.days) > 1
        days = self.days[:-1] if is_cut else self.days
        about = f"{self.title}, {len(days)} {'complete ' if is_cut else ''}periods"
        if len(self.series) > MOST_SAID:
            return f"{about}, {len(self.series)} lines."
        said = [
            f"{line['label']} {course}" if len(self.series) > 1 else course
            for line in self.series
            if (course := self._course(line, days))
        ]
        return f"{about}: {'; '.join(said)}." if said else f"{self.title}: no values yet."

    def _course(self, line: dict, days: list[date]) -> str:
        """“from 12 (1 March) to 15 (1 May), +25 %”; nothing where a line has no value."""
        known = [(day, line["numbers"][day]) for day in days if _known(line, day)]
        if not known:
            return ""
        (first, old), (last, new) = known[0], known[-1]
        moved = formatting.change(old, new, self.unit)
        return (
            f"from {self._text(old)} ({formatting.period(first, self.grain)}) to {self._text(new)} "
            f"({formatting.period(last, self.grain)}){f', {moved}' if moved else ''}"
        )

    @cached_property
    def table(self) -> dict:
        """The same numbers as rows, newest first."""
        has_notes = any(line["notes"] for line in self.series)
        head = [line["label"] for line in self.series] + (["Version"] if has_notes else [])
        rows = []
        for day in reversed(self.days):
            cells = [self._text(line["numbers"].get(day)) for line in self.series]
            if has_notes:
                cells.append(self._note(day))
            rows.append({"period": formatting.period(day, self.grain), "day": day, "cells": cells})
        return {"head": head, "rows": rows}

    @cached_property
    def points(self) -> dict:
        """What chart.js needs to show and to say the point under the cursor."""
        if self.is_empty:
            return {"series": [], "columns": []}
        columns = []
        for day in self.days:
            values = [
                {"y": round(self.y(line["numbers"][day]), 1), "text": self._text(number)}
                if (number := line["numbers"].get(day)) is not None
                else None
                for line in self.series
            ]
            label = formatting.period(day, self.grain)
            if self.spec.get("incomplete") and day == self.days[-1]:
                label += ", not complete"
            columns.append(
                {"x": self.x(day), "label": label, "note": self._note(day), "values": values}
            )
        return {
            "series": [{"label": line["label"], "style": line["style"]} for line in self.series],
            "columns": columns,
            "height": self.height,
            "top": self.top,
        }

    @cached_property
    def marks(self) -> list[dict]:
        """Marks within the range with their place; close ones share no row of labels."""
        found, ends = [], [-100.0, -100.0, -100.0]
        for mark in sorted(self.spec.get("marks") or (), key=lambda mark: mark["at"]):
            if not self.days or not self.days[0] <= mark["at"] <= self._end:
                continue
            x = self.x(mark["at"])
            half = len(mark["label"]) * LETTER / 2
            row = next((row for row, end in enumerate(ends) if x - half > end), len(ends) - 1)
            ends[row] = x + half
            found.append({**mark, "x": x, "row": row})
        return found

    @property
    def top(self) -> int:
        rows = max((mark["row"] for mark in self.marks), default=-1) + 1
        return 10 + rows * LABEL_ROW

    @property
    def padding(self) -> int:
        longest = max(len(text) for text in self._tick_texts())
        wanted = longest * 7 + 14
        return next((size for size in PADDINGS if size >= wanted), PADDINGS[-1])

    def x(self, day: date) -> float:
        """Where a day lies along the axis, in percent."""
        count = len(self.days)
        span = (self.days[-1] - self.days[0]).days
        if not span:
            return 50.0
        share = (day - self.days[0]).days / span
        if self.is_bars:
            # Half a band at both ends, so that no bar is cut.
            share = (share * (count - 1) + 0.5) / count
        return round(100 * min(max(share, 0), 1), 3)

    def y(self, number) -> float:
        share = (float(number) - self.ticks.low) / (self.ticks.high - self.ticks.low)
        return self.height - share * (self.height - self.top)

    def svg(self, *, width: int | None = None) -> str:
        """The drawing. With a width it is a file of its own, else it fills its box."""
        parts = [
            self._shades(),
            self._grid(),
            self._target(),
            self._bars() if self.is_bars else self._lines(),
            self._marks(),
        ]
        inner = "".join(parts)
        full = self.height + BELOW
        name = escape(self.summary, quote=True)
        if width is None:
            return (
                f'<svg class="chart-svg chart-pad-{self.padding}" height="{full}" role="img" '
                f'aria-label="{name}">{inner}</svg>'
            )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart-svg" width="{width}" '
            f'height="{full}" font-family="sans-serif" font-size="12" role="img" '
            f'aria-label="{name}"><svg x="{self.padding}" width="{width - self.padding - 24}" '
            f'height="{full}" overflow="visible">{inner}</svg></svg>'
        )

    @property
    def _end(self) -> date:
        """The last day that the axis may show: a period reaches beyond its start."""
        reach = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
        return self.days[-1] + timedelta(days=reach.get(self.grain, 1))

    def _text(self, number) -> str:
        return formatting.with_unit(number, self.unit)

    def _note(self, day: date) -> str:
        return next((line["notes"][day] for line in self.series if line["notes"].get(day)), "")

    def _tick_texts(self) -> list[str]:
        return formatting.along_axis(self.ticks.places, self.unit)

    def _grid(self) -> str:
        found = []
        for place, text in zip(self.ticks.places, self._tick_texts(), strict=True):
            y = round(self.y(place), 1)
            zero = " zero" if place == 0 and self.ticks.low < 0 else ""
            found.append(
                f'<line class="grid{zero}" x1="0" x2="100%" y1="{y}" y2="{y}" stroke="#e3e7ef"/>'
                f'<text x="-10" y="{y + 4}" text-anchor="end" fill="#5c677e">{escape(text)}</text>'
            )
        for day, text, fineness in self._x_labels():
            found.append(
                f'<text class="{fineness}" x="{self.x(day)}%" y="{self.height + 20}" '
                f'text-anchor="middle" fill="#5c677e">{escape(text)}</text>'
            )
        return "".join(found)

    def _x_labels(self) -> list[tuple[date, str, str]]:
        step = -(-len(self.days) // MAX_LABELS)
        chosen = self.days[::-1][::step]
        grain = self.grain
        if grain in ("day", "week") and (self.days[-1] - self.days[0]).days > 400:
            grain = "month"
        fineness = ("x-always", "x-fine", "x-medium", "x-fine")
        return [
            (day, formatting.short_period(day, grain), fineness[index % 4])
            for index, day in enumerate(chosen)
        ]

    def _shades(self) -> str:
        found = []
        for shade in self.spec.get("shades") or ():
            if not self.days or shade["until"] <= self.days[0] or shade["start"] > self.days[-1]:
                continue
            left, right = self.x(shade["start"]), self.x(shade["until"])
            found.append(
                f'<rect class="shade" x="{left}%" y="{self.top}" width="{round(right - left, 3)}%" '
                f'height="{self.height - self.top}" fill="#b0231c" fill-opacity="0.1">'
                f"<title>{escape(shade['label'])}</title></rect>"
            )
        return "".join(found)

    def _target(self) -> str:
        target = self.spec.get("target")
        if not target:
            return ""
        y = round(self.y(target["value"]), 1)
        text = formatting.with_unit(target["value"], self.unit, compact=True)
        label = target.get("label") or f"Target {text}"
        return (
            f'<line class="target" x1="0" x2="100%" y1="{y}" y2="{y}" stroke="#0d6b3c" '
            'stroke-dasharray="4 3"/>'
            f'<text class="target-label" x="100%" y="{y - 6}" text-anchor="end" fill="#0d6b3c">'
            f"{escape(label)}</text>"
        )

    def _lines(self) -> str:
        # The first line is the one that counts: it is drawn last, over the others.
        return "".join(self._line(line) for line in reversed(self.series))

    def _line(self, line: dict) -> str:
        known = [day for day in self.days if _known(line, day)]
        style = f" line-{line['style']}" if line["style"] else ""
        dots = f" dots-{line['style']}" if line["style"] else ""
        dash = ' stroke-dasharray="5 3"' if line["style"] == "old" else ""
        runs = _runs(line, self.days)
        last_open = self.spec.get("incomplete") and known and known[-1] == self.days[-1]
        path, tail = [], ""
        for run in runs:
            if last_open and run[-1] == self.days[-1] and len(run) > 1:
                tail = self._path(line, run[-2:])
                run = run[:-1]
            path.append(self._path(line, run))
        circles = "".join(
            f'<circle class="dots{dots}" {self._centre(line, run[0])} r="3" fill="#3450d4"/>'
            for run in runs
            if len(run) == 1
        )
        if last_open:
            circles += (
                f'<circle class="open-point" {self._centre(line, known[-1])} r="3.5" '
                'fill="#ffffff" stroke="#3450d4"/>'
            )
        ending = (
            f'<path class="line{style}" d="{tail}" fill="none" stroke="#3450d4" '
            'stroke-dasharray="2 4" vector-effect="non-scaling-stroke"/>'
            if tail
            else ""
        )
        index = self.series.index(line)
        return (
            f'<g class="series" data-series="{index}"><svg width="100%" height="{self.height}" '
            f'viewBox="0 0 {WIDTH} {self.height}" preserveAspectRatio="none" overflow="visible">'
            f'<path class="line{style}" d="{"".join(path)}" fill="none" stroke="#3450d4" '
            f'stroke-width="2"{dash} vector-effect="non-scaling-stroke"/>{ending}</svg>'
            f"{circles}</g>"
        )

    def _path(self, line: dict, days: Sequence[date]) -> str:
        places = [f"{self.x(d) * WIDTH / 100:.1f} {self.y(line['numbers'][d]):.1f}" for d in days]
        return "M" + "L".join(places)

    def _centre(self, line: dict, day: date) -> str:
        return f'cx="{self.x(day)}%" cy="{self.y(line["numbers"][day]):.1f}"'

    def _bars(self) -> str:
        count = max(1, len(self.days))
        width = round(70 / count / len(self.series), 3)
        zero = self.y(0)
        found = []
        for index, line in enumerate(self.series):
            bars = []
            for day in self.days:
                if not _known(line, day):
                    continue
                number = line["numbers"][day]
                y = self.y(number)
                left = self.x(day) - width * len(self.series) / 2 + width * index
                bars.append(
                    f'<rect class="bar" x="{left:.3f}%" y="{min(y, zero):.1f}" '
                    f'width="{width}%" height="{max(abs(y - zero), 0.5):.1f}" fill="#3450d4"/>'
                )
            found.append(f'<g class="series" data-series="{index}">{"".join(bars)}</g>')
        return "".join(found)

    def _marks(self) -> str:
        found = []
        for mark in self.marks:
            anchor = "start" if mark["x"] < 8 else "end" if mark["x"] > 92 else "middle"
            y = 12 + mark["row"] * LABEL_ROW
            link = f' data-href="{escape(mark["url"], quote=True)}"' if mark.get("url") else ""
            found.append(
                f'<g class="mark-group"{link}><line class="mark" x1="{mark["x"]}%" '
                f'x2="{mark["x"]}%" y1="{y + 5}" y2="{self.height}" stroke="#8a5a00"/>'
                f'<text class="mark-label" x="{mark["x"]}%" y="{y}" text-anchor="{anchor}" '
                f'fill="#8a5a00">{escape(mark["label"])}</text></g>'
            )
        return "".join(found)


def _known(line: dict, day: date) -> bool:
    return line["numbers"].get(day) is not None


def _runs(line: dict, days: Sequence[date]) -> list[list[date]]:
    """Stretches of days with values. A hole in the data is a hole in the line."""
    runs: list[list[date]] = []
    in_run = False
    for day in days:
        if day not in line["numbers"]:
            continue
        if line["numbers"][day] is None:
            in_run = False
        elif in_run:
            runs[-1].append(day)
        else:
            runs.append([day])
            in_run = True
    return runs


def sparkline(numbers: Sequence, *, label: str, mark: int | None = None) -> str:
    """A line without axes, for a row of a table. `mark` is the index at which a version began."""
    known = [float(number) for number in numbers if number is not None]
    if len(known) < 2:
        return '<span class="muted">–</span>'
    low, span = min(known), (max(known) - min(known)) or 1.0
    step = 100 / (len(numbers) - 1)

    def place(index: int, number) -> str:
        return f"{index * step:.1f} {26 - 24 * (float(number) - low) / span:.1f}"

    path, pen = "", "M"
    for index, number in enumerate(numbers):
        if number is None:
            pen = "M"
            continue
        path += pen + place(index, number)
        pen = "L"
    line = f'<path d="M{mark * step:.1f} 0V28" class="mark"/>' if mark is not None else ""
    return (
        '<svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label, quote=True)}">{line}<path d="{path}"/></svg>'
    )


def swing(share: float) -> str:
    """A bar from the middle, to the right for a rise and to the left for a fall, -1 to 1 wide."""
    width = min(abs(share), 1.0) * 50
    left = 50 - width if share < 0 else 50.0
    tone = "fall" if share < 0 else "rise"
    return (
        '<svg class="swing" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{tone}" x="{left:.2f}" y="2" width="{width:.2f}" height="8"/>'
        '<path d="M50 0V12"/></svg>'
    )
