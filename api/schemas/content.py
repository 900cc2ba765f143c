"""What a caller sends of a proposal. Governance reads it; these shapes are for the document."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.stewardship import Stewardship


class ProposedItem(BaseModel):
    """One entry and what it should become. What is left out of an existing one's `spec` and
    `words` stays as it is in the version that it starts from."""

    model_config = ConfigDict(extra="forbid")

    key: str
    kind: Literal["metric", "dataset", "segment"] = "metric"
    base: int | None = Field(None, description="The version that it starts from; None: new.")
    spec: dict[str, Any] = {}
    words: dict[str, Any] = {}
    stewardship: Stewardship | None = None
    treatment: Literal["restate", "break", "keep_both", ""] = ""
    keep_both_until: date | None = None
    lifecycle: Literal["active", "deprecated", "retired"] | None = None
    last_day: date | None = None
    successor: str | None = None
    definition: str = Field("", description="Filled in by the submit.")


class ProposalBody(BaseModel):
    """A whole proposal."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=160)
    reason: str = ""
    effective_from: date | None = Field(None, description="A day in the dataset's zone; today.")
    publish_when: Literal["approved", "button", "date"] = "approved"
    publish_on: date | None = None
    items: list[ProposedItem]
    stands_on: dict[str, str] = Field({}, description="Filled in by the submit.")
    cards: dict[str, str] = Field({}, description="Filled in by the submit.")


class EditBody(BaseModel):
    """What differs from the draft, with the draft's lock. Items are replaced as a whole list."""

    model_config = ConfigDict(extra="forbid")

    lock: int = Field(description="The lock of the draft that was edited.")
    title: str | None = Field(None, max_length=160)
    reason: str | None = None
    effective_from: date | None = None
    publish_when: Literal["approved", "button", "date"] | None = None
    publish_on: date | None = None
    items: list[ProposedItem] | None = None
