"""The words of a card: what people read about a metric, and how much a change of them weighs.

Words are part of a version. `EDITORIAL` words help to find and understand; `MEANING` words are
those that readers act on. Stewardship (owner, tier, domain, SLA, target) is not in here: it has
row history and is no part of a version.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=4000)]
Short = Annotated[str, Field(max_length=160)]


class Unit(BaseModel):
    """What one unit of the value is, e.g. kind `currency` with code `USD` (ISO 4217)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal[
        "currency", "count", "proportion", "percentage", "time", "data_size", "unitless"
    ] = "unitless"
    code: str = Field(default="", max_length=20)
    decimals: int = Field(default=2, ge=0, le=9)


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    # Meaning: readers act on these.
    name: Annotated[str, Field(min_length=1, max_length=120)]
    definition: Text = Field(default="", description="One sentence that a newcomer understands.")
    is_not: Text = Field(default="", description="What the number is often mistaken for.")
    unit: Unit = Unit()
    direction: Literal["up", "down", "neutral"] = Field(
        default="neutral", description="Which way is good."
    )
    role: Literal["north_star", "key_result", "input", "guardrail", "diagnostic", ""] = ""
    is_kpi: bool = False
    timing: Literal["leading", "lagging", ""] = ""
    category: Literal["customer", "financial", "process", ""] = ""
    stage: Literal["acquisition", "activation", "retention", "revenue", "referral", ""] = ""
    valid_range: tuple[float | None, float | None] = (None, None)
    proxy_for: Text = ""
    caveats: Text = ""
    # Editorial: they help to find and to understand.
    business_question: Text = ""
    synonyms: list[Short] = []
    tags: list[Short] = []
    notes: Text = ""
    examples: Text = ""
    gaming_risk: Text = ""
    benchmark: Text = ""


EDITORIAL = frozenset(
    {"business_question", "synonyms", "tags", "notes", "examples", "gaming_risk", "benchmark"}
)
MEANING = frozenset(Words.model_fields) - EDITORIAL
