"""The calls of “Propose a change over REST” do what the page says, as they stand there."""

import json
import re
import shlex
from pathlib import Path

from governance.models import ChangeRequest
from tests.api.caller import ROOT
from tests.factories import NET_SALES, finish_preview, make_item, published

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "propose-over-rest.md"
STATUSES = [201, 202, 200, 200, 200, 200, 200, 200, 200]


def calls() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(curl .*?)```", PAGE.read_text(), re.DOTALL)
    return [shlex.split(block.replace("\\\n", " ")) for block in blocks]


def test_the_page_is_true(company, ana, ben):
    published(
        make_item("units", {**NET_SALES, "expression": "1", "aggregation": "count"}),
        author=company.ana,
        by=[company.ben],
    )
    known: dict[str, str] = {}
    answers = []
    for call, status in zip(calls(), STATUSES, strict=True):
        person = ben if "Authorization: Bearer $BEN" in call else ana
        words = [_filled(word, known) for word in call]
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        path = next(word for word in words if "/api/v1/" in word).partition(ROOT)[2]
        body = json.loads(words[words.index("--data") + 1]) if "--data" in words else None
        answer = person._send(method, path, body)
        assert answer.status_code == status, answer.content
        answers.append(answer.json())
        _learn(answers[-1], known)
        if path.endswith("/submit"):
            finish_preview(ChangeRequest.objects.latest("pk"))

    opened, _, preview, edited, submitted, approved, *rest = answers
    assert opened["assessment"]["change_class"] == "restating"
    assert {one["place"] for one in opened["assessment"]["problems"]} == {
        "reason",
        "items.units.treatment",
    }
    assert preview["state"] == "waiting"
    assert edited["assessment"]["problems"] == []
    assert submitted["needs"] == ["1 approval, because Restating + Tier 2"]
    assert [one["verdict"] for one in approved["reviews"]] == ["approve"]
    backfills, values = rest[-2:]
    assert backfills["results"][0]["purpose"] in ("publish", "preview")
    assert {"points", "marks"} <= set(values)


def _filled(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word


def _learn(answer: dict, known: dict[str, str]) -> None:
    if answer.get("draft"):
        known["$CR"], known["$LOCK"] = str(answer["id"]), str(answer["draft"]["lock"])
    if answer.get("revision"):
        known["$HASH"] = answer["revision"]["hash"]
