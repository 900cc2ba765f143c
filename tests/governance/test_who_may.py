"""Who may do what to a request in review. The table is the specification."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.choices import Role
from catalog.models import Entry, Ownership
from governance import policies
from governance.models import Comment
from governance.services.requests import open_request, save_draft
from governance.services.submitting import submit
from tests.factories import make_change, make_content, make_user, submitted

OK, NO = True, False
VERBS = {
    "propose": lambda user, request: policies.why_not_propose(user),
    "edit": policies.why_not_edit,
    "comment": lambda user, request: policies.why_not_review(user, request, "comment"),
    "approve": lambda user, request: policies.why_not_review(user, request, "approve"),
    "publish": policies.why_not_publish,
    "withdraw": policies.why_not_withdraw,
    "reject": policies.why_not_reject,
    "set policy": lambda user, request: policies.why_not_set_policy(user, request.domains()[0]),
    "of all": lambda user, request: policies.why_not_set_policy(user),
}
# fmt: off
TABLE = {
    #                         propose edit  comment approve publish withdraw reject policy:own, all
    "author":                 (OK,    OK,   OK,     NO,     OK,     OK,      NO,    NO,        NO),
    "co-editor and reviewer": (OK,    OK,   OK,     NO,     OK,     NO,      NO,    NO,        NO),
    "reviewer":               (OK,    OK,   OK,     OK,     OK,     NO,      NO,    NO,        NO),
    "reviewer elsewhere":     (OK,    NO,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "steward":                (OK,    OK,   OK,     OK,     OK,     NO,      OK,    OK,        NO),
    "steward elsewhere":      (OK,    NO,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "steward everywhere":     (OK,    OK,   OK,     OK,     OK,     NO,      OK,    OK,        OK),
    "owner":                  (NO,    NO,   OK,     OK,     OK,     NO,      NO,    NO,        NO),
    "contributor":            (OK,    OK,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "contributor elsewhere":  (OK,    NO,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "admin":                  (OK,    OK,   OK,     NO,     NO,     NO,      OK,    OK,        OK),
    "auditor":                (NO,    NO,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "viewer":                 (NO,    NO,   OK,     NO,     NO,     NO,      NO,    NO,        NO),
    "without a role":         (NO,    NO,   NO,     NO,     NO,     NO,      NO,    NO,        NO),
    "superuser":              (NO,    NO,   NO,     NO,     NO,     NO,      NO,    NO,        NO),
    "steward who left":       (NO,    NO,   NO,     NO,     NO,     NO,      NO,    NO,        NO),
    "nobody signed in":       (NO,    NO,   NO,     NO,     NO,     NO,      NO,    NO,        NO),
}
# fmt: on


@pytest.fixture
def request_(company):
    editor = make_user("zoe", sales=Role.REVIEWER)
    content = make_content(make_change(words={"definition": "By Ana."}))
    request = open_request(content=content, actor=company.ana)
    content = make_content(make_change(words={"definition": "By Zoe."}))
    save_draft(request, content=content, lock=1, actor=editor)
    submit(request, actor=company.ana)
    request.refresh_from_db()
    return request


@pytest.fixture
def people(company, request_):
    left = make_user("left", sales=Role.STEWARD)
    left.is_active = False
    left.save()
    owner = make_user("owner", sales=Role.VIEWER)
    Ownership.objects.create(entry=Entry.objects.get(key="net_sales"), user=owner, role="owner")
    boss = make_user("boss")
    boss.is_superuser = boss.is_staff = True
    boss.save()
    return {
        "author": company.ana,
        "co-editor and reviewer": request_.draft.editors.get(username="zoe"),
        "reviewer": company.ben,
        "reviewer elsewhere": make_user("re", growth=Role.REVIEWER),
        "steward": company.cem,
        "steward elsewhere": make_user("se", growth=Role.STEWARD),
        "steward everywhere": make_user("sa", everywhere=Role.STEWARD),
        "owner": owner,
        "contributor": make_user("co", sales=Role.CONTRIBUTOR),
        "contributor elsewhere": make_user("ce", growth=Role.CONTRIBUTOR),
        "admin": make_user("ad", everywhere=Role.ADMIN),
        "auditor": make_user("au", everywhere=Role.AUDITOR),
        "viewer": company.eve,
        "without a role": make_user("no"),
        "superuser": boss,
        "steward who left": left,
        "nobody signed in": AnonymousUser(),
    }


def test_each_person_may_what_the_table_says(people, request_):
    assert set(people) == set(TABLE)
    for who, row in TABLE.items():
        found = tuple(why_not(people[who], request_) is None for why_not in VERBS.values())
        assert dict(zip(VERBS, found, strict=True)) == dict(zip(VERBS, row, strict=True)), who


def test_every_refusal_is_a_sentence(people, request_):
    for who in people.values():
        for why_not in VERBS.values():
            reason = why_not(who, request_)
            assert reason is None or (reason[0].isupper() and reason.endswith("."))


def test_a_thread_is_settled_by_three_kinds_of_people(people, request_):
    said = Comment(request=request_, author=people["viewer"])

    allowed = {who for who, user in people.items() if not policies.why_not_resolve(user, said)}

    assert allowed == {
        "viewer",
        "author",
        "steward",
        "steward elsewhere",
        "steward everywhere",
        "admin",
    }


def test_submitted_requests_have_the_domains_that_decide(company):
    request = submitted(make_change(words={"definition": "Other."}), author=company.ana)

    assert request.domains() == [company.sales]
