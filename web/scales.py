"""Round numbers along an axis. Pure."""

import math
from dataclasses import dataclass

STEPS = (1, 2, 2.5, 5, 10)
WANTED = 5


@dataclass(frozen=True)
class Ticks:
    """The ends of an axis and the round places between them."""

    low: float
    high: float
    step: float

    @property
    def places(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [round(self.low + index * self.step, 12) for index in range(count + 1)]


def nice_ticks(low: float, high: float, *, from_zero: bool = False) -> Ticks:
    """An axis that covers both numbers in steps of 1, 2, 2.5 or 5 times a power of ten.

    It starts at zero when it is asked to, or when the numbers reach far down anyway, so that a
    short axis never makes a small change look big without need.
    """
    if from_zero or 0 < low < high * 0.35:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / WANTED
    power = 10 ** math.floor(math.log10(rough))
    step = next(size * power for size in STEPS if size * power >= rough * 0.999)
    bottom = math.floor(low / step + 1e-9) * step
    top = math.ceil(high / step - 1e-9) * step
    return Ticks(bottom, top, step)
