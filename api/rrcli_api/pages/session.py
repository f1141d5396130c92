"""Signing in with an API key: a cookie carries it where a browser cannot send a header.

The cookie is out of reach for scripts and is never sent along with a request that another site makes
(RFC 6265bis, SameSite=Strict); what changes something must come from our own pages besides.
"""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import falcon

from rrcli.core.api_keys import ApiKey, Scope
from rrcli.errors import MalformedRequest
from rrcli_api.errors import ApiError
from rrcli_api.pages import html
from rrcli_api.pages.paths import SIGN_IN, is_page

COOKIE = "rrcli_key"
FORM_BYTES = 256 * 1024
_FIELDS = 100
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})


def credentials(req: falcon.Request) -> str | None:
    """The Authorization header, or what the page's cookie stands for."""
    given: str | None = req.env.get("HTTP_AUTHORIZATION")
    if given is None and is_page(req.path) and (keys := req.get_cookie_values(COOKIE)):
        return f"Bearer {keys[0]}"
    return given


def reader(req: falcon.Request) -> dict[str, bool]:
    """What the templates ask of the person who looks: no button is shown that would be refused."""
    key: ApiKey | None = req.context.api_key
    return {"signed_in": key is not None, "may_write": key is None or key.scope.includes(Scope.WRITE)}


def require_own_page(req: falcon.Request) -> None:
    """403 for a change that a page of another site had the browser ask for, cookies or an open door in hand.

    Browsers say so in Sec-Fetch-Site (Fetch Metadata), older ones in Origin; programs send neither.
    """
    if req.method in _SAFE or "HTTP_AUTHORIZATION" in req.env:
        return
    site, origin = req.env.get("HTTP_SEC_FETCH_SITE"), req.env.get("HTTP_ORIGIN")
    foreign = site not in _OURS if site else origin is not None and urlsplit(origin).netloc != req.netloc
    if foreign:
        raise ApiError(403, "forbidden", "A page of another site may not change anything here.")


def ask_for_key(req: falcon.Request) -> falcon.HTTPSeeOther:
    """Where a person without a key is sent, and from there back again."""
    there = req.relative_uri if req.method in _SAFE else "/"
    return falcon.HTTPSeeOther(f"{SIGN_IN}?{urlencode({'next': there})}")


def form(req: falcon.Request) -> dict[str, str]:
    """The fields of a posted form; of one that is there twice the last. Raises MalformedRequest."""
    if (req.content_length or 0) > FORM_BYTES:
        raise ApiError(413, "invalid_request", f"A form has at most {FORM_BYTES:,} bytes.")
    try:
        text = req.bounded_stream.read(FORM_BYTES).decode()
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise MalformedRequest("The form is not UTF-8 text, or has too many fields.") from None
    return {name: values[-1] for name, values in fields.items()}


class SignIn:
    """Takes a key and keeps it in a cookie until the browser is closed."""

    only_reads = True

    def __init__(self, find: Callable[[str], ApiKey | None]) -> None:
        self._find = find

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        html.show(resp, "sign_in.html", next=_local(req.get_param("next")), refused="")

    on_head = on_get

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        fields = form(req)
        key, target = fields.get("key", "").strip(), _local(fields.get("next"))
        if why := _refusal(self._find(key)):
            html.show(resp, "sign_in.html", next=target, refused=why)
            resp.status = falcon.HTTP_401
            return
        secure = req.forwarded_scheme == "https"
        resp.set_cookie(COOKIE, key, path="/", secure=secure, same_site="Strict")
        html.go(resp, target)


def _refusal(key: ApiKey | None) -> str:
    """Why a person cannot sign in with it; empty for one that opens pages."""
    if key is None:
        return "This key is unknown or revoked."
    return "" if key.scope.includes(Scope.READ) else "This key opens calendars (.ics) and nothing else."


class SignOut:
    """Forgets the key."""

    only_reads = True

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.unset_cookie(COOKIE, path="/", same_site="Strict")
        html.go(resp, SIGN_IN)


def _local(target: str | None) -> str:
    """A page of ours; anything else would lead a person who has just signed in elsewhere."""
    parts = urlsplit(target or "")
    return target if target and is_page(parts.path) and not (parts.scheme or parts.netloc) else "/"
