from django.urls import path

from web.views import frame, notices, profile, session, style, tokens
from web.views.health import healthz

app_name = "web"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.password, name="password"),
    path("profile/tokens", tokens.tokens, name="tokens"),
    path("profile/tokens/<int:pk>/revoke", tokens.revoke, name="token-revoke"),
    path("notices", notices.notices, name="notices"),
    path("notices/read", notices.read_all, name="notices-read"),
    path("notices/<int:pk>/open", notices.open_notice, name="notice-open"),
    path("theme", frame.theme, name="theme"),
    path("more", frame.more, name="more"),
    path("shortcuts", frame.shortcuts, name="shortcuts"),
    path("style", style.style, name="style"),
    path("style/formula", style.formula_lint, name="style-formula"),
    path("style/draft", style.draft, name="style-draft"),
]
