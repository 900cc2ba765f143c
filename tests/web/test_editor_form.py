"""The editor's form is true: what nobody touched stays, rubbish in a draft is no fault of the page,
and two people at one draft see both texts before one replaces the other."""

from html.parser import HTMLParser

import pytest

from governance.services.requests import open_request
from governance.services.submitting import submit
from tests import factories
from tests.web.conftest import signed_in, text_of

SIMPLE = factories.NET_SALES
COUNT = {"aggregation": "count", "expression": "1"}
SHAPES = {
    "simple": SIMPLE,
    "simple with filters": {**SIMPLE, "filters": ["store = 'x' OR store = 'y'", "store <> 'z'"]},
    "percentile": {**SIMPLE, "aggregation": "percentile", "percentile": 0.9},
    "zeros": {**SIMPLE, "fill_nulls_with": 0},
    "ratio": {
        "type": "ratio",
        "numerator": {"metric": "net_sales", "filters": ["store = 'x'", "store <> 'y'"]},
        "denominator": {"metric": "net_sales", "offset": {"count": 1, "grain": "week"}},
    },
    "derived": {
        "type": "derived",
        "expression": "net_sales - before",
        "inputs": [
            {"metric": "net_sales"},
            {"metric": "net_sales", "alias": "before", "offset": {"count": 2, "grain": "week"}},
        ],
    },
    "derived with filters": {
        "type": "derived",
        "expression": "few - net_sales",
        "inputs": [
            {"metric": "net_sales"},
            {
                "metric": "net_sales",
                "alias": "few",
                "filters": ["store = 'x' OR store = 'y'", "store <> 'z'"],
            },
        ],
    },
    "since the beginning": {"type": "cumulative", "metric": "net_sales"},
    "trailing": {
        "type": "cumulative",
        "metric": "net_sales",
        "window": {"count": 7, "grain": "day"},
    },
    "to date": {"type": "cumulative", "metric": "net_sales", "grain_to_date": "month"},
    "conversion": {
        "type": "conversion",
        "base": "seen",
        "conversion": "sold",
        "entity": "sale",
        "window": {"count": 7, "grain": "day"},
    },
}
RUBBISH = [
    {"type": "ratio", "numerator": [1], "denominator": None},
    {"type": "ratio", "numerator": {"metric": 3, "filters": 3}},
    {"type": "derived", "expression": None, "inputs": [1, None, {"offset": 3, "filters": 1}]},
    {"type": "derived", "inputs": "net_sales"},
    {"type": "simple", "dataset": ["a"], "dimensions": 8, "grains": 7, "segments": {"a": 1}},
    {"type": "cumulative", "metric": {}, "window": "a week"},
    {"type": ["simple"], "filters": {"a": 1}},
    {"type": "conversion", "window": [1]},
    {},
]


class Form(HTMLParser):
    """What a browser would send of the form `editor`, if nobody touched it."""

    def __init__(self, page: str):
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._inside = False
        self._select = self._area = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("id") == "editor"
        if not self._inside:
            return
        name, value = given.get("name"), given.get("value") or ""
        match tag:
            case "input" if name and given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self.fields.append((name, value if "value" in given else "on"))
            case "input" if name:
                self.fields.append((name, value))
            case "textarea" if name:
                self._area = [name, ""]
            case "select" if name:
                self._select = [name, None, None]
            case "option" if self._select:
                self._select[1] = [value if "value" in given else None, "", "selected" in given]

    def handle_data(self, data):
        if self._area:
            self._area[1] += data
        elif self._select and self._select[1]:
            self._select[1][1] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area:
            self.fields.append((self._area[0], self._area[1]))
            self._area = None
        elif tag == "option" and self._select and self._select[1]:
            value, text, is_selected = self._select[1]
            chosen = text.strip() if value is None else value
            if is_selected or self._select[2] is None:
                self._select[2] = chosen
            self._select[1] = None
        elif tag == "select" and self._select:
            self.fields.append((self._select[0], self._select[2] or ""))
            self._select = None

    @property
    def as_post(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value.replace("\n", "\r\n"))
        return found


def _form(client, pk: int) -> dict[str, list[str]]:
    return Form(client.get(f"/changes/{pk}/edit").content.decode()).as_post


@pytest.mark.parametrize("shape", SHAPES)
def test_a_form_that_nobody_touched_changes_nothing(company, shape):
    counts = [factories.make_item(key, {**SIMPLE, **COUNT}) for key in ("seen", "sold")]
    item = factories.make_item("shaped", SHAPES[shape])
    content = factories.make_content(item, *(counts if shape == "conversion" else []))
    change = open_request(content=content, actor=company.ana)
    before = submit(change, actor=company.ana)
    change.refresh_from_db()
    web = signed_in(company.ana)

    answer = web.post(f"/changes/{change.pk}/draft", _form(web, change.pk))

    assert answer.status_code == 302
    change.draft.refresh_from_db()
    again = submit(change, lock=change.draft.lock, actor=company.ana)
    assert again.hash == before.hash


@pytest.mark.parametrize("spec", RUBBISH, ids=str)
def test_rubbish_in_a_draft_is_no_fault_of_the_editor(company, spec):
    item = factories.make_item("odd", SIMPLE) | {"spec": spec}
    change = open_request(content=factories.make_content(item), actor=company.ana)
    web = signed_in(company.ana)

    page = web.get(f"/changes/{change.pk}/edit")
    saved = web.post(f"/changes/{change.pk}/draft", _form(web, change.pk))

    assert page.status_code == 200
    assert 'id="faults"' in text_of(page)
    assert saved.status_code in (302, 422)


def test_who_saves_second_sees_both_texts_and_replaces_the_first_only_on_purpose(company):
    item = factories.make_change(words={"definition": "As it was."})
    change = open_request(content=factories.make_content(item), actor=company.ana)
    ana, cem = signed_in(company.ana), signed_in(company.cem)
    page, mine = f"/changes/{change.pk}/draft", _form(ana, change.pk)
    theirs = _form(cem, change.pk)
    first = cem.post(page, {**theirs, "definition": "As Cem says."})
    assert first.status_code == 302, first.context["refused"].message
    typed = {**mine, "definition": "As Ana says.", "reason": "Hers."}
    told = ana.post(page, typed, headers={"Accept": "application/json"})
    assert told.json()["message"].startswith("Cem saved this draft while you were editing.")

    refused = ana.post(page, typed)

    assert refused.status_code == 409
    shown = text_of(refused)
    assert "As Cem says.</del>" in shown
    assert "As Ana says.</ins>" in shown
    assert "Hers.</ins>" in shown
    again = Form(refused.content.decode()).as_post
    assert again["definition"] == ["As Ana says."]
    # What saves by itself is refused still.
    assert ana.post(page, again, headers={"Accept": "application/json"}).status_code == 409
    change.draft.refresh_from_db()
    assert change.draft.content["items"][0]["words"]["definition"] == "As Cem says."

    assert ana.post(page, {**again, "over": change.draft.lock}).status_code == 302
    change.draft.refresh_from_db()
    assert change.draft.content["items"][0]["words"]["definition"] == "As Ana says."


def test_the_editor_says_that_it_takes_a_request_back_from_review(company):
    request = company.restating()
    web = signed_in(company.ana)
    assert "r1 is in review. What you write takes it back" in text_of(
        web.get(f"/changes/{request.pk}/edit")
    )
    form, wants = _form(web, request.pk), {"Accept": "application/json"}
    page = f"/changes/{request.pk}/draft"

    untouched = web.post(page, form, headers=wants)
    saved = web.post(page, {**form, "reason": "Better said."}, headers=wants)

    assert "news" not in untouched.json()
    assert saved.json()["news"] == (
        f"CR-{request.pk} is taken back from review. Submit it again when it is ready."
    )
    assert "is in review" not in text_of(web.get(f"/changes/{request.pk}/edit"))


def test_only_who_may_discard_a_draft_is_offered_it(company):
    change = open_request(
        content=factories.make_content(factories.make_change(words={"notes": "A."})),
        actor=company.ana,
    )

    pages = [
        text_of(signed_in(who).get(f"/changes/{change.pk}/edit"))
        for who in (company.ana, company.ben)
    ]

    assert ['data-dialog="ask-discard"' in page for page in pages] == [True, False]
    answer = signed_in(company.ana).post(f"/changes/{change.pk}/discard", follow=True)
    assert f"CR-{change.pk} is discarded." in text_of(answer)


def test_filters_complete_dimensions_and_an_expression_columns(company):
    change = open_request(
        content=factories.make_content(factories.make_change()), actor=company.ana
    )

    answer = signed_in(company.ana).get(f"/changes/{change.pk}/edit")

    labels = {
        name: {row["label"] for row in answer.context[name]} for name in ("names", "filter_names")
    }
    assert labels == {
        "names": {"id", "day", "store", "customer", "amount", "refund"},
        "filter_names": {"store"},
    }
