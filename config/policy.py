"""The content security policy: strict for our pages, wider for the admin's own scripts."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware

# The admin theme ships the standard build of Alpine, which evaluates expressions, and
# colours in a style block. Inline scripts stay forbidden there too.
ADMIN_DIRECTIVES = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


class ContentPolicyMiddleware(CSPMiddleware):
    """Add the policy of settings.CONTENT_SECURITY_POLICY to every answer."""

    def get_policy_parts(self, request, response, report_only=False):
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith("/admin/"):
            # Only these two: a config of its own would drop all the others.
            parts.replace = {**(parts.replace or {}), **ADMIN_DIRECTIVES}
        return parts
