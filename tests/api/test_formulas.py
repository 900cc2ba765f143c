"""A typed formula over REST: what it makes of the draft, and what it says when it cannot be."""

import pytest

from tests import factories


@pytest.fixture
def draft(company, ana) -> dict:
    item = factories.make_item("per_customer", {"type": "simple"}, stewardship={"tier": 3})
    return ana.post("change-requests", factories.make_content(item)).json()


def test_a_formula_becomes_metrics(ana, draft):
    at = f"change-requests/{draft['id']}"
    body = {"key": "per_customer", "formula": "sum(amount) / count(distinct customer)", "lock": 1}

    answer = ana.post(f"{at}/formula", body, key="once")

    assert answer.status_code == 200
    made = answer.json()
    assert made["sentence"] == (
        "The ratio of `net_sales` to `distinct_customer`. New with it: `distinct_customer`."
    )
    assert (made["new"], made["reused"]) == (["distinct_customer"], ["net_sales"])
    assert (made["dataset"], made["dropped"]) == ("orders", [])
    request = made["request"]
    assert request["draft"]["lock"] == 2
    assert [item["key"] for item in request["items"]] == ["per_customer", "distinct_customer"]
    assert not [one for one in request["assessment"]["problems"] if one["level"] == "blocks"]
    # Sent again, the first answer is given; the draft has moved on since.
    assert ana.post(f"{at}/formula", body, key="once").json() == made
    assert ana.post(f"{at}/submit", {"lock": 2}).json()["status"] == "in_review"


def test_a_formula_that_cannot_be_is_refused_with_its_reasons(ana, draft):
    at = f"change-requests/{draft['id']}"
    body = {"key": "per_customer", "formula": "sum(amuont) / count(*)", "lock": 1}

    answer = ana.post(f"{at}/formula", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["details"]["problems"] == [
        {
            "place": "formula",
            "code": "unknown_column",
            "message": "No dataset has a column `amuont`.",
            "fix": "Did you mean `amount`?",
            "level": "blocks",
        }
    ]
    assert ana.get(at).json()["draft"] == draft["draft"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"key": "per_customer", "formula": "sum(amount)", "lock": 7}, 409, "stale_revision"),
        ({"key": "per_customer", "formula": "sum(amount)"}, 422, "invalid"),
        ({"key": "other", "formula": "sum(amount)", "lock": 1}, 422, "invalid"),
        ({"key": "per_customer", "formula": "sum(amount)", "lock": 1, "x": 1}, 422, "invalid"),
        ({"key": "per_customer", "formula": "", "lock": 1}, 422, "invalid"),
    ],
)
def test_a_body_that_is_not_right_changes_nothing(ana, draft, body, status, code):
    answer = ana.post(f"change-requests/{draft['id']}/formula", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ana.get(f"change-requests/{draft['id']}").json()["draft"] == draft["draft"]
