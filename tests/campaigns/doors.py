"""The three ways in which a person decides over HTTP: the API, the web page, and the admin."""

from typing import Any

import requests

from accounts.choices import Scope
from accounts.models import User
from accounts.services import create_token
from governance.models import ChangeRequest, Revision

PASSWORD = "a-measure-of-platinum"
DOORS = ("api", "web", "admin")
PATIENCE = 60


class Person:
    """Somebody with a token and a signed-in session at a running web server."""

    def __init__(self, user: User, base_url: str):
        self.user, self._base = user, base_url
        user.set_password(PASSWORD)
        user.is_staff = True
        user.save(update_fields=["password", "is_staff"])
        _, secret = create_token(
            user, name="race", scopes=list(Scope.values), days=1, actor=user, via="test"
        )
        self._api = requests.Session()
        self._api.headers["authorization"] = f"Bearer {secret}"
        self._pages = requests.Session()
        self._pages.get(f"{base_url}/sign-in", timeout=PATIENCE)
        self._post_form("/sign-in", {"username": user.username, "password": PASSWORD}, 302)

    def approve(self, request: ChangeRequest, revision: Revision, door: str) -> int:
        """Approve what was read, by one of the doors. Returns the status of the answer."""
        if door == "api":
            body = {"revision": revision.hash, "verdict": "approve"}
            return self.send("POST", f"change-requests/{request.pk}/review", body).status_code
        form = {"verdict": "approve", "revision": revision.hash}
        path = f"/changes/{request.pk}/review"
        if door == "admin":
            form = {
                "verdict": "approve",
                "revision": str(revision.number),
                "revision_hash": revision.hash,
            }
            path = f"/admin/governance/changerequest/{request.pk}/change/"
        return self._post_form(path, form).status_code

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """Call the API."""
        return self._api.request(method, f"{self._base}/api/v1/{path}", json=body, timeout=PATIENCE)

    def _post_form(self, path: str, form: dict[str, str], expected: int = 0) -> requests.Response:
        # The token of the cookie, as the page's own form sends it.
        form = {**form, "csrfmiddlewaretoken": self._pages.cookies["csrftoken"]}
        answer = self._pages.post(
            self._base + path, data=form, timeout=PATIENCE, allow_redirects=False
        )
        goes_to = answer.headers.get("location", "")
        is_sent_away = "/sign-in" in goes_to or "/login" in goes_to
        if is_sent_away or (expected and answer.status_code != expected):
            raise AssertionError(f"{path} answers {answer.status_code}: {answer.text[:300]}")
        return answer
