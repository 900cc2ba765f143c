"""Where a person is signed in: seen by them alone, ended by them, and by a new password."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from accounts.tasks import forget_sessions
from core.models import AuditEvent
from tests.web.conftest import PASSWORD, make_person
from web.agents import browser_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
PAGE = "/profile/sessions"


def _signed_in(name: str, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    answer = client.post("/sign-in", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture
def desk(person):
    return _signed_in("ana", FIREFOX)


@pytest.fixture
def phone(desk):
    return _signed_in("ana", IPHONE)


def _is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def _handle(client: Client) -> str:
    return Session.objects.get(pk=client.session.session_key).handle


def test_every_browser_is_listed_with_where_it_came_from(desk, phone):
    page = desk.get(PAGE).content.decode()

    assert page.index("Firefox on Linux") < page.index("Safari on iPhone")
    assert page.count("127.0.0.1") == 2
    assert page.count("This one") == 1


def test_no_page_holds_what_lets_a_browser_in(desk, phone):
    page = desk.get(PAGE).content.decode()

    for session in Session.objects.all():
        assert session.session_key not in page
        assert session.handle in page


def test_one_is_ended_and_the_other_goes_on(desk, phone):
    assert desk.post(f"{PAGE}/end", {"session": _handle(phone)})["Location"] == PAGE

    assert _is_in(desk)
    assert not _is_in(phone)
    event = AuditEvent.objects.get(action="person.end_session")
    assert (event.actor_label, event.via, event.detail) == ("Ana", "web", {"agent": IPHONE})


def test_all_others_are_ended_at_once(desk, phone):
    tablet = _signed_in("ana", IPHONE)

    desk.post(f"{PAGE}/end", {"session": "others"})

    assert [_is_in(one) for one in (desk, phone, tablet)] == [True, False, False]
    assert AuditEvent.objects.get(action="person.end_session").detail == {"ended": 2}
    desk.post(f"{PAGE}/end", {"session": "others"})
    assert AuditEvent.objects.filter(action="person.end_session").count() == 1


def test_the_one_at_hand_signs_out(desk):
    assert desk.post(f"{PAGE}/end", {"session": _handle(desk)})["Location"] == "/sign-in"

    assert not _is_in(desk)


def test_nobody_sees_or_ends_the_session_of_another(desk):
    make_person("eve")
    eve = _signed_in("eve", IPHONE)

    assert "Firefox on Linux" not in eve.get(PAGE).content.decode()
    assert eve.post(f"{PAGE}/end", {"session": _handle(desk)}).status_code == 404
    eve.post(f"{PAGE}/end", {"session": "others"})

    assert _is_in(desk)


def test_a_new_password_ends_the_others_and_the_page_knows(desk, phone):
    desk.post("/profile/password", {"current": PASSWORD, "new": "another-measure-9"})

    page = desk.get(PAGE).content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" not in page
    assert not _is_in(phone)


def test_what_has_run_out_is_not_listed(desk, phone):
    Session.objects.filter(pk=phone.session.session_key).update(
        expire_date=timezone.now() - timedelta(minutes=1)
    )

    assert "Safari on iPhone" not in desk.get(PAGE).content.decode()


def test_when_one_was_seen_is_noted_now_and_then(desk):
    key = desk.session.session_key
    long_ago = timezone.now() - timedelta(hours=3)
    Session.objects.filter(pk=key).update(seen_at=long_ago)

    desk.get("/")
    seen = Session.objects.get(pk=key).seen_at
    desk.get("/")

    assert seen > long_ago
    assert Session.objects.get(pk=key).seen_at == seen


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "A browser"),
    ],
)
def test_browsers_are_named_as_people_do(agent, said):
    assert browser_of(agent) == said


def test_what_has_expired_is_forgotten_and_the_rest_stays(desk, phone):
    Session.objects.filter(pk=phone.session.session_key).update(
        expire_date=timezone.now() - timedelta(minutes=1)
    )

    forget_sessions()

    assert Session.objects.count() == 1
    assert _is_in(desk)
