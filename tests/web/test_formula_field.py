"""A formula typed in the editor: checked while one types, applied, kept when it is refused."""

import json

import pytest

from catalog.selectors.entries import specs_in_force
from governance.models import ChangeRequest
from governance.services.requests import open_request
from tests import factories
from tests.web.conftest import signed_in, text_of
from web.formulas import marked, names_for_formulas


@pytest.fixture
def draft(company) -> ChangeRequest:
    item = factories.make_item("per_customer", {"type": "simple"}, stewardship={"tier": 3})
    return open_request(content=factories.make_content(item), actor=company.ana)


@pytest.fixture
def ana(company):
    return signed_in(company.ana)


def form(draft, formula, **more):
    draft.draft.refresh_from_db()
    return {
        "item": "per_customer",
        "lock": draft.draft.lock,
        "name": "Per customer",
        "reason": "Asked for.",
        "formula": formula,
        **more,
    }


QUOTIENT = "sum(amount) / count(distinct customer)"


def test_what_it_stands_for_is_said_before_it_is_applied(ana, draft):
    before = draft.draft.content

    said = ana.post(f"/changes/{draft.pk}/formula/check", form(draft, QUOTIENT))

    page = text_of(said)
    assert "The ratio of <code>net_sales</code> to <code>distinct_customer</code>." in page
    assert "a metric of its own in this request, Tier 3, owned by ana." in page
    assert "can be 0; such periods have no value." in page
    draft.draft.refresh_from_db()
    assert draft.draft.content == before


def test_it_is_applied_with_all_else_that_was_typed(ana, draft):
    answer = ana.post(f"/changes/{draft.pk}/formula", form(draft, QUOTIENT))

    assert answer["Location"] == f"/changes/{draft.pk}/edit?item=per_customer"
    page = text_of(ana.get(answer["Location"]))
    assert "The formula is applied. The ratio of net_sales to distinct_customer." in page
    draft.draft.refresh_from_db()
    content = draft.draft.content
    assert content["reason"] == "Asked for."
    assert [item["key"] for item in content["items"]] == ["per_customer", "distinct_customer"]
    assert content["items"][0]["spec"]["type"] == "ratio"


def test_the_page_shows_a_formula_that_is_not_applied_yet(ana, draft):
    answer = ana.post(f"/changes/{draft.pk}/draft", form(draft, QUOTIENT, formula_dataset="orders"))

    page = text_of(ana.get(answer["Location"]))
    assert QUOTIENT in page
    assert "The ratio of <code>net_sales</code>" in page
    assert "<option selected>orders</option>" in page


@pytest.mark.parametrize(
    ("formula", "said", "span"),
    [
        (
            "sum(amuont) / count(*)",
            "No dataset has a column `amuont`. Did you mean `amount`?",
            (4, 10),
        ),
        ("sum(amount) +\n / 2", "The text cannot be read near `2` (line 2, column 4).", (17, 18)),
        ("sum(amount) filter (where 1", "The text cannot be read", (26, 27)),
        ("1 + 1", "This formula aggregates nothing", (None, None)),
    ],
)
def test_a_formula_that_cannot_be_is_refused_live_and_when_applied(ana, draft, formula, said, span):
    before = draft.draft.content
    at = f"/changes/{draft.pk}/formula"

    typing = ana.post(f"{at}/check", form(draft, formula), headers={"accept": "application/json"})
    panel = ana.post(f"{at}/check", form(draft, formula))
    applied = ana.post(at, form(draft, formula))

    (problem,) = typing.json()["problems"]
    assert f"{problem['message']} {problem['fix']}".startswith(said)
    assert (problem.get("from"), problem.get("to")) == span
    plain = [
        text_of(one).replace("<code>", "`").replace("</code>", "`") for one in (panel, applied)
    ]
    assert [one.status_code for one in (panel, applied)] == [200, 422]
    assert all(problem["message"] in one and problem["fix"] in one for one in plain)
    assert formula in text_of(applied)
    draft.draft.refresh_from_db()
    assert draft.draft.content["items"] == before["items"]


def test_nobody_submits_a_formula_that_stands_nowhere(ana, draft):
    answer = ana.post(f"/changes/{draft.pk}/submit", form(draft, QUOTIENT))

    assert answer.status_code == 422
    assert "The typed formula is not applied, so that it would be lost." in text_of(answer)
    assert QUOTIENT in text_of(answer)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_letters_that_browsers_count_twice_move_no_mark():
    problem = {"message": "No dataset has a column `amuont`."}

    (row,) = marked("'🛒' || sum(amuont)", [problem])

    assert (row["from"], row["to"]) == (12, 18)


def test_columns_are_completed_with_the_datasets_that_have_them(ana, company, draft):
    page = ana.get(f"/changes/{draft.pk}/edit").content.decode()
    offered = json.loads(
        page.split('<script id="formula-names" type="application/json">')[1].split("</script>")[0]
    )

    named = {(row["label"], row["type"]): row for row in offered}
    assert named["amount", "column"]["of"] == ["orders"]
    assert named["store", "dimension"]["of"] == ["orders"]
    assert "of" not in named["net_sales", "metric"]


def test_a_metric_does_not_complete_itself(company):
    offered = names_for_formulas(specs_in_force(), "net_sales")

    assert "net_sales" not in {row["label"] for row in offered}
